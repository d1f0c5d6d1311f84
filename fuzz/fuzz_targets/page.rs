//! The target `page`, as a program.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("page");
