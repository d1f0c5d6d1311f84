//! The commands that are for people, and what makes a configuration convenient.

mod extract;
mod sample;
mod secret;
