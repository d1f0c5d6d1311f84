//! Batches of records, written one behind the other into a buffer that is used again.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use super::StopSignal;
use crate::streams::Stream;

/// A batch of so many bytes is large enough: what is in pieces needs no large buffers.
const PIECE: usize = 256 * 1024;

/// What a buffer holds, with the record that makes it large enough.
const BUFFER: usize = PIECE + PIECE / 4;

/// A batch of less is few records.
const FEW: usize = BUFFER / 4;

/// So many buffers are kept to be used again.
const MOST_SPARE: usize = 16;

/// Buffers to be used again: large ones come and go so often that an allocator would spread them all over the memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

/// Records of one stream: JSON objects, one behind the other.
#[derive(Debug)]
pub struct Records {
    stream: &'static Stream,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    changed: u64,
    deleted: u64,
    spare: Spare,
}

/// Records on their way out, one after the other. There are no more when the run is stopped and its reader is slow.
#[derive(Debug)]
pub struct Batch<'b> {
    records: &'b Records,
    left: Range<usize>,
    stop: &'b StopSignal,
    is_cut: bool,
}

/// What became of a message since it was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// It was edited, or reacted to.
    Changed,
    /// It was deleted.
    Deleted,
}

impl Records {
    /// No records yet.
    pub(super) fn new(stream: &'static Stream, spare: &Spare) -> Self {
        Self { stream, bytes: Vec::new(), ends: Vec::new(), changed: 0, deleted: 0, spare: spare.clone() }
    }

    /// Takes them out, to go on with others.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let others = Self::new(self.stream, &self.spare);
        std::mem::replace(self, others)
    }

    /// Few do not keep a large buffer while they wait.
    #[must_use]
    pub(super) fn compact(mut self) -> Self {
        if self.bytes.len() < FEW && self.bytes.capacity() == BUFFER {
            let few = self.bytes.as_slice().into();
            self.spare.give_back(std::mem::replace(&mut self.bytes, few));
        }
        self
    }

    /// The stream they belong to.
    pub fn stream(&self) -> &'static Stream {
        self.stream
    }

    /// Adds what `write` appends as one record, unless `keep` says that it is not wanted. Gives whether it was.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>), keep: impl FnOnce(&[u8]) -> bool) -> bool {
        if self.bytes.capacity() == 0 {
            self.bytes = self.spare.take();
        }
        let start = self.bytes.len();
        write(&mut self.bytes);
        let is_kept = keep(&self.bytes[start..]);
        if is_kept {
            self.ends.push(self.bytes.len());
        } else {
            self.bytes.truncate(start);
        }
        is_kept
    }

    /// The record that was added last tells of a change.
    pub fn note(&mut self, change: Change) {
        match change {
            Change::Changed => self.changed += 1,
            Change::Deleted => self.deleted += 1,
        }
    }

    /// How many of them tell of a change, and how many of a deletion.
    pub(super) fn changes(&self) -> (u64, u64) {
        (self.changed, self.deleted)
    }

    /// The record at that place, as JSON.
    fn get(&self, at: usize) -> Option<&[u8]> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..*self.ends.get(at)?])
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether they are better handed over before more come.
    pub fn are_many(&self) -> bool {
        self.bytes.len() >= PIECE
    }

    /// Their size.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The size of their buffer.
    pub(super) fn room(&self) -> usize {
        self.bytes.capacity()
    }
}

impl<'b> Batch<'b> {
    /// All of these records, unless `stop` ends the writing.
    pub(super) fn new(records: &'b Records, stop: &'b StopSignal) -> Self {
        Self { records, left: 0..records.len(), stop, is_cut: false }
    }

    /// The stream they belong to.
    pub fn stream(&self) -> &'static Stream {
        self.records.stream
    }

    /// How many were left when it ended early, if it did.
    pub(super) fn cut(&self) -> Option<usize> {
        self.is_cut.then_some(self.left.len())
    }
}

impl<'b> Iterator for Batch<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        self.is_cut |= !self.left.is_empty() && self.stop.has_ended_writing();
        if self.is_cut { None } else { self.records.get(self.left.next()?) }
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        if self.bytes.capacity() == BUFFER {
            self.spare.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

impl Spare {
    fn take(&self) -> Vec<u8> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Vec::with_capacity(BUFFER))
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MOST_SPARE {
            spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::MESSAGES;

    #[test]
    fn records_that_are_not_kept_leave_nothing_behind() {
        let mut records = Records::new(&MESSAGES, &Spare::default());
        for (record, keep) in [("{1}", true), ("{22}", false), ("{333}", true)] {
            records.push(|out| out.extend_from_slice(record.as_bytes()), |written| written == record.as_bytes() && keep);
        }
        let stop = StopSignal::default();
        assert_eq!(Batch::new(&records, &stop).collect::<Vec<_>>(), [b"{1}".as_slice(), b"{333}"]);
        assert_eq!((records.len(), records.bytes(), records.are_many()), (2, 8, false));
    }

    #[test]
    fn a_batch_ends_when_the_writing_ends_and_says_how_many_are_left() {
        let (mut records, stop) = (Records::new(&MESSAGES, &Spare::default()), StopSignal::default());
        for record in ["{1}", "{22}", "{333}"] {
            records.push(|out| out.extend_from_slice(record.as_bytes()), |_| true);
        }
        let (mut whole, mut cut) = (Batch::new(&records, &stop), Batch::new(&records, &stop));
        assert_eq!((whole.by_ref().count(), cut.next()), (3, Some(b"{1}".as_slice())));
        stop.end_writing();
        assert_eq!((whole.next(), cut.next()), (None, None));
        assert_eq!((whole.cut(), cut.cut()), (None, Some(2)));
    }

    #[test]
    fn buffers_are_used_again_unless_they_have_grown() {
        let spare = Spare::default();
        let fill = |bytes: usize| {
            let mut records = Records::new(&MESSAGES, &spare);
            records.push(|out| out.resize(bytes, b'x'), |_| true);
            let taken = records.take().compact();
            assert!(records.is_empty() && taken.bytes() == bytes && taken.are_many() == (bytes >= PIECE));
            taken.bytes.as_ptr()
        };
        let first = fill(PIECE);
        assert_eq!(fill(FEW), first);
        assert_ne!(fill(FEW - 1), first);
        assert_eq!(fill(FEW), first);
        fill(2 * PIECE);
        assert!(spare.0.lock().unwrap().is_empty());
    }
}
