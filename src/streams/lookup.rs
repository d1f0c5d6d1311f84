//! Finding streams in the list of them.

use super::{STREAMS, stream::Stream};
use crate::level::Level;

impl Stream {
    /// The stream whose items are the parents of that level.
    pub fn finding(level: &Level) -> Option<&'static Self> {
        Self::all().find(|stream| stream.finds_level() == Some(level))
    }

    /// The stream of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|stream| stream.name == name)
    }

    /// All streams, parents first.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        STREAMS.iter().copied()
    }

    /// The streams that are read unless something else is asked for.
    pub fn defaults() -> impl Iterator<Item = &'static Self> {
        Self::all().filter(|stream| stream.is_default)
    }

    /// All names, in order.
    pub fn names() -> Vec<&'static str> {
        Self::all().map(|stream| stream.name).collect()
    }

    /// The place of the stream in [`STREAMS`].
    pub fn position(&self) -> usize {
        STREAMS.iter().position(|stream| stream.name == self.name).unwrap_or_default()
    }
}
