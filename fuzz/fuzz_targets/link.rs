//! The binary of the target `link`.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("link");
