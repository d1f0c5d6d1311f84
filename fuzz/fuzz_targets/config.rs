//! The binary of the target `config`.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("config");
