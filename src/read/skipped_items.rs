//! Items of lists that were skipped because they are damaged or too large. Only the first run that sees such an item reports it.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use crate::{
    graph::Item,
    state::{MAX_SKIPPED_PER_STREAM, StreamState},
    streams::{PerStream, Stream, StreamSet},
};

/// A fingerprint by which an item is recognized as long as it does not change.
pub(crate) fn fingerprint(item: Item<'_>) -> String {
    format!("{:08x}", item.hash() as u32)
}

/// The fingerprints from earlier runs, and those of the items that this run has skipped.
#[derive(Debug)]
pub(crate) struct SkippedItems {
    known: PerStream<BTreeSet<String>>,
    seen: Mutex<PerStream<BTreeSet<String>>>,
}

impl SkippedItems {
    /// Starts with the states of the streams.
    pub(crate) fn new(states: &[(&'static Stream, StreamState)]) -> Self {
        let mut known = PerStream::<BTreeSet<String>>::default();
        for (stream, state) in states {
            known[stream] = state.skipped().iter().cloned().collect();
        }
        Self { known, seen: Mutex::default() }
    }

    /// Notes an item that is skipped. Returns whether to report it, because it is new to one of the streams.
    pub(crate) fn note(&self, streams: StreamSet, item: Item<'_>) -> bool {
        let fingerprint = fingerprint(item);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_new = false;
        for stream in streams.iter() {
            is_new |= !self.known[stream].contains(&fingerprint);
            let seen = &mut seen[stream];
            if seen.len() < MAX_SKIPPED_PER_STREAM {
                seen.insert(fingerprint.clone());
            }
        }
        is_new
    }

    /// The fingerprints to store for the next run, if they have changed. If the stream was not read completely, the old ones are kept.
    pub(crate) fn for_next_run(&self, stream: &Stream, is_complete: bool) -> Option<Vec<String>> {
        let known = &self.known[stream];
        let mut fingerprints = self.seen.lock().unwrap_or_else(PoisonError::into_inner)[stream].clone();
        if !is_complete {
            let room = MAX_SKIPPED_PER_STREAM.saturating_sub(fingerprints.len());
            fingerprints.extend(known.iter().take(room).cloned());
        }
        (fingerprints != *known).then(|| fingerprints.into_iter().collect())
    }
}
