//! A parent that was found, and how: it is configured, listed, or known from an earlier run.

use super::channel_ref::ChannelFacts;
use crate::{level::Partition, streams::StreamSet};

/// How a run found a parent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Origin {
    /// It is configured together with its own parents: it must exist.
    #[default]
    Configured,
    /// It was in a list. It may have been deleted since, and a group may have no team.
    Listed,
    /// It is configured without its own parents: it may be below another one.
    Candidate,
    /// An earlier run has read it, but the list does not contain it: it is requested to see whether it exists. `shows_gap`: if it does, the
    /// list is incomplete.
    Unlisted { shows_gap: bool },
}

/// Properties of a parent that its list contained.
#[derive(Clone, Debug, Default)]
pub(crate) struct ParentDetails {
    pub(crate) facts: ChannelFacts,
    /// The properties of a group, which complete those of its team.
    pub(crate) group_properties: Vec<(String, String)>,
}

/// A parent that was found, with the streams that read it or something below it.
#[derive(Clone, Debug)]
pub(crate) struct FoundParent {
    pub(crate) parent: Partition,
    pub(crate) streams: StreamSet,
    pub(crate) origin: Origin,
    pub(crate) details: ParentDetails,
}

impl FoundParent {
    pub(crate) fn new(parent: Partition, streams: StreamSet, origin: Origin) -> Self {
        Self { parent, streams, origin, details: ParentDetails::default() }
    }
}
