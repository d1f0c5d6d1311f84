//! The Singer emitter: writes the output of a sync as Singer messages.

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
    emit::{Batch, Emitter, Outcome, Stats, StopSignal},
    error::Error,
    protocol::{BUFFER_SIZE, counted::Counted},
    state::StreamState,
    streams::{PerStream, Selected, Stream},
};

/// Interval between record counts of a stream.
const METRIC_INTERVAL: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct SingerEmitter<W: Write> {
    out: BufWriter<W>,
    log: Arc<Log>,
    /// The SCHEMA messages that are not yet written.
    schemas: PerStream<Option<String>>,
    bookmarks: Bookmarks,
    last_line_is_state: bool,
    metrics: PerStream<Metrics>,
    first_failure: Option<Arc<Error>>,
    /// Set with `--test`.
    sampling: Option<Sampling>,
}

#[derive(Debug)]
struct Metrics {
    records_since_metric: usize,
    last_metric: Instant,
    started: Instant,
    is_sampled: bool,
}

/// Writes one record per stream and then stops the run.
#[derive(Debug)]
struct Sampling {
    stop: StopSignal,
    streams_left: usize,
}

impl<W: Write> SingerEmitter<W> {
    /// `bookmarks` are those of the previous run.
    pub fn new(out: W, log: Arc<Log>, selected: &[Selected], bookmarks: Bookmarks) -> Self {
        let schemas = selected.iter().map(|selected| (selected.stream, schema_message(selected))).collect();
        let now = Instant::now();
        let metrics = PerStream::from_fn(|_| Metrics { records_since_metric: 0, last_metric: now, started: now, is_sampled: false });
        let out = BufWriter::with_capacity(BUFFER_SIZE, out);
        Self { out, log, schemas, bookmarks, last_line_is_state: false, metrics, first_failure: None, sampling: None }
    }

    /// Writes one record per stream. `stop` is set when every stream has one.
    #[must_use]
    pub fn sampling(mut self, stop: StopSignal) -> Self {
        let streams_left = self.schemas.values().flatten().count();
        self.sampling = Some(Sampling { stop, streams_left });
        self
    }

    /// Writes only the schemas.
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

    /// Writes the state of all streams and returns its size in bytes.
    fn write_state_message(&mut self) -> io::Result<usize> {
        let mut out = Counted::new(&mut self.out);
        serde_json::to_writer(&mut out, &StateLine { kind: "STATE", value: Value { bookmarks: &self.bookmarks } })?;
        out.write_all(b"\n")?;
        let bytes = out.bytes;
        self.last_line_is_state = true;
        self.out.flush()?;
        Ok(bytes)
    }

    fn metric(&mut self, stream: &'static Stream) {
        let metrics = &mut self.metrics[stream];
        let count = std::mem::take(&mut metrics.records_since_metric);
        metrics.last_metric = Instant::now();
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

fn schema_message(selected: &Selected) -> String {
    let stream = selected.stream;
    let mut line =
        json!({"type": "SCHEMA", "stream": stream.name, "schema": selected_schema(selected), "key_properties": stream.primary_key});
    if let Some(cursor) = stream.cursor {
        line["bookmark_properties"] = json!([cursor]);
    }
    line.to_string()
}

impl<W: Write + Send> Emitter for SingerEmitter<W> {
    /// Writes the schema of the stream, and after the last schema the initial state, which targets use as their current state.
    fn report_started(&mut self, stream: &'static Stream) -> io::Result<()> {
        self.metrics[stream].started = Instant::now();
        if let Some(schema) = self.schemas[stream].take() {
            self.line(&schema)?;
        }
        if self.schemas.values().all(Option::is_none) { self.write_state_message().map(|_| ()) } else { Ok(()) }
    }

    fn write_records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
        let stream = batch.stream();
        let mut max_records = usize::MAX;
        if let Some(sampling) = &mut self.sampling {
            let is_sampled = std::mem::replace(&mut self.metrics[stream].is_sampled, true);
            max_records = usize::from(!is_sampled);
            sampling.streams_left -= max_records;
            if sampling.streams_left == 0 {
                sampling.stop.stop_requests();
            }
        }
        let extracted = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut count = 0;
        for record in batch.take(max_records) {
            self.last_line_is_state = false;
            write!(self.out, r#"{{"type":"RECORD","stream":"{}","record":"#, stream.name)?;
            self.out.write_all(record)?;
            writeln!(self.out, r#","time_extracted":"{extracted}"}}"#)?;
            count += 1;
        }
        let metrics = &mut self.metrics[stream];
        metrics.records_since_metric += count;
        if metrics.last_metric.elapsed() >= METRIC_INTERVAL {
            self.metric(stream);
        }
        Ok(())
    }

    fn write_state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize> {
        self.bookmarks.set(stream, state.clone());
        self.write_state_message()
    }

    fn write_last_states(&mut self, states: &[(&'static Stream, &StreamState)]) -> io::Result<()> {
        for (stream, state) in states {
            self.bookmarks.set(stream, (*state).clone());
        }
        if states.is_empty() { Ok(()) } else { self.write_state_message().map(|_| ()) }
    }

    fn report_rate_limit(&mut self, stream: &'static Stream, until: DateTime<Utc>) -> io::Result<()> {
        self.log.waits(stream.name, until);
        Ok(())
    }

    fn report_ended(&mut self, stream: &'static Stream, outcome: &Outcome) -> io::Result<()> {
        self.metric(stream);
        let seconds = self.metrics[stream].started.elapsed().as_secs_f64();
        self.log.metric(stream.name, "timer", "sync_duration", &seconds.into());
        if let Outcome::Incomplete(error) = outcome {
            self.log.line(tracing::Level::ERROR, &format!("{}: {error}", stream.name));
            self.first_failure.get_or_insert_with(|| error.clone());
        }
        Ok(())
    }

    fn write_stats(&mut self, stats: &Stats) -> io::Result<()> {
        for counts in &stats.requests.classes {
            let endpoint = counts.class.name;
            self.log.request_metric("counter", "http_request_count", &counts.sent.into(), endpoint);
            if counts.throttled > 0 {
                self.log.request_metric("counter", "http_request_throttled_count", &counts.throttled.into(), endpoint);
            }
            // The mean, because a line per request would dominate the log.
            self.log.request_metric("timer", "http_request_duration", &counts.mean_latency().as_secs_f64().into(), endpoint);
        }
        self.log.stats(stats);
        Ok(())
    }

    fn log(&mut self, level: tracing::Level, message: &str) -> io::Result<()> {
        self.log.line(level, message);
        Ok(())
    }

    /// The last message is always a state, because some targets drop a state that is followed by a record.
    fn finish(&mut self) -> io::Result<()> {
        if !self.last_line_is_state {
            self.write_state_message()?;
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
