//! The `Emitter` trait, which defines the output of a sync independently of the protocol.

use std::{io, sync::Arc};

use chrono::{DateTime, Utc};

use super::{records::Batch, stats::Stats};
use crate::{
    error::{Error, Fault},
    state::{Position, StreamState},
    streams::Stream,
};

/// Receives the output of a sync, and writes it in one protocol or passes it to a program. Optional methods do nothing by default.
///
/// All methods return an error if the output cannot be written.
#[warn(missing_docs)]
pub trait Emitter: Send {
    /// Reports that a stream has started.
    fn report_started(&mut self, _: &'static Stream) -> io::Result<()> {
        Ok(())
    }

    /// Writes records of a stream. The batch ends early if the run is stopped and the reader is slow. Records already taken from it must be
    /// written completely.
    fn write_records(&mut self, batch: &mut Batch<'_>) -> io::Result<()>;

    /// Writes the state that covers all records of the stream so far. Returns the size of the state in bytes.
    fn write_state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize>;

    /// After the run was stopped, writes the states that cover the written records, for all streams with anything new.
    fn write_last_states(&mut self, states: &[(&'static Stream, &StreamState)]) -> io::Result<()> {
        states.iter().try_for_each(|(stream, state)| self.write_state(stream, state).map(|_| ()))
    }

    /// Reports that Graph is rate-limiting the stream's requests until this time.
    fn report_rate_limit(&mut self, _: &'static Stream, _: DateTime<Utc>) -> io::Result<()> {
        Ok(())
    }

    /// Reports the estimated total number of records of a stream, including the ones already emitted.
    fn report_estimate(&mut self, _: &'static Stream, _: u64) -> io::Result<()> {
        Ok(())
    }

    /// Reports that a stream has ended. Nothing more is emitted for it.
    fn report_ended(&mut self, _: &'static Stream, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    /// Writes the statistics of the whole run, at its end.
    fn write_stats(&mut self, _: &Stats) -> io::Result<()> {
        Ok(())
    }

    /// Writes a log message for users.
    fn log(&mut self, _: tracing::Level, _: &str) -> io::Result<()> {
        Ok(())
    }

    /// Reports that the run has ended. After this method, only `flush` is called.
    fn finish(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Sends everything emitted so far to the reader.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a stream ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    Complete,
    /// Some records are missing.
    Incomplete(Arc<Error>),
}

impl Outcome {
    /// Who can fix the error, if the stream is incomplete.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Complete => None,
            Self::Incomplete(error) => Some(error.fault()),
        }
    }
}

/// The new position of a partition, which covers all of its records that were passed to the output before.
#[derive(Debug)]
pub struct PositionUpdate {
    pub stream: &'static Stream,
    /// The partition's key in the state.
    pub key: String,
    /// [`None`] if the partition no longer exists. This also removes everything below it, such as a team's channels.
    pub position: Option<Position>,
    /// The number of pages read since the previous update.
    pub pages: u64,
    /// Whether this is a good time to write a state.
    pub offered: bool,
}
