//! The log on stderr: plain lines, or the structured lines that a pipeline understands.

use std::{fmt, io::Write, sync::Mutex};

use chrono::{DateTime, Local, SecondsFormat, Utc};
use serde_json::{Value, json};
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use crate::{emit::Stats, printable::one_line, secrets::Secrets};

const NAME: &str = "tap-microsoft-teams";

/// The form of the lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// `LEVEL text`
    Text,
    /// `time LEVEL text`, for a terminal; the statistics at the end are a table there.
    Terminal,
    /// One JSON object per line.
    Json,
}

/// A log. A line that cannot be written is lost.
pub struct Log {
    format: Format,
    level: LevelFilter,
    secrets: Secrets,
    out: Mutex<Box<dyn Write + Send>>,
}

impl fmt::Debug for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Log").field("format", &self.format).field("level", &self.level).finish_non_exhaustive()
    }
}

impl Log {
    /// Hides these secrets, and skips lines below the level.
    pub fn new(format: Format, level: LevelFilter, secrets: Secrets, out: impl Write + Send + 'static) -> Self {
        Self { format, level, secrets, out: Mutex::new(Box::new(out)) }
    }

    pub fn level(&self) -> LevelFilter {
        self.level
    }

    pub fn line(&self, level: Level, message: &str) {
        if level <= self.level {
            let level = if level == Level::WARN { "WARNING" } else { level.as_str() };
            self.write(level, message, None, None);
        }
    }

    /// Reports that Graph throttles a stream until that time.
    pub fn waits(&self, stream: &str, until: DateTime<Utc>) {
        let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
        self.line(Level::INFO, &format!("{stream}: throttled by Graph, waiting until {until}"));
    }

    /// Reports why the run failed. It is the last line.
    pub fn critical(&self, message: &str) {
        self.write("CRITICAL", message, None, None);
    }

    /// A metric of a stream.
    pub fn metric(&self, stream: &str, kind: &str, metric: &str, value: &Value) {
        self.write_metric(Some(stream), kind, metric, value, &json!({"stream": stream, "endpoint": stream}));
    }

    /// A metric of the requests of one kind.
    pub fn request_metric(&self, kind: &str, metric: &str, value: &Value, endpoint: &str) {
        self.write_metric(None, kind, metric, value, &json!({"endpoint": endpoint}));
    }

    /// The final statistics of the run.
    pub fn stats(&self, stats: &Stats) {
        if self.format != Format::Terminal {
            self.line(Level::INFO, &format!("figures: {}", stats.json()));
        }
    }

    fn write_metric(&self, stream: Option<&str>, kind: &str, metric: &str, value: &Value, tags: &Value) {
        if self.level >= Level::INFO && self.format != Format::Terminal {
            self.write("INFO", "METRIC", stream, Some(json!({"type": kind, "metric": metric, "value": value, "tags": tags})));
        }
    }

    fn write(&self, level: &str, message: &str, stream: Option<&str>, metric: Option<Value>) {
        let message = self.secrets.hide(message);
        let message = one_line(&message);
        let mut line = match (self.format, metric) {
            (Format::Terminal, _) => format!("{} {level} {message}", Local::now().format("%H:%M:%S")),
            (Format::Text, None) => format!("{level} {message}"),
            (Format::Text, Some(info)) => format!("{level} METRIC: {info}"),
            (Format::Json, metric) => structured(level, &message, stream, metric).to_string(),
        };
        line.push('\n');
        if let Ok(mut out) = self.out.lock() {
            let _ = out.write_all(line.as_bytes());
        }
    }
}

/// A line with all the keys that pipelines need to recognise it; otherwise they show it raw.
fn structured(level: &str, message: &str, stream: Option<&str>, metric: Option<Value>) -> Value {
    let mut line = json!({
        "level": level.to_lowercase(),
        "pid": std::process::id(),
        "logger_name": NAME,
        "ts": Utc::now().timestamp_micros() as f64 / 1e6,
        "thread_name": std::thread::current().name().unwrap_or("worker"),
        "app_name": NAME,
        "stream_name": stream,
        "message": message,
        "extra": {},
    });
    if let Some(info) = metric {
        line["metric_info"] = info;
    }
    line
}
