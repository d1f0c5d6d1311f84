//! The target `config`, as a program.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("config");
