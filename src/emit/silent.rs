//! An emitter that writes nothing: for those who look and do not read.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};

use super::{Emitter, Figures, Outcome, Records};
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
    fn started(&mut self, _: &'static Stream) -> io::Result<()> {
        Ok(())
    }

    fn records(&mut self, records: &Records) -> io::Result<()> {
        self.records[records.stream().position()].fetch_add(records.len() as u64, Ordering::Relaxed);
        self.bytes[records.stream().position()].fetch_add(records.bytes() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn state(&mut self, _: &'static Stream, _: &StreamState) -> io::Result<usize> {
        Ok(0)
    }

    fn waits(&mut self, _: &'static Stream, _: DateTime<Utc>) -> io::Result<()> {
        Ok(())
    }

    fn ended(&mut self, _: &'static Stream, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    fn figures(&mut self, _: &Figures) -> io::Result<()> {
        Ok(())
    }

    fn log(&mut self, _: tracing::Level, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn finished(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
