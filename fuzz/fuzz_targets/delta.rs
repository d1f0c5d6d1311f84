//! The binary of the target `delta`.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("delta");
