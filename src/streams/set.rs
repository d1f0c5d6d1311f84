//! A set of streams.

use super::{STREAMS, Stream};

const _: () = assert!(STREAMS.len() <= u64::BITS as usize, "a set has a bit for each stream");

/// Some of the streams.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StreamSet(u64);

impl StreamSet {
    /// With this stream too.
    #[must_use]
    pub fn with(self, stream: &Stream) -> Self {
        Self(self.0 | 1 << stream.position())
    }

    /// The streams of either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The streams that are not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this stream is one of them.
    pub fn contains(self, stream: &Stream) -> bool {
        self.0 & 1 << stream.position() != 0
    }

    /// The streams, in order.
    pub fn iter(self) -> impl Iterator<Item = &'static Stream> {
        Stream::all().filter(move |stream| self.contains(stream))
    }

    /// Those of them that the predicate accepts.
    #[must_use]
    pub fn filter(self, accepts: impl Fn(&'static Stream) -> bool) -> Self {
        self.iter().filter(|stream| accepts(stream)).collect()
    }
}

impl FromIterator<&'static Stream> for StreamSet {
    fn from_iter<I: IntoIterator<Item = &'static Stream>>(streams: I) -> Self {
        streams.into_iter().fold(Self::default(), |set, stream| set.with(stream))
    }
}
