//! The target `link`, as a program.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("link");
