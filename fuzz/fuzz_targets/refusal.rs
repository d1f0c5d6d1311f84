//! The target `refusal`, as a program.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("refusal");
