//! How a command ends.

use std::io::{self, Write};

use crate::sync::Summary;

/// How a command ended, for the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// All done.
    Done,
    /// Something failed or is incomplete.
    Failed,
    /// Wrong usage.
    Usage,
    /// Told to stop before the end.
    Stopped,
}

impl From<&Summary> for Exit {
    fn from(summary: &Summary) -> Self {
        match summary {
            Summary { stopped: true, .. } => Self::Stopped,
            summary if summary.is_complete() => Self::Done,
            _ => Self::Failed,
        }
    }
}

/// Writes a text, and that is all.
pub(super) fn tell(out: &mut impl Write, text: &str) -> io::Result<Exit> {
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Exit::Done)
}
