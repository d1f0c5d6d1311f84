//! What an emitter takes: records and states of streams, how they ended, and words for people.

use std::{io, sync::Arc};

use chrono::{DateTime, Utc};

use super::{figures::Figures, records::Batch};
use crate::{
    error::{Error, Fault},
    state::{Position, StreamState},
    streams::Stream,
};

/// Takes what a sync tells: writes it in the words of one protocol, or hands it to a program. Where nothing is done, nothing is said.
#[warn(missing_docs)]
pub trait Emitter: Send {
    /// A stream begins.
    ///
    /// # Errors
    /// As all of these: if the output cannot be written.
    fn started(&mut self, _: &'static Stream) -> io::Result<()> {
        Ok(())
    }

    /// Records of a stream. The batch ends early when the run is stopped and its reader is slow: what was taken from it is written whole.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn records(&mut self, batch: &mut Batch<'_>) -> io::Result<()>;

    /// The state that covers all records of the stream so far. Gives how many bytes it took.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize>;

    /// The run is stopped: the states that cover what was written, of all streams that have something to say.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn last_states(&mut self, states: &[(&'static Stream, &StreamState)]) -> io::Result<()> {
        states.iter().try_for_each(|(stream, state)| self.state(stream, state).map(|_| ()))
    }

    /// A stream waits: Graph limits its requests until that time.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn waits(&mut self, _: &'static Stream, _: DateTime<Utc>) -> io::Result<()> {
        Ok(())
    }

    /// A stream will have about so many records, those that came before included.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn estimated(&mut self, _: &'static Stream, _: u64) -> io::Result<()> {
        Ok(())
    }

    /// A stream is done; nothing more comes of it.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn ended(&mut self, _: &'static Stream, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    /// What the run came to, in figures.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn figures(&mut self, _: &Figures) -> io::Result<()> {
        Ok(())
    }

    /// Something to be said to people.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn log(&mut self, _: tracing::Level, _: &str) -> io::Result<()> {
        Ok(())
    }

    /// Nothing more will be said.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn finished(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Everything said so far must reach the reader.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a stream ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All that there is was told.
    Complete,
    /// Something is missing.
    Incomplete(Arc<Error>),
}

impl Outcome {
    /// Whose fault it is that something is missing.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Complete => None,
            Self::Incomplete(error) => Some(error.fault()),
        }
    }
}

/// Where a partition of a stream stands, all records included that were handed over before.
#[derive(Debug)]
pub struct Report {
    /// The stream.
    pub stream: &'static Stream,
    /// The partition's key in the state.
    pub key: String,
    /// Where it stands; [`None`]: it is gone, with all below it, such as the channels of a team.
    pub position: Option<Position>,
    /// So many pages were read since the report before.
    pub pages: u64,
    /// Whether this is a good moment to write a state.
    pub offered: bool,
}
