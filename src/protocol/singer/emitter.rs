//! What a sync tells, in Singer's messages.

use std::{
    io::{self, BufWriter, Write},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::json;

use super::{Bookmarks, catalog::selected_schema};
use crate::{
    console::Log,
    emit::{Batch, Emitter, Figures, Outcome, StopSignal},
    error::Error,
    protocol::{BUFFER, counted::Counted},
    state::StreamState,
    streams::{PerStream, Selected, Stream},
};

/// How often a figure of a stream is told while it is read.
const METRIC_EVERY: Duration = Duration::from_secs(60);

/// Writes the messages of a sync.
#[derive(Debug)]
pub struct SingerEmitter<W: Write> {
    out: BufWriter<W>,
    log: Arc<Log>,
    /// The SCHEMA lines of the selected streams.
    schemas: PerStream<Option<String>>,
    bookmarks: Bookmarks,
    last_line_is_state: bool,
    progress: PerStream<Progress>,
    first_failure: Option<Arc<Error>>,
    /// With `--test`: one record a stream, then the run is told to stop.
    sample: Option<Sample>,
}

#[derive(Debug)]
struct Progress {
    records_since_metric: usize,
    last_metric: Instant,
    started: Instant,
    sampled: bool,
}

#[derive(Debug)]
struct Sample {
    enough: StopSignal,
    missing: usize,
}

impl<W: Write> SingerEmitter<W> {
    /// Writes to `out`, which is buffered here, and begins with the bookmarks of the run before.
    pub fn new(out: W, log: Arc<Log>, selected: &[Selected], bookmarks: Bookmarks) -> Self {
        let schemas = selected.iter().map(|selected| (selected.stream, schema(selected))).collect();
        let now = Instant::now();
        let progress = PerStream::from_fn(|_| Progress { records_since_metric: 0, last_metric: now, started: now, sampled: false });
        let out = BufWriter::with_capacity(BUFFER, out);
        Self { out, log, schemas, bookmarks, last_line_is_state: false, progress, first_failure: None, sample: None }
    }

    /// One record a stream, and `enough` when every stream had its own.
    #[must_use]
    pub fn sampling(mut self, enough: StopSignal) -> Self {
        let missing = self.schemas.values().flatten().count();
        self.sample = Some(Sample { enough, missing });
        self
    }

    /// Writes the schemas and nothing else: `--test=schema`.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn schemas(&mut self) -> io::Result<()> {
        for schema in std::mem::take(&mut self.schemas).into_iter().flatten() {
            self.line(&schema)?;
        }
        self.out.flush()
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.last_line_is_state = false;
        self.out.write_all(line.as_bytes())?;
        self.out.write_all(b"\n")
    }

    /// The state of all streams: what a target gives back. Gives its bytes.
    fn write_state(&mut self) -> io::Result<usize> {
        let mut out = Counted::new(&mut self.out);
        serde_json::to_writer(&mut out, &StateLine { kind: "STATE", value: Value { bookmarks: &self.bookmarks } })?;
        out.write_all(b"\n")?;
        let bytes = out.bytes;
        self.last_line_is_state = true;
        self.out.flush()?;
        Ok(bytes)
    }

    fn metric(&mut self, stream: &'static Stream) {
        let progress = &mut self.progress[stream];
        let count = std::mem::take(&mut progress.records_since_metric);
        progress.last_metric = Instant::now();
        self.log.metric(stream.name, "counter", "record_count", &count.into());
    }
}

#[derive(Serialize)]
struct StateLine<'b> {
    #[serde(rename = "type")]
    kind: &'static str,
    value: Value<'b>,
}

#[derive(Serialize)]
struct Value<'b> {
    bookmarks: &'b Bookmarks,
}

/// The SCHEMA line of a stream.
fn schema(selected: &Selected) -> String {
    let stream = selected.stream;
    let mut line =
        json!({"type": "SCHEMA", "stream": stream.name, "schema": selected_schema(selected), "key_properties": stream.primary_key});
    if let Some(cursor) = stream.cursor {
        line["bookmark_properties"] = json!([cursor]);
    }
    line.to_string()
}

impl<W: Write + Send> Emitter for SingerEmitter<W> {
    /// The schema of the stream; behind the last one, the state that the run begins with: targets take it as what they have.
    fn started(&mut self, stream: &'static Stream) -> io::Result<()> {
        self.progress[stream].started = Instant::now();
        if let Some(schema) = self.schemas[stream].take() {
            self.line(&schema)?;
        }
        if self.schemas.values().all(Option::is_none) { self.write_state().map(|_| ()) } else { Ok(()) }
    }

    fn records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
        let stream = batch.stream();
        let mut wanted = usize::MAX;
        if let Some(sample) = &mut self.sample {
            let sampled = std::mem::replace(&mut self.progress[stream].sampled, true);
            wanted = usize::from(!sampled);
            sample.missing -= wanted;
            if sample.missing == 0 {
                sample.enough.end_asking();
            }
        }
        let extracted = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut count = 0;
        for record in batch.take(wanted) {
            self.last_line_is_state = false;
            write!(self.out, r#"{{"type":"RECORD","stream":"{}","record":"#, stream.name)?;
            self.out.write_all(record)?;
            writeln!(self.out, r#","time_extracted":"{extracted}"}}"#)?;
            count += 1;
        }
        let progress = &mut self.progress[stream];
        progress.records_since_metric += count;
        if progress.last_metric.elapsed() >= METRIC_EVERY {
            self.metric(stream);
        }
        Ok(())
    }

    fn state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize> {
        self.bookmarks.set(stream, state.clone());
        self.write_state()
    }

    fn last_states(&mut self, states: &[(&'static Stream, &StreamState)]) -> io::Result<()> {
        for (stream, state) in states {
            self.bookmarks.set(stream, (*state).clone());
        }
        if states.is_empty() { Ok(()) } else { self.write_state().map(|_| ()) }
    }

    fn waits(&mut self, stream: &'static Stream, until: DateTime<Utc>) -> io::Result<()> {
        self.log.waits(stream.name, until);
        Ok(())
    }

    fn ended(&mut self, stream: &'static Stream, outcome: &Outcome) -> io::Result<()> {
        self.metric(stream);
        let seconds = self.progress[stream].started.elapsed().as_secs_f64();
        self.log.metric(stream.name, "timer", "sync_duration", &seconds.into());
        if let Outcome::Incomplete(error) = outcome {
            self.log.line(tracing::Level::ERROR, &format!("{}: {error}", stream.name));
            self.first_failure.get_or_insert_with(|| error.clone());
        }
        Ok(())
    }

    fn figures(&mut self, figures: &Figures) -> io::Result<()> {
        for counts in &figures.requests.classes {
            let endpoint = counts.class.name;
            self.log.request_metric("counter", "http_request_count", &counts.sent.into(), endpoint);
            if counts.throttled > 0 {
                self.log.request_metric("counter", "http_request_throttled_count", &counts.throttled.into(), endpoint);
            }
            // One request on average: a line for each would be most of the log.
            self.log.request_metric("timer", "http_request_duration", &counts.mean().as_secs_f64().into(), endpoint);
        }
        self.log.figures(figures);
        Ok(())
    }

    fn log(&mut self, level: tracing::Level, message: &str) -> io::Result<()> {
        self.log.line(level, message);
        Ok(())
    }

    /// The last line is a state, whatever happened: some targets forget a state behind which a record came.
    fn finished(&mut self) -> io::Result<()> {
        if !self.last_line_is_state {
            self.write_state()?;
        }
        if let Some(error) = self.first_failure.take() {
            self.log.critical(&error.to_string());
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
