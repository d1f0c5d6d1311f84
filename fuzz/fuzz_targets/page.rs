//! The binary of the target `page`.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("page");
