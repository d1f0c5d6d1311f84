//! What a sync tells, in Airbyte's messages.

use std::io::{self, BufWriter, Write};

use chrono::{DateTime, Utc};
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::message::{Message, Status, now, write};
use crate::{
    emit::{Batch, Emitter, Figures, Outcome},
    error::Error,
    protocol::{BUFFER, counted::Counted},
    secrets::Secrets,
    state::StreamState,
    streams::{PerStream, Stream},
};

/// Writes the messages of `read`.
#[derive(Debug)]
pub struct AirbyteEmitter<W: Write> {
    out: BufWriter<W>,
    streams: PerStream<Progress>,
    /// Streams of the catalog that there are not.
    unknown: Vec<String>,
    level: LevelFilter,
    secrets: Secrets,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    running: bool,
    records_since_state: u64,
}

impl<W: Write> AirbyteEmitter<W> {
    /// Writes to `out`, which is buffered here. The streams that are asked for and unknown are reported at the end, as are
    /// figures unless that level is higher than information. No text for people shows these secrets.
    pub fn new(out: W, unknown: Vec<String>, level: LevelFilter, secrets: Secrets) -> Self {
        Self { out: BufWriter::with_capacity(BUFFER, out), streams: PerStream::default(), unknown, level, secrets }
    }

    fn message(&mut self, message: Message<'_>) -> io::Result<()> {
        write(&mut self.out, &self.secrets, message)?;
        self.out.flush()
    }

    /// RUNNING comes once, before the first record or state, and with each wait.
    fn running(&mut self, stream: &'static Stream) -> io::Result<()> {
        if std::mem::replace(&mut self.streams[stream].running, true) {
            return Ok(());
        }
        self.message(Message::status(stream.name, Status::Running))
    }
}

impl<W: Write + Send> Emitter for AirbyteEmitter<W> {
    fn started(&mut self, stream: &'static Stream) -> io::Result<()> {
        self.message(Message::status(stream.name, Status::Started))
    }

    fn records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
        let stream = batch.stream();
        self.running(stream)?;
        let emitted_at = now();
        for record in batch {
            write!(self.out, r#"{{"type":"RECORD","record":{{"stream":"{}","data":"#, stream.name)?;
            self.out.write_all(record)?;
            writeln!(self.out, r#","emitted_at":{emitted_at}}}}}"#)?;
            self.streams[stream].records_since_state += 1;
        }
        Ok(())
    }

    fn state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize> {
        self.running(stream)?;
        let records = std::mem::take(&mut self.streams[stream].records_since_state);
        let mut out = Counted::new(&mut self.out);
        write(&mut out, &self.secrets, Message::state(stream.name, state, records))?;
        let bytes = out.bytes;
        self.out.flush()?;
        Ok(bytes)
    }

    /// For the platform the next record ends the wait.
    fn waits(&mut self, stream: &'static Stream, until: DateTime<Utc>) -> io::Result<()> {
        self.streams[stream].running = true;
        self.message(Message::rate_limited(stream.name, until))
    }

    fn estimated(&mut self, stream: &'static Stream, records: u64) -> io::Result<()> {
        self.message(Message::estimate(stream.name, records))
    }

    fn ended(&mut self, stream: &'static Stream, outcome: &Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Complete => self.message(Message::status(stream.name, Status::Complete)),
            Outcome::Incomplete(error) => {
                self.message(Message::error_of(stream.name, error))?;
                self.message(Message::status(stream.name, Status::Incomplete))
            }
        }
    }

    fn figures(&mut self, figures: &Figures) -> io::Result<()> {
        if self.level >= Level::INFO { self.log(Level::INFO, &format!("figures: {}", figures.json())) } else { Ok(()) }
    }

    fn log(&mut self, level: Level, message: &str) -> io::Result<()> {
        self.message(Message::log(level, message))
    }

    /// A platform looks at the first error: those of unknown streams come last, lest they hide one that passes.
    fn finished(&mut self) -> io::Result<()> {
        for name in std::mem::take(&mut self.unknown) {
            let error = Error::Catalog(format!("the catalog asks for the stream {name}; there are {}", Stream::names().join(", ")));
            self.message(Message::error_of(&name, &error))?;
            self.message(Message::status(&name, Status::Incomplete))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
