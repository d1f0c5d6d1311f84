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
    streams::{PerStream, Stream},
};

/// Writes nothing, and keeps count of the records of each stream and of the bytes that they would have had.
#[derive(Clone, Debug, Default)]
pub struct Silent {
    records: Arc<PerStream<AtomicU64>>,
    bytes: Arc<PerStream<AtomicU64>>,
}

impl Silent {
    /// Records of a stream so far.
    pub fn count(&self, stream: &Stream) -> u64 {
        self.records[stream].load(Ordering::Relaxed)
    }

    /// Bytes of a stream's records so far.
    pub fn bytes(&self, stream: &Stream) -> u64 {
        self.bytes[stream].load(Ordering::Relaxed)
    }
}

impl Emitter for Silent {
    fn records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
        let stream = batch.stream();
        for record in batch {
            self.records[stream].fetch_add(1, Ordering::Relaxed);
            self.bytes[stream].fetch_add(record.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    fn state(&mut self, _: &'static Stream, _: &StreamState) -> io::Result<usize> {
        Ok(0)
    }
}
