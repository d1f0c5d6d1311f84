//! The versions of the state format, and the marker of a full refresh, which both versions have.

use chrono::{DateTime, Utc};

/// The versions of the state format. New states have the last one.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Version {
    One = 1,
    Two = 2,
}

/// When the full refresh that is in progress started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FullRefresh {
    /// By the local clock.
    pub(super) local_start: DateTime<Utc>,
    /// By Graph's clock, which the times of the partitions come from. [`None`] before anything was read.
    pub(super) graph_start: Option<DateTime<Utc>>,
}
