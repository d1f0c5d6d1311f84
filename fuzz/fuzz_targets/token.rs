//! The binary of the target `token`.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("token");
