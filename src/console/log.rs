//! What is said to people on stderr: plain lines, or the structured lines that a pipeline understands.

use std::{fmt, io::Write, sync::Mutex};

use chrono::{DateTime, Local, SecondsFormat, Utc};
use serde_json::{Value, json};
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use crate::{emit::Figures, printable::one_line, secrets::Secrets};

const NAME: &str = "tap-microsoft-teams";

/// How the lines look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// `LEVEL text`
    Text,
    /// `time LEVEL text`, for whoever sits before a terminal; figures come as a table.
    Terminal,
    /// One JSON object a line.
    Json,
}

/// The way to stderr. A line that cannot be written is lost.
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
    /// Lines without these secrets, those of a lower level left out.
    pub fn new(format: Format, level: LevelFilter, secrets: Secrets, out: impl Write + Send + 'static) -> Self {
        Self { format, level, secrets, out: Mutex::new(Box::new(out)) }
    }

    /// The level below which nothing is said.
    pub fn level(&self) -> LevelFilter {
        self.level
    }

    /// A sentence.
    pub fn line(&self, level: Level, sentence: &str) {
        if level <= self.level {
            let level = if level == Level::WARN { "WARNING" } else { level.as_str() };
            self.write(level, sentence, None, None);
        }
    }

    /// Graph limits the requests of a stream until that time.
    pub fn waits(&self, stream: &str, until: DateTime<Utc>) {
        let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
        self.line(Level::INFO, &format!("{stream}: Graph limits the requests; waiting until {until}"));
    }

    /// Why the run failed: the last line.
    pub fn critical(&self, sentence: &str) {
        self.write("CRITICAL", sentence, None, None);
    }

    /// A figure about a stream.
    pub fn metric(&self, stream: &str, kind: &str, metric: &str, value: &Value) {
        self.figure(Some(stream), kind, metric, value, &json!({"stream": stream, "endpoint": stream}));
    }

    /// A figure about the requests of one kind.
    pub fn request_metric(&self, kind: &str, metric: &str, value: &Value, endpoint: &str) {
        self.figure(None, kind, metric, value, &json!({"endpoint": endpoint}));
    }

    /// What the run came to.
    pub fn figures(&self, figures: &Figures) {
        if self.format != Format::Terminal {
            self.line(Level::INFO, &format!("figures: {}", figures.json()));
        }
    }

    fn figure(&self, stream: Option<&str>, kind: &str, metric: &str, value: &Value, tags: &Value) {
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

/// A line with all the keys without which pipelines show it raw.
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
