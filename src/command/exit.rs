//! How a command ends.

use std::io::{self, Write};

use crate::sync::Summary;

/// How a command ended, which decides the exit code of the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    Success,
    /// Something failed or is incomplete.
    Failure,
    /// Wrong usage.
    Usage,
    /// Stopped by a signal.
    Stopped,
}

impl From<&Summary> for Exit {
    fn from(summary: &Summary) -> Self {
        match summary {
            Summary { stopped: true, .. } => Self::Stopped,
            summary if summary.is_complete() => Self::Success,
            _ => Self::Failure,
        }
    }
}

/// Writes the whole output of a command.
pub(super) fn print(out: &mut impl Write, text: &str) -> io::Result<Exit> {
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Exit::Success)
}
