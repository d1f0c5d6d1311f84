//! The messages of the protocol, one JSON object a line. Records are written by the emitter, byte by byte.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::{Error, Fault},
    secrets::Secrets,
    shown::one_line,
    state::StreamState,
};

/// A message, without its line end.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Message<'a> {
    /// What the connector takes as configuration.
    Spec {
        /// The specification.
        spec: Value,
    },
    /// Whether the configuration works.
    ConnectionStatus {
        /// The verdict.
        #[serde(rename = "connectionStatus")]
        connection_status: ConnectionStatus,
    },
    /// Which streams there are.
    Catalog {
        /// The streams.
        catalog: Value,
    },
    /// Where a stream can go on.
    State {
        /// The state.
        state: State<'a>,
    },
    /// Something for people.
    Log {
        /// The text.
        log: Log,
    },
    /// What happens with a stream, or with the run.
    Trace {
        /// The event.
        trace: Trace,
    },
}

/// The verdict of `check`.
#[derive(Debug, Serialize)]
pub struct ConnectionStatus {
    status: &'static str,
    message: String,
}

/// The state of one stream.
#[derive(Debug, Serialize)]
pub struct State<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    stream: StreamOfState<'a>,
    #[serde(rename = "sourceStats")]
    source_stats: Stats,
}

#[derive(Debug, Serialize)]
struct StreamOfState<'a> {
    stream_descriptor: Descriptor,
    stream_state: &'a StreamState,
}

#[derive(Debug, Serialize)]
struct Stats {
    /// Records since the state before; the protocol wants a number with a point.
    #[serde(rename = "recordCount")]
    record_count: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Descriptor {
    name: String,
}

/// A text for people.
#[derive(Debug, Serialize)]
pub struct Log {
    level: &'static str,
    message: String,
}

/// What happens.
#[derive(Debug, Serialize)]
pub struct Trace {
    emitted_at: i64,
    #[serde(flatten)]
    event: Event,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
enum Event {
    Error { error: ErrorTrace },
    StreamStatus { stream_status: StreamStatus },
    Estimate { estimate: Estimate },
}

#[derive(Debug, Serialize)]
struct ErrorTrace {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    internal_message: Option<String>,
    failure_type: FailureType,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_descriptor: Option<Descriptor>,
}

#[derive(Debug, Serialize)]
struct StreamStatus {
    stream_descriptor: Descriptor,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<[Reason; 1]>,
}

/// How many records a stream will have.
#[derive(Debug, Serialize)]
struct Estimate {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    row_estimate: u64,
}

/// Why a stream does not get on.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
enum Reason {
    RateLimited { rate_limited: RateLimited },
}

#[derive(Debug, Serialize)]
struct RateLimited {
    /// When requests are let through again, in milliseconds since 1970.
    quota_reset: i64,
}

/// Whose fault it is: a platform tries again, unless it is the user's.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureType {
    /// The user must change something.
    ConfigError,
    /// Another attempt may help.
    TransientError,
    /// The connector is at fault.
    SystemError,
}

/// What a stream is about.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    Started,
    Running,
    Complete,
    Incomplete,
}

impl From<Fault> for FailureType {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::User => Self::ConfigError,
            Fault::Moment => Self::TransientError,
            Fault::Program => Self::SystemError,
        }
    }
}

impl<'a> Message<'a> {
    /// `check` found that the configuration works.
    pub fn succeeded(message: String) -> Self {
        Self::ConnectionStatus { connection_status: ConnectionStatus { status: "SUCCEEDED", message } }
    }

    /// `check` found that the user must change something.
    pub fn failed(message: String) -> Self {
        Self::ConnectionStatus { connection_status: ConnectionStatus { status: "FAILED", message } }
    }

    /// An error of the run.
    pub fn error(error: &Error) -> Self {
        Self::trace(Event::Error { error: ErrorTrace::new(error, None) })
    }

