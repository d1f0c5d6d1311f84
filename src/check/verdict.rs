//! The result of a check, without the sentences that describe it.

use crate::{
    error::{Error, RefusalReason},
    graph::{self, Permission},
    level::{Level, Partition},
    streams::Stream,
};

/// The result of a check.
#[derive(Debug)]
pub struct Checkup {
    pub(super) streams: Vec<(&'static Stream, Verdict)>,
    /// Graph's list of teams is empty.
    pub(super) lists_no_team: bool,
    /// The page where an administrator consents to the permissions of the application.
    pub(super) consent: String,
}

/// The result for one stream.
#[derive(Debug)]
pub(super) enum Verdict {
    /// A little of it could be read. Some of the configured ids may be missing.
    Works {
        unread: Vec<Unread>,
    },
    /// The configuration does not say what to read; these options would.
    NotConfigured(Vec<String>),
    Refused {
        reason: Reason,
        source: Box<graph::Error>,
    },
    Failed(Error),
}

/// Why Graph refused.
#[derive(Debug)]
pub(super) enum Reason {
    Refused(RefusalReason),
    /// None of the configured ids exists; this is the first.
    NotFound(ConfiguredParent),
}

/// Ids in the configuration from which nothing was read.
#[derive(Debug)]
pub(super) enum Unread {
    NotFound(ConfiguredParent),
    /// The configuration does not say where they are: a run searches for them.
    SearchedByRun {
        level: &'static Level,
        ids: Vec<String>,
    },
}

/// A team, channel or message whose id is in the configuration.
#[derive(Debug)]
pub(super) struct ConfiguredParent {
    pub(super) level: &'static Level,
    pub(super) id: String,
}

impl Checkup {
    /// Whether a run is worthwhile: something can be read, and no stream lacks all of its configured ids.
    pub fn is_good(&self) -> bool {
        let is_not_found = |verdict: &Verdict| matches!(verdict, Verdict::Refused { reason: Reason::NotFound(_), .. });
        self.reads_anything() && !self.streams.iter().any(|(_, verdict)| is_not_found(verdict))
    }

    /// Whether every stream can be read, with everything that is configured for it.
    pub fn is_flawless(&self) -> bool {
        self.streams.iter().all(|(_, verdict)| verdict.works())
    }

    pub(super) fn reads_anything(&self) -> bool {
        self.streams.iter().any(|(_, verdict)| matches!(verdict, Verdict::Works { .. }))
    }
}

impl ConfiguredParent {
    /// [`None`] for the tenant, which has no id in the configuration.
    pub(super) fn of(partition: &Partition) -> Option<Self> {
        partition.level().map(|level| Self { level, id: partition.own_id().to_owned() })
    }
}

impl Verdict {
    /// The verdict on a failed request that requires the first of these permissions; the requests after it require the others.
    pub(super) fn of(task: impl Into<String>, source: graph::Error, permissions: &[&'static Permission]) -> Self {
        match RefusalReason::from_error(&source, permissions) {
            Some(refused) => Self::Refused { reason: Reason::Refused(refused), source: Box::new(source) },
            None => Self::Failed(Error::graph(task, source, permissions.get(..1).unwrap_or_default())),
        }
    }

    /// Whether the stream works, with everything that is configured for it.
    pub(super) fn works(&self) -> bool {
        matches!(self, Self::Works { unread } if !unread.iter().any(Unread::is_not_found))
    }
}

impl Unread {
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound(_))
    }
}
