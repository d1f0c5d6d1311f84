//! The target `catalog`, as a program.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("catalog");
