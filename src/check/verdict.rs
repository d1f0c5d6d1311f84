//! What a check found, without the words for it.

use crate::{
    error::{Error, Refused},
    graph::{self, Permission},
    level::{Level, Partition},
    streams::Stream,
};

/// What a check found.
#[derive(Debug)]
pub struct Checkup {
    /// The streams, in order.
    pub(super) streams: Vec<(&'static Stream, Verdict)>,
    /// Teams were listed, and there was none.
    pub(super) lists_no_team: bool,
    /// Where an administrator consents to the permissions of the application.
    pub(super) consent: String,
}

/// What a stream comes to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It can be read, as far as a little of it shows, but for some of what is named.
    Works { unread: Vec<Unread> },
    /// The configuration does not say what to read: what must be added.
    NotConfigured(Vec<String>),
    /// Graph refused.
    Refused { why: Why, source: Box<graph::Error> },
    /// Something else went wrong.
    Failed(Error),
}

/// Why Graph refused.
#[derive(Debug)]
pub(super) enum Why {
    /// By its words, or for want of a permission.
    Refused(Refused),
    /// None of the parents that are named is there; this is the first.
    NotFound(Parent),
}

/// What is named in the configuration and was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// It is not there.
    NotFound(Parent),
    /// It is named without what is above it: a run looks for it.
    Sought { level: &'static Level, ids: Vec<String> },
}

/// A parent that is named in the configuration.
#[derive(Debug)]
pub(super) struct Parent {
    pub(super) level: &'static Level,
    pub(super) id: String,
}

impl Checkup {
    /// Whether a run is worthwhile: something can be read, and of what is named something is there.
    pub fn is_good(&self) -> bool {
        let is_lost = |verdict: &Verdict| matches!(verdict, Verdict::Refused { why: Why::NotFound(_), .. });
        self.reads_anything() && !self.streams.iter().any(|(_, verdict)| is_lost(verdict))
    }

    pub(super) fn reads_anything(&self) -> bool {
        self.streams.iter().any(|(_, verdict)| matches!(verdict, Verdict::Works { .. }))
    }
}

impl Parent {
    /// The parent of a partition; the tenant is none.
    pub(super) fn of(partition: &Partition) -> Option<Self> {
        partition.level().map(|level| Self { level, id: partition.own_id().to_owned() })
    }
}

impl Verdict {
    /// Of a request that was not answered as it should be. It takes the first of these permissions, and the requests after it the others.
    pub(super) fn of(task: impl Into<String>, source: graph::Error, permissions: &[&'static Permission]) -> Self {
        match Refused::of(&source, permissions) {
            Some(refused) => Self::Refused { why: Why::Refused(refused), source: Box::new(source) },
            None => Self::Failed(Error::graph(task, source, permissions.get(..1).unwrap_or_default())),
        }
    }
}
