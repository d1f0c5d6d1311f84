//! The target `retry_after`, as a program.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("retry_after");
