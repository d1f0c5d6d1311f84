//! Output of `extract`: records only, as lines of JSON.

use std::{
    io::{self, BufWriter, Write},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use tracing::Level;

use super::BUFFER_SIZE;
use crate::{
    console::Log,
    emit::{Batch, Emitter, Outcome},
    state::StreamState,
    streams::Stream,
};

/// Writes records to stdout and messages to the log.
#[derive(Debug)]
pub struct LineEmitter<W: Write> {
    out: BufWriter<W>,
    log: Arc<Log>,
}

impl<W: Write> LineEmitter<W> {
    pub fn new(out: W, log: Arc<Log>) -> Self {
        Self { out: BufWriter::with_capacity(BUFFER_SIZE, out), log }
    }
}

impl<W: Write + Send> Emitter for LineEmitter<W> {
    fn write_records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
        for record in batch {
            self.out.write_all(record)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// States are not written. Flushing here lets the reader see the records of a batch.
    fn write_state(&mut self, _: &'static Stream, _: &StreamState) -> io::Result<usize> {
        self.out.flush()?;
        Ok(0)
    }

    fn report_rate_limit(&mut self, stream: &'static Stream, until: DateTime<Utc>) -> io::Result<()> {
        self.log.waits(stream.name, until);
        Ok(())
    }

    fn report_ended(&mut self, stream: &'static Stream, outcome: &Outcome) -> io::Result<()> {
        if let Outcome::Incomplete(error) = outcome {
            self.log.critical(&format!("{}: {error}", stream.name));
        }
        Ok(())
    }

    fn log(&mut self, level: Level, message: &str) -> io::Result<()> {
        self.log.line(level, message);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
