//! The binary of the target `retry_after`.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("retry_after");
