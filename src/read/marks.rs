//! Items of lists that were left out, damaged or too large: each is reported by one run, and not by every run that meets it.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use crate::{
    graph::Item,
    state::{MAX_DAMAGE_PER_STREAM, StreamState},
    streams::{PerStream, Stream, StreamSet},
};

/// A mark by which an item is known again, as long as it is the same.
pub(crate) fn mark(item: Item<'_>) -> String {
    format!("{:08x}", item.hash() as u32)
}

/// The marks of earlier runs, and those of the items that this run has met.
#[derive(Debug)]
pub(crate) struct Marks {
    known: PerStream<BTreeSet<String>>,
    met: Mutex<PerStream<BTreeSet<String>>>,
}

impl Marks {
    /// With the states that the streams begin with.
    pub(crate) fn new(states: &[(&'static Stream, StreamState)]) -> Self {
        let mut known = PerStream::<BTreeSet<String>>::default();
        for (stream, state) in states {
            known[stream] = state.damage().iter().cloned().collect();
        }
        Self { known, met: Mutex::default() }
    }

    /// Takes note of an item that is left out. Whether it is to be reported, since it is new to one of the streams.
    pub(crate) fn is_new(&self, streams: StreamSet, item: Item<'_>) -> bool {
        let mark = mark(item);
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let mut is_new = false;
        for stream in streams.iter() {
            is_new |= !self.known[stream].contains(&mark);
            let met = &mut met[stream];
            if met.len() < MAX_DAMAGE_PER_STREAM {
                met.insert(mark.clone());
            }
        }
        is_new
    }

    /// The marks that the next run is to know of a stream, if they are others than this one knew. Of what was not read whole the old ones stay.
    pub(crate) fn of_ended(&self, stream: &Stream, is_complete: bool) -> Option<Vec<String>> {
        let known = &self.known[stream];
        let mut marks = self.met.lock().unwrap_or_else(PoisonError::into_inner)[stream].clone();
        if !is_complete {
            let room = MAX_DAMAGE_PER_STREAM.saturating_sub(marks.len());
            marks.extend(known.iter().take(room).cloned());
        }
        (marks != *known).then(|| marks.into_iter().collect())
    }
}
