//! A map with a value for each stream.

use std::ops::{Index, IndexMut};

use super::{STREAMS, Stream, StreamSet};

/// The values are in the order of [`STREAMS`].
#[derive(Clone, Debug)]
pub struct PerStream<T>(Box<[T]>);

impl<T> PerStream<T> {
    pub fn from_fn(make: impl FnMut(&'static Stream) -> T) -> Self {
        Self(Stream::all().map(make).collect())
    }

    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    pub fn values_mut(&mut self, streams: StreamSet) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().zip(STREAMS).filter(move |(_, stream)| streams.contains(stream)).map(|(value, _)| value)
    }
}

impl<T: Default> Default for PerStream<T> {
    fn default() -> Self {
        Self::from_fn(|_| T::default())
    }
}

impl<T> Index<&Stream> for PerStream<T> {
    type Output = T;

    fn index(&self, stream: &Stream) -> &T {
        &self.0[stream.position()]
    }
}

impl<T> IndexMut<&Stream> for PerStream<T> {
    fn index_mut(&mut self, stream: &Stream) -> &mut T {
        &mut self.0[stream.position()]
    }
}

impl<T> IntoIterator for PerStream<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

/// Streams without a value have [`None`].
impl<T> FromIterator<(&'static Stream, T)> for PerStream<Option<T>> {
    fn from_iter<I: IntoIterator<Item = (&'static Stream, T)>>(values_by_stream: I) -> Self {
        let mut values = Self::from_fn(|_| None);
        for (stream, value) in values_by_stream {
            values[stream] = Some(value);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{MEMBERS, MESSAGES, TEAMS};

    #[test]
    fn each_stream_has_its_own_value() {
        let mut names = PerStream::from_fn(|stream| stream.name);
        assert!(Stream::all().all(|stream| names[stream] == stream.name));
        names[&MEMBERS] = "changed";
        assert_eq!(names.values_mut([&MESSAGES, &MEMBERS].into_iter().collect()).collect::<Vec<_>>(), [&mut "changed", &mut "messages"]);
        let some: PerStream<Option<u8>> = [(&MESSAGES as &'static Stream, 1), (&TEAMS, 2), (&TEAMS, 3)].into_iter().collect();
        assert_eq!((some[&TEAMS], some[&MESSAGES], some.values().flatten().count()), (Some(3), Some(1), 2));
    }
}
