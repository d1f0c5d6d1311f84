//! A set of streams.

use super::{STREAMS, Stream};

const _: () = assert!(STREAMS.len() <= u64::BITS as usize, "a StreamSet has one bit per stream");

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StreamSet(u64);

impl StreamSet {
    #[must_use]
    pub fn with(self, stream: &Stream) -> Self {
        Self(self.0 | 1 << stream.position())
    }

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn contains(self, stream: &Stream) -> bool {
        self.0 & 1 << stream.position() != 0
    }

    /// In the order of [`STREAMS`].
    pub fn iter(self) -> impl Iterator<Item = &'static Stream> {
        Stream::all().filter(move |stream| self.contains(stream))
    }

    #[must_use]
    pub fn filter(self, predicate: impl Fn(&'static Stream) -> bool) -> Self {
        self.iter().filter(|stream| predicate(stream)).collect()
    }
}

impl FromIterator<&'static Stream> for StreamSet {
    fn from_iter<I: IntoIterator<Item = &'static Stream>>(streams: I) -> Self {
        streams.into_iter().fold(Self::default(), |set, stream| set.with(stream))
    }
}
