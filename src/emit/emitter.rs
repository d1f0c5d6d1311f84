//! The `Emitter` trait: what a sync emits, whatever the protocol.

use std::{io, sync::Arc};

use chrono::{DateTime, Utc};

use super::{figures::Figures, records::Batch};
use crate::{
    error::{Error, Fault},
    state::{Position, StreamState},
    streams::Stream,
};

/// Receives the output of a sync: writes it in one protocol, or hands it to a program. Optional methods do nothing by default.
///
/// All methods return an error if the output cannot be written.
#[warn(missing_docs)]
pub trait Emitter: Send {
    /// A stream starts.
    fn started(&mut self, _: &'static Stream) -> io::Result<()> {
        Ok(())
    }

    /// Records of a stream. The batch ends early when the run is stopped and the reader is slow. Records already taken from it must be written
    /// completely.
    fn records(&mut self, batch: &mut Batch<'_>) -> io::Result<()>;

    /// The state that covers all records of the stream so far. Returns its size in bytes.
    fn state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize>;

    /// The run was stopped: the states that cover the written records, for all streams with something new.
    fn last_states(&mut self, states: &[(&'static Stream, &StreamState)]) -> io::Result<()> {
        states.iter().try_for_each(|(stream, state)| self.state(stream, state).map(|_| ()))
    }

    /// Graph is rate-limiting the stream's requests until this time.
    fn rate_limited(&mut self, _: &'static Stream, _: DateTime<Utc>) -> io::Result<()> {
        Ok(())
    }

    /// The estimated total number of records of a stream, including those already emitted.
    fn estimated(&mut self, _: &'static Stream, _: u64) -> io::Result<()> {
        Ok(())
    }

    /// A stream has ended. Nothing more is emitted for it.
    fn ended(&mut self, _: &'static Stream, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    /// The figures of the whole run, at its end.
    fn figures(&mut self, _: &Figures) -> io::Result<()> {
        Ok(())
    }

    /// A log message for users.
    fn log(&mut self, _: tracing::Level, _: &str) -> io::Result<()> {
        Ok(())
    }

    /// The run has ended. No other method but `flush` is called after this one.
    fn finished(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Everything emitted so far must reach the reader.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a stream ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    Complete,
    /// Something is missing.
    Incomplete(Arc<Error>),
}

impl Outcome {
    /// Who has to act if something is missing.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Complete => None,
            Self::Incomplete(error) => Some(error.fault()),
        }
    }
}

/// The new position of a partition. It covers all records of the partition that were handed over before.
#[derive(Debug)]
pub struct PositionUpdate {
    pub stream: &'static Stream,
    /// The partition's key in the state.
    pub key: String,
    /// [`None`] if the partition no longer exists. This also removes everything below it, such as the channels of a team.
    pub position: Option<Position>,
    /// The number of pages read since the previous update.
    pub pages: u64,
    /// Whether this is a good time to write a state.
    pub offered: bool,
}
