//! Batches of records in one buffer, and the pool that reuses the buffers.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use super::StopSignal;
use crate::streams::Stream;

/// A batch of this size is passed to the writer, so that buffers stay small.
const BATCH_BYTES: usize = 256 * 1024;

/// The capacity of a pooled buffer, which fits a full batch including its last record.
const BUFFER_BYTES: usize = BATCH_BYTES + BATCH_BYTES / 4;

/// A smaller batch does not keep a pooled buffer while it waits in the queue.
const SMALL_BATCH_BYTES: usize = BUFFER_BYTES / 4;

const MAX_POOLED_BUFFERS: usize = 16;

/// A pool of reusable buffers. Large buffers are needed so often that allocating each one would fragment the memory.
#[derive(Clone, Debug, Default)]
pub(super) struct BufferPool(Arc<Mutex<Vec<Vec<u8>>>>);

/// Records of one stream: consecutive JSON objects.
#[derive(Debug)]
pub struct Records {
    stream: &'static Stream,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    changed: u64,
    deleted: u64,
    pool: BufferPool,
}

/// Iterates over the records to write. Ends early if the run is stopped and the reader is slow.
#[derive(Debug)]
pub struct Batch<'b> {
    records: &'b Records,
    remaining: Range<usize>,
    stop: &'b StopSignal,
    is_stopped: bool,
}

/// How a message differs from the original post.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// The message was edited or reacted to.
    Changed,
    Deleted,
}

impl Records {
    pub(super) fn new(stream: &'static Stream, pool: &BufferPool) -> Self {
        Self { stream, bytes: Vec::new(), ends: Vec::new(), changed: 0, deleted: 0, pool: pool.clone() }
    }

    /// Takes all records and leaves an empty batch.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let empty = Self::new(self.stream, &self.pool);
        std::mem::replace(self, empty)
    }

    /// Moves a small batch into a buffer of its own size and returns the pooled buffer.
    #[must_use]
    pub(super) fn compact(mut self) -> Self {
        if self.bytes.len() < SMALL_BATCH_BYTES && self.bytes.capacity() == BUFFER_BYTES {
            let small = self.bytes.as_slice().into();
            self.pool.put(std::mem::replace(&mut self.bytes, small));
        }
        self
    }

    pub fn stream(&self) -> &'static Stream {
        self.stream
    }

    /// Adds the bytes that `write` appends as one record, if `keep` accepts them. Returns whether the record was added.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>), keep: impl FnOnce(&[u8]) -> bool) -> bool {
        if self.bytes.capacity() == 0 {
            self.bytes = self.pool.take();
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

    /// Counts the change that the last record shows.
    pub fn count_change(&mut self, change: Change) {
        match change {
            Change::Changed => self.changed += 1,
            Change::Deleted => self.deleted += 1,
        }
    }

    /// The numbers of changed and deleted messages.
    pub(super) fn changes(&self) -> (u64, u64) {
        (self.changed, self.deleted)
    }

    /// The JSON of the record at this index.
    fn get(&self, at: usize) -> Option<&[u8]> {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..*self.ends.get(at)?])
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether the batch should be passed to the writer before more records are added.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES
    }

    /// The size of the records.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The size of the buffer.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

impl<'b> Batch<'b> {
    pub(super) fn new(records: &'b Records, stop: &'b StopSignal) -> Self {
        Self { records, remaining: 0..records.len(), stop, is_stopped: false }
    }

    pub fn stream(&self) -> &'static Stream {
        self.records.stream
    }

    /// The number of records that were dropped, if the batch ended early.
    pub(super) fn dropped(&self) -> Option<usize> {
        self.is_stopped.then_some(self.remaining.len())
    }
}

impl<'b> Iterator for Batch<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        self.is_stopped |= !self.remaining.is_empty() && self.stop.has_stopped_writing();
        if self.is_stopped { None } else { self.records.get(self.remaining.next()?) }
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        if self.bytes.capacity() == BUFFER_BYTES {
            self.pool.put(std::mem::take(&mut self.bytes));
        }
    }
}

impl BufferPool {
    fn take(&self) -> Vec<u8> {
        let buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        buffer.unwrap_or_else(|| Vec::with_capacity(BUFFER_BYTES))
    }

    fn put(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < MAX_POOLED_BUFFERS {
            buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::MESSAGES;

    #[test]
    fn rejected_records_are_removed() {
        let mut records = Records::new(&MESSAGES, &BufferPool::default());
        for (record, keep) in [("{1}", true), ("{22}", false), ("{333}", true)] {
            records.push(|out| out.extend_from_slice(record.as_bytes()), |written| written == record.as_bytes() && keep);
        }
        let stop = StopSignal::default();
        assert_eq!(Batch::new(&records, &stop).collect::<Vec<_>>(), [b"{1}".as_slice(), b"{333}"]);
        assert_eq!((records.len(), records.bytes(), records.is_full()), (2, 8, false));
    }

    #[test]
    fn a_batch_ends_when_writing_stops_and_counts_the_dropped_records() {
        let (mut records, stop) = (Records::new(&MESSAGES, &BufferPool::default()), StopSignal::default());
        for record in ["{1}", "{22}", "{333}"] {
            records.push(|out| out.extend_from_slice(record.as_bytes()), |_| true);
        }
        let (mut whole, mut cut) = (Batch::new(&records, &stop), Batch::new(&records, &stop));
        assert_eq!((whole.by_ref().count(), cut.next()), (3, Some(b"{1}".as_slice())));
        stop.stop_writing();
        assert_eq!((whole.next(), cut.next()), (None, None));
        assert_eq!((whole.dropped(), cut.dropped()), (None, Some(2)));
    }

    #[test]
    fn buffers_are_reused_unless_they_have_grown() {
        let pool = BufferPool::default();
        let fill = |bytes: usize| {
            let mut records = Records::new(&MESSAGES, &pool);
            records.push(|out| out.resize(bytes, b'x'), |_| true);
            let taken = records.take().compact();
            assert!(records.is_empty() && taken.bytes() == bytes && taken.is_full() == (bytes >= BATCH_BYTES));
            taken.bytes.as_ptr()
        };
        let first = fill(BATCH_BYTES);
        assert_eq!(fill(SMALL_BATCH_BYTES), first);
        assert_ne!(fill(SMALL_BATCH_BYTES - 1), first);
        assert_eq!(fill(SMALL_BATCH_BYTES), first);
        fill(2 * BATCH_BYTES);
        assert!(pool.0.lock().unwrap().is_empty());
    }
}
