//! The binary of the target `catalog`.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("catalog");
