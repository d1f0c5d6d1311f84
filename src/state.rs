//! The state of a stream: where the next run goes on.

use serde::{Deserialize, Serialize};

/// The version that this program writes.
pub const VERSION: u64 = 1;

/// What a stream's state holds, the same in both protocols.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StreamState {
    /// Version of the form.
    pub version: u64,
}

impl Default for StreamState {
    fn default() -> Self {
        Self { version: VERSION }
    }
}
