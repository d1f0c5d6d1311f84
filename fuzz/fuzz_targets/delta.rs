//! The target `delta`, as a program.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("delta");
