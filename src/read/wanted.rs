//! What is wanted of the parents that a list finds, and which parents the list should have: those that are named, and those that earlier runs
//! have read.

use std::collections::BTreeMap;

use super::{
    context::Context,
    found::{Found, Origin},
};
use crate::{
    level::{Level, Partition},
    streams::{Stream, StreamSet},
};

/// What is wanted of the parents that a list finds.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// The level of the parents.
    level: Option<&'static Level>,
    /// The streams that read every parent of the list.
    of_all: StreamSet,
    /// What the list should have, by its ids; what it was found to have is taken out.
    expected: BTreeMap<String, Expected>,
}

/// Why a list should have a parent.
#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    /// The streams that it is named for, with those above it.
    named: StreamSet,
    /// The streams that it is named for, without those above it: it may be elsewhere.
    perhaps: StreamSet,
    /// The streams for which it is read if it exists, since an earlier run has read it.
    known: StreamSet,
}

impl Wanted {
    /// Of the list of that level below a parent, for these streams.
    pub(crate) fn new(context: &Context, parent: &Partition, level: &'static Level, streams: StreamSet) -> Self {
        let below = streams.filter(|stream| stream.is_below(level));
        let of_all = below.filter(|stream| context.config(stream).reads_all(level));
        let mut expected = BTreeMap::<String, Expected>::new();
        for stream in below.iter() {
            let is_certain = context.is_one(stream, level.above);
            for id in context.config(stream).named(level) {
                let expected = expected.entry(id.clone()).or_default();
                let named = if is_certain { &mut expected.named } else { &mut expected.perhaps };
                *named = named.with(stream);
            }
        }
        let mut wanted = Self { level: Some(level), of_all, expected };
        wanted.expect_known(context, parent, streams.filter(|stream| stream.finds_level() == Some(level)));
        wanted
    }

    /// Expects what earlier runs have read. `own` is the stream whose list it is, if that is selected.
    fn expect_known(&mut self, context: &Context, parent: &Partition, own: StreamSet) {
        if parent.level().is_none() {
            // A team that is named has a record, whether it is listed or not.
            self.expected.iter_mut().for_each(|(id, expected)| expected.known = context.not_excluding(id, own));
        }
        for id in context.known(parent) {
            let perhaps = self.expected.get(&id).map(|expected| expected.perhaps).unwrap_or_default();
            let streams = context.not_excluding(&id, own.union(self.of_all).union(perhaps));
            if !streams.is_empty() {
                self.expected.entry(id).or_default().known = streams;
            }
        }
    }

    /// Whether nothing is read of what the list finds.
    pub(crate) fn is_empty(&self) -> bool {
        self.feeds().is_empty()
    }

    /// The streams that are not complete without the list.
    pub(crate) fn feeds(&self) -> StreamSet {
        self.expected.values().fold(self.of_all, |feeds, expected| feeds.union(expected.named).union(expected.perhaps))
    }

    /// Whether what is named needs the list: parents are read from it in any case, or it is not known where they are.
    pub(crate) fn needs_list(&self) -> bool {
        !self.of_all.is_empty() || self.expected.values().any(|expected| !expected.perhaps.is_empty())
    }

    /// The list has this parent.
    pub(crate) fn meet(&mut self, parent: &Partition, id: &str) -> Option<Found> {
        let Expected { named, perhaps, .. } = self.expected.remove(id).unwrap_or_default();
        let by_name = named.union(perhaps);
        let origin = if by_name.is_empty() { Origin::Listed } else { Origin::Named };
        Some(Found::new(parent.below(self.level?, id), self.of_all.union(by_name), origin))
    }

    /// The parents that are named with those above them and that the list was not found to have: each is taken out.
    pub(crate) fn take_named(&mut self, parent: &Partition) -> Vec<Found> {
        self.take(parent, |expected| (std::mem::take(&mut expected.named), Origin::Named))
    }

    /// The parents that are named and that the list was not found to have, wherever they are.
    pub(crate) fn take_perhaps(&mut self, parent: &Partition) -> Vec<Found> {
        self.take(parent, |Expected { named, perhaps, .. }| (std::mem::take(named).union(std::mem::take(perhaps)), Origin::Perhaps))
    }

    /// The parents that earlier runs have read and that the list was not found to have. `shows_gap`: whether one that exists shows that the
    /// list is not complete.
    pub(crate) fn take_known(&mut self, parent: &Partition, shows_gap: impl Fn(&str) -> bool) -> Vec<Found> {
        let mut found = self.take(parent, |expected| (std::mem::take(&mut expected.known), Origin::Known { shows_gap: false }));
        for Found { of, origin, .. } in &mut found {
            *origin = Origin::Known { shows_gap: shows_gap(of.own_id()) };
        }
        found
    }

    fn take(&mut self, parent: &Partition, streams: impl Fn(&mut Expected) -> (StreamSet, Origin)) -> Vec<Found> {
        let Some(level) = self.level else { return Vec::new() };
        let found = |(id, expected): (&String, &mut Expected)| {
            let (streams, origin) = streams(expected);
            (!streams.is_empty()).then(|| Found::new(parent.below(level, id), streams, origin))
        };
        self.expected.iter_mut().filter_map(found).collect()
    }
}

/// Ids that are looked for in several places, and must be found in one of them.
pub(crate) fn looked_for(context: &Context, stream: &'static Stream) -> Vec<String> {
    let levels = stream.path().into_iter().filter(|level| !context.is_one(stream, level.above));
    levels.flat_map(|level| context.config(stream).named(level)).cloned().collect()
}
