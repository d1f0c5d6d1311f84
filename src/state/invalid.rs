//! Why a state cannot be used: the key is named, and nothing of what it holds is shown.

use std::fmt;

/// Why a state cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invalid {
    /// The key in the state, with its path.
    pub key: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl std::error::Error for Invalid {}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => formatter.write_str(self.reason),
            key => write!(formatter, "`{key}`: {}", self.reason),
        }
    }
}
