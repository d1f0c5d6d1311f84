//! The parents that a list is expected to contain: those that are configured, and those that earlier runs have read.

use std::collections::BTreeMap;

use super::{
    context::Context,
    found::{FoundParent, Origin},
};
use crate::{
    level::{Level, Partition},
    streams::{Stream, StreamSet},
};

/// Which parents of a list are needed, and for which streams.
#[derive(Debug, Default)]
pub(crate) struct WantedParents {
    /// The level of the parents.
    level: Option<&'static Level>,
    /// The streams that read every parent in the list.
    for_all: StreamSet,
    /// The expected parents by id. Those that were found are removed.
    expected: BTreeMap<String, Expected>,
}

/// Why a parent is expected in a list.
#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    /// The streams for which it is configured together with its own parents.
    configured: StreamSet,
    /// The streams for which it is configured without its own parents, so that it may be elsewhere.
    candidate: StreamSet,
    /// The streams for which it is read if it exists, because an earlier run has read it.
    known: StreamSet,
}

impl WantedParents {
    /// For the list of this level below a parent, and these streams.
    pub(crate) fn new(context: &Context, parent: &Partition, level: &'static Level, streams: StreamSet) -> Self {
        let below = streams.filter(|stream| stream.is_below(level));
        let for_all = below.filter(|stream| context.config(stream).reads_all(level));
        let mut expected = BTreeMap::<String, Expected>::new();
        for stream in below.iter() {
            let is_certain = context.has_single_parent(stream, level.above);
            for id in context.config(stream).ids(level) {
                let expected = expected.entry(id.clone()).or_default();
                let reason = if is_certain { &mut expected.configured } else { &mut expected.candidate };
                *reason = reason.with(stream);
            }
        }
        let mut wanted = Self { level: Some(level), for_all, expected };
        wanted.expect_known(context, parent, streams.filter(|stream| stream.discovered_level() == Some(level)));
        wanted
    }

    /// Adds the parents that earlier runs have read. `own` is the stream whose list it is, if that is selected.
    fn expect_known(&mut self, context: &Context, parent: &Partition, own: StreamSet) {
        if parent.level().is_none() {
            // A configured team has a record, whether it is listed or not.
            self.expected.iter_mut().for_each(|(id, expected)| expected.known = context.not_excluding(id, own));
        }
        for id in context.known_ids(parent) {
            let candidate = self.expected.get(&id).map(|expected| expected.candidate).unwrap_or_default();
            let streams = context.not_excluding(&id, own.union(self.for_all).union(candidate));
            if !streams.is_empty() {
                self.expected.entry(id).or_default().known = streams;
            }
        }
    }

    /// Whether no stream reads the parents that the list finds.
    pub(crate) fn is_empty(&self) -> bool {
        self.dependent_streams().is_empty()
    }

    /// The streams that are incomplete without the list.
    pub(crate) fn dependent_streams(&self) -> StreamSet {
        self.expected.values().fold(self.for_all, |streams, expected| streams.union(expected.configured).union(expected.candidate))
    }

    /// Whether configured parents need the list: other parents are read from it anyway, or it is unknown where the configured ones are.
    pub(crate) fn needs_list(&self) -> bool {
        !self.for_all.is_empty() || self.expected.values().any(|expected| !expected.candidate.is_empty())
    }

    /// Takes a parent that is in the list.
    pub(crate) fn take_listed(&mut self, parent: &Partition, id: &str) -> Option<FoundParent> {
        let Expected { configured, candidate, .. } = self.expected.remove(id).unwrap_or_default();
        let by_id = configured.union(candidate);
        let origin = if by_id.is_empty() { Origin::Listed } else { Origin::Configured };
        Some(FoundParent::new(parent.below(self.level?, id), self.for_all.union(by_id), origin))
    }

    /// Takes the parents that are configured together with their own parents and were not in the list.
    pub(crate) fn take_configured(&mut self, parent: &Partition) -> Vec<FoundParent> {
        self.take(parent, |expected| (std::mem::take(&mut expected.configured), Origin::Configured))
    }

    /// Takes the configured parents that were not in the list, wherever they are.
    pub(crate) fn take_candidates(&mut self, parent: &Partition) -> Vec<FoundParent> {
        self.take(parent, |Expected { configured, candidate, .. }| {
            (std::mem::take(configured).union(std::mem::take(candidate)), Origin::Candidate)
        })
    }

    /// Takes the parents that earlier runs have read and that were not in the list. `shows_gap`: whether such a parent, if it exists, shows
    /// that the list is incomplete.
    pub(crate) fn take_known(&mut self, parent: &Partition, shows_gap: impl Fn(&str) -> bool) -> Vec<FoundParent> {
        let mut found = self.take(parent, |expected| (std::mem::take(&mut expected.known), Origin::Unlisted { shows_gap: false }));
        for FoundParent { parent, origin, .. } in &mut found {
            *origin = Origin::Unlisted { shows_gap: shows_gap(parent.own_id()) };
        }
        found
    }

    fn take(&mut self, parent: &Partition, streams: impl Fn(&mut Expected) -> (StreamSet, Origin)) -> Vec<FoundParent> {
        let Some(level) = self.level else { return Vec::new() };
        let found = |(id, expected): (&String, &mut Expected)| {
            let (streams, origin) = streams(expected);
            (!streams.is_empty()).then(|| FoundParent::new(parent.below(level, id), streams, origin))
        };
        self.expected.iter_mut().filter_map(found).collect()
    }
}

/// Configured ids that are searched for under several parents, and must be found under one of them.
pub(crate) fn ids_to_find(context: &Context, stream: &'static Stream) -> Vec<String> {
    let levels = stream.path().into_iter().filter(|level| !context.has_single_parent(stream, level.above));
    levels.flat_map(|level| context.config(stream).ids(level)).cloned().collect()
}
