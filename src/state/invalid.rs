//! The error for a state that cannot be used. It names the key and never shows its value.

use std::fmt;

/// A value that cannot be used, with the reason as the end of a sentence about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidState {
    /// The path of the value; empty for the whole state.
    pub key: String,
    pub reason: &'static str,
}

impl std::error::Error for InvalidState {}

impl fmt::Display for InvalidState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(formatter, "the state {}", self.reason),
            key => write!(formatter, "`{key}` {}", self.reason),
        }
    }
}
