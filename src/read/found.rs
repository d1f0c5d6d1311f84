//! A parent that was found: named, listed, or known from an earlier run.

use super::place::Facts;
use crate::{level::Partition, streams::StreamSet};

/// How a run came to a parent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Origin {
    /// The configuration names it and those above it: it must be there.
    #[default]
    Named,
    /// A list had it. It may be gone meanwhile, and a group may have no team.
    Listed,
    /// The configuration names it, but not those above it: it may be elsewhere.
    Perhaps,
    /// An earlier run has read it, and the list does not have it: it is asked for first. Whether this shows that the list is not complete, if
    /// it exists.
    Known { shows_gap: bool },
}

/// What a list said of a parent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) facts: Facts,
    /// The properties of a group, which complete those of its team.
    pub(crate) of_group: Vec<(String, String)>,
}

/// A parent that was found, with the streams that are read from it or from what is below it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) of: Partition,
    pub(crate) streams: StreamSet,
    pub(crate) origin: Origin,
    pub(crate) said: Said,
}

impl Found {
    pub(crate) fn new(of: Partition, streams: StreamSet, origin: Origin) -> Self {
        Self { of, streams, origin, said: Said::default() }
    }
}
