//! The target `state`, as a program.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("state");
