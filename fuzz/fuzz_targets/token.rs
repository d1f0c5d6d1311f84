//! The target `token`, as a program.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("token");
