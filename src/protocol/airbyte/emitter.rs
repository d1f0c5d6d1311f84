//! The Airbyte emitter: writes the output of a sync as Airbyte messages.

use std::io::{self, BufWriter, Write};

use chrono::{DateTime, Utc};
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::message::{Message, Status, now, write};
use crate::{
    emit::{Batch, Emitter, Outcome, Stats},
    error::Error,
    protocol::{BUFFER_SIZE, counted::Counted},
    secrets::Secrets,
    state::StreamState,
    streams::{PerStream, Stream},
};

#[derive(Debug)]
pub struct AirbyteEmitter<W: Write> {
    out: BufWriter<W>,
    streams: PerStream<StreamProgress>,
    /// Names in the catalog that are not streams of this source.
    unknown: Vec<String>,
    level: LevelFilter,
    secrets: Secrets,
}

#[derive(Clone, Copy, Debug, Default)]
struct StreamProgress {
    is_running: bool,
    records_since_state: u64,
}

impl<W: Write> AirbyteEmitter<W> {
    /// Unknown streams are reported at the end. `secrets` are hidden in all messages.
    pub fn new(out: W, unknown: Vec<String>, level: LevelFilter, secrets: Secrets) -> Self {
        Self { out: BufWriter::with_capacity(BUFFER_SIZE, out), streams: PerStream::default(), unknown, level, secrets }
    }

    fn message(&mut self, message: Message<'_>) -> io::Result<()> {
        write(&mut self.out, &self.secrets, message)?;
        self.out.flush()
    }

    /// Writes RUNNING before the first record or state.
    fn write_running(&mut self, stream: &'static Stream) -> io::Result<()> {
        if std::mem::replace(&mut self.streams[stream].is_running, true) {
            return Ok(());
        }
        self.message(Message::status(stream.name, Status::Running))
    }
}

impl<W: Write + Send> Emitter for AirbyteEmitter<W> {
    fn report_started(&mut self, stream: &'static Stream) -> io::Result<()> {
        self.message(Message::status(stream.name, Status::Started))
    }

    fn write_records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
        let stream = batch.stream();
        self.write_running(stream)?;
        let emitted_at = now();
        for record in batch {
            write!(self.out, r#"{{"type":"RECORD","record":{{"stream":"{}","data":"#, stream.name)?;
            self.out.write_all(record)?;
            writeln!(self.out, r#","emitted_at":{emitted_at}}}}}"#)?;
            self.streams[stream].records_since_state += 1;
        }
        Ok(())
    }

    fn write_state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize> {
        self.write_running(stream)?;
        let records = std::mem::take(&mut self.streams[stream].records_since_state);
        let mut out = Counted::new(&mut self.out);
        write(&mut out, &self.secrets, Message::state(stream.name, state, records))?;
        let bytes = out.bytes;
        self.out.flush()?;
        Ok(bytes)
    }

    /// For the platform, the next record ends the wait.
    fn report_rate_limit(&mut self, stream: &'static Stream, until: DateTime<Utc>) -> io::Result<()> {
        self.streams[stream].is_running = true;
        self.message(Message::rate_limited(stream.name, until))
    }

    fn report_estimate(&mut self, stream: &'static Stream, records: u64) -> io::Result<()> {
        self.message(Message::estimate(stream.name, records))
    }

    fn report_ended(&mut self, stream: &'static Stream, outcome: &Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Complete => self.message(Message::status(stream.name, Status::Complete)),
            Outcome::Incomplete(error) => {
                self.message(Message::error_of(stream.name, error))?;
                self.message(Message::status(stream.name, Status::Incomplete))
            }
        }
    }

    fn write_stats(&mut self, stats: &Stats) -> io::Result<()> {
        if self.level >= Level::INFO { self.log(Level::INFO, &format!("figures: {}", stats.json())) } else { Ok(()) }
    }

    fn log(&mut self, level: Level, message: &str) -> io::Result<()> {
        self.message(Message::log(level, message))
    }

    /// Errors about unknown streams come last: a platform looks at the first error only, and it may be a transient one.
    fn finish(&mut self) -> io::Result<()> {
        for name in std::mem::take(&mut self.unknown) {
            let error = Error::Catalog(format!("unknown stream {name} in the catalog; known streams: {}", Stream::names().join(", ")));
            self.message(Message::error_of(&name, &error))?;
            self.message(Message::status(&name, Status::Incomplete))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
