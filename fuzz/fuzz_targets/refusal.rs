//! The binary of the target `refusal`.
#![cfg_attr(fuzzing, no_main)]

fuzz::program!("refusal");
