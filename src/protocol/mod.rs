//! The protocols: how each says what a sync tells. They know nothing of Graph and of each other.

pub mod airbyte;
mod counted;
pub mod lines;
pub mod singer;

/// So many bytes of lines are written at once. What is in the buffer is written also when the run is stopped: a slow reader is to have it soon.
const BUFFER: usize = 32 * 1024;
