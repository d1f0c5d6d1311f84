//! Looks up streams in the list of all streams.

use super::{STREAMS, stream::Stream};
use crate::level::Level;

impl Stream {
    /// The stream whose records are the parents at a level.
    pub fn discovering(level: &Level) -> Option<&'static Self> {
        Self::all().find(|stream| stream.discovered_level() == Some(level))
    }

    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::all().find(|stream| stream.name == name)
    }

    /// All streams, parents first.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        STREAMS.iter().copied()
    }

    /// The streams that are selected by default.
    pub fn defaults() -> impl Iterator<Item = &'static Self> {
        Self::all().filter(|stream| stream.is_default)
    }

    pub fn names() -> Vec<&'static str> {
        Self::all().map(|stream| stream.name).collect()
    }

    /// The index of the stream in [`STREAMS`].
    pub fn position(&self) -> usize {
        STREAMS.iter().position(|stream| stream.name == self.name).unwrap_or_default()
    }
}
