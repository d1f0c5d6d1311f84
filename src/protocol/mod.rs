//! The protocols: how each says what a sync tells. They know nothing of Graph and of each other.

pub mod airbyte;
pub mod lines;
mod log;
pub mod singer;

pub use log::{Format, Log};