    pub(super) fn error_of(stream: &str, error: &Error) -> Self {
        Self::trace(Event::Error { error: ErrorTrace::new(error, Some(Descriptor { name: stream.to_owned() })) })
    }

    pub(super) fn status(stream: &str, status: Status) -> Self {
        Self::trace(Event::StreamStatus {
            stream_status: StreamStatus { stream_descriptor: Descriptor { name: stream.to_owned() }, status, reasons: None },
        })
    }

    /// A stream is running, but waits until the source lets its requests through again.
    pub(super) fn rate_limited(stream: &str, until: DateTime<Utc>) -> Self {
        let reason = Reason::RateLimited { rate_limited: RateLimited { quota_reset: until.timestamp_millis() } };
        let (stream_descriptor, status) = (Descriptor { name: stream.to_owned() }, Status::Running);
        Self::trace(Event::StreamStatus { stream_status: StreamStatus { stream_descriptor, status, reasons: Some([reason]) } })
    }

    /// A stream will have about so many records. Of all streams together (type SYNC) nothing is said: the two must not be mixed.
    pub(super) fn estimate(stream: &str, records: u64) -> Self {
        Self::trace(Event::Estimate { estimate: Estimate { name: stream.to_owned(), kind: "STREAM", row_estimate: records } })
    }

    pub(super) fn state(stream: &str, state: &'a StreamState, records: u64) -> Self {
        let stream = StreamOfState { stream_descriptor: Descriptor { name: stream.to_owned() }, stream_state: state };
        // A count of records is far below the 2^53 that a float holds exactly.
        Self::State { state: State { kind: "STREAM", stream, source_stats: Stats { record_count: records as f64 } } }
    }

    /// Something for people.
    pub fn log(level: tracing::Level, message: &str) -> Self {
        let level = match level {
            tracing::Level::ERROR => "ERROR",
            tracing::Level::WARN => "WARN",
            tracing::Level::INFO => "INFO",
            tracing::Level::DEBUG => "DEBUG",
            tracing::Level::TRACE => "TRACE",
        };
        Self::Log { log: Log { level, message: message.to_owned() } }
    }

    /// What it says to people.
    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let (text, more) = match self {
            Self::ConnectionStatus { connection_status } => (Some(&mut connection_status.message), None),
            Self::Log { log } => (Some(&mut log.message), None),
            Self::Trace { trace: Trace { event: Event::Error { error }, .. } } => {
                (Some(&mut error.message), error.internal_message.as_mut())
            }
            Self::Spec { .. } | Self::Catalog { .. } | Self::State { .. } | Self::Trace { .. } => (None, None),
        };
        text.into_iter().chain(more)
    }

    fn trace(event: Event) -> Self {
        Self::Trace { trace: Trace { emitted_at: now(), event } }
    }
}

impl ErrorTrace {
    fn new(error: &Error, stream_descriptor: Option<Descriptor>) -> Self {
        let internal_message = match error {
            Error::Graph { source, .. } | Error::SignIn { source, .. } => Some(format!("{source:?}")),
            _ => None,
        };
        Self { message: error.to_string(), internal_message, failure_type: error.fault().into(), stream_descriptor }
    }
}

/// Now, in milliseconds since 1970.
pub(super) fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Writes a message as a line; what it says to people is without these secrets.
///
/// # Errors
/// If the output cannot be written.
pub fn write(out: &mut impl Write, secrets: &Secrets, mut message: Message<'_>) -> io::Result<()> {
    for text in message.texts() {
        *text = one_line(&secrets.hide(text)).into_owned();
    }
    serde_json::to_writer(&mut *out, &message)?;
    out.write_all(b"\n")
}

/// Writes an error that belongs to no stream, and makes sure that it reaches the reader.
///
/// # Errors
/// If the output cannot be written.
pub fn write_error(out: &mut impl Write, secrets: &Secrets, error: &Error) -> io::Result<()> {
    write(out, secrets, Message::error(error))?;
    out.flush()
}
