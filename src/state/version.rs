//! The versions of a state's form, and what a full refresh is known by.

use chrono::{DateTime, Utc};

/// The versions of a state's form. The last one is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Version {
    One = 1,
    Two = 2,
}

/// The mark of a full refresh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Full {
    /// When it began, by our own clock.
    pub(super) begun: DateTime<Utc>,
    /// The same by Graph's clock, which the channels go by; [`None`]: nothing was read yet.
    pub(super) mark: Option<DateTime<Utc>>,
}
