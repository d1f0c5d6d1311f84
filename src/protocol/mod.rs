//! The output formats: Airbyte, Singer, and plain lines of JSON. They do not depend on Graph or on each other.

pub mod airbyte;
mod counted;
pub mod lines;
pub mod singer;

/// Size of the output buffer, in bytes. It is small because it is flushed when the run is stopped, even if the reader is slow.
const BUFFER_SIZE: usize = 32 * 1024;
