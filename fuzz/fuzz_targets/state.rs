//! The binary of the target `state`.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("state");
