//! An emitter that writes nothing: for those who look and do not read.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Batch, Emitter};
use crate::{
    state::StreamState,
    streams::{STREAMS, Stream},
};

/// Writes nothing, and keeps count of the records of each stream and of the bytes that they would have had.
#[derive(Clone, Debug, Default)]
pub struct Silent {
    records: Arc<[AtomicU64; STREAMS.len()]>,
    bytes: Arc<[AtomicU64; STREAMS.len()]>,
}

impl Silent {
    /// Records of a stream so far.
    pub fn count(&self, stream: &Stream) -> u64 {
        self.records[stream.position()].load(Ordering::Relaxed)
    }

    /// Bytes of a stream's records so far.
    pub fn bytes(&self, stream: &Stream) -> u64 {
        self.bytes[stream.position()].load(Ordering::Relaxed)
    }
}

impl Emitter for Silent {
    fn records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
        let at = batch.stream().position();
        for record in batch {
            self.records[at].fetch_add(1, Ordering::Relaxed);
            self.bytes[at].fetch_add(record.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    fn state(&mut self, _: &'static Stream, _: &StreamState) -> io::Result<usize> {
        Ok(0)
    }
}
