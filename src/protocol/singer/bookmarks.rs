//! The bookmarks that a STATE line has: of the streams that are read where they can go on, of all others what was given.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    state::{StreamState, Written},
    streams::Stream,
};

/// The bookmark of each stream that has one. States share what they have in common with those that the run works with.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Bookmarks(BTreeMap<String, Bookmark>);

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Bookmark {
    /// As it was given: nothing of it was taken up.
    Given(Box<RawValue>),
    Own(StreamState),
}

impl Bookmarks {
    /// Those that were given, of which the streams have taken up these states.
    pub fn new(given: Written<'_>, states: &[(&'static Stream, StreamState)]) -> Self {
        let taken_up = |name: &str| states.iter().find(|(stream, state)| stream.name == name && !state.is_empty());
        let bookmark = |(name, given): (String, &RawValue)| {
            let bookmark = match taken_up(&name) {
                Some((_, state)) => Bookmark::Own(state.clone()),
                None => Bookmark::Given(given.to_owned()),
            };
            (name, bookmark)
        };
        Self(given.into_iter().map(bookmark).collect())
    }

    /// Takes note of where a stream can go on.
    pub(super) fn set(&mut self, stream: &Stream, state: StreamState) {
        self.0.insert(stream.name.to_owned(), Bookmark::Own(state));
    }
}
