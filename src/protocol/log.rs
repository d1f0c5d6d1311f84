//! What is said to people on stderr: plain lines, or the structured lines that Meltano understands.

use std::{
    io::{self, Write},
    sync::Mutex,
};

use chrono::Utc;
use serde_json::{Value, json};
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

const NAME: &str = "tap-microsoft-teams";

/// How the lines look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// `LEVEL text`
    Text,
    /// One JSON object a line.
    Json,
}

/// The way to stderr. A line that cannot be written is lost.
#[derive(Debug)]
pub struct Log<W = io::Stderr> {
    format: Format,
    level: LevelFilter,
    out: Mutex<W>,
}

impl Log {
    /// Lines on stderr, those of a lower level left out.
    pub fn new(format: Format, level: LevelFilter) -> Self {
        Self { format, level, out: Mutex::new(io::stderr()) }
    }
}

impl<W: Write> Log<W> {
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

    /// Why the run failed: the last line.
    pub fn critical(&self, sentence: &str) {
        self.write("CRITICAL", sentence, None, None);
    }

    /// A figure about a stream.
    pub fn metric(&self, stream: &str, kind: &str, metric: &str, value: &Value) {
        if self.level < Level::INFO {
            return;
        }
        let info = json!({"type": kind, "metric": metric, "value": value, "tags": {"stream": stream, "endpoint": stream}});
        self.write("INFO", "METRIC", Some(stream), Some(info));
    }

    fn write(&self, level: &str, message: &str, stream: Option<&str>, metric: Option<Value>) {
        // Line by line, whatever the text, and nothing that a terminal would obey.
        let message = message.replace(char::is_control, " ");
        let line = match (self.format, metric) {
            (Format::Text, None) => format!("{level} {message}"),
            (Format::Text, Some(info)) => format!("{level} METRIC: {info}"),
            (Format::Json, metric) => structured(level, &message, stream, metric).to_string(),
        };
        if let Ok(mut out) = self.out.lock() {
            let _ = writeln!(out, "{line}");
        }
    }
}

/// A line with all the keys without which Meltano shows it raw.
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
