//! The messages of the protocol, except records, which the emitter writes directly.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::{Error, Fault},
    printable::one_line,
    secrets::Secrets,
    state::StreamState,
};

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Message<'a> {
    Spec {
        spec: Value,
    },
    ConnectionStatus {
        #[serde(rename = "connectionStatus")]
        connection_status: ConnectionStatus,
    },
    Catalog {
        catalog: Value,
    },
    State {
        state: State<'a>,
    },
    Log {
        log: Log,
    },
    Trace {
        trace: Trace,
    },
}

#[derive(Debug, Serialize)]
pub struct ConnectionStatus {
    status: &'static str,
    message: String,
}

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
    /// Number of records since the previous state, which the protocol defines as a float.
    #[serde(rename = "recordCount")]
    record_count: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Descriptor {
    name: String,
}

#[derive(Debug, Serialize)]
pub struct Log {
    level: &'static str,
    message: String,
}

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

#[derive(Debug, Serialize)]
struct Estimate {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    row_estimate: u64,
}

/// Why a stream is waiting.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
enum Reason {
    RateLimited { rate_limited: RateLimited },
}

#[derive(Debug, Serialize)]
struct RateLimited {
    /// When requests are allowed again, in milliseconds since 1970.
    quota_reset: i64,
}

/// The cause of an error. Platforms retry unless it is a configuration error.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureType {
    ConfigError,
    TransientError,
    SystemError,
}

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
            Fault::Transient => Self::TransientError,
            Fault::Program => Self::SystemError,
        }
    }
}

impl<'a> Message<'a> {
    /// The result of a successful check.
    pub fn succeeded(message: String) -> Self {
        Self::ConnectionStatus { connection_status: ConnectionStatus { status: "SUCCEEDED", message } }
    }

    /// The result of a check that requires a change by the user.
    pub fn failed(message: String) -> Self {
        Self::ConnectionStatus { connection_status: ConnectionStatus { status: "FAILED", message } }
    }

    /// An error that belongs to no stream.
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

    /// RUNNING, but waiting until Graph allows requests again.
    pub(super) fn rate_limited(stream: &str, until: DateTime<Utc>) -> Self {
        let reason = Reason::RateLimited { rate_limited: RateLimited { quota_reset: until.timestamp_millis() } };
        let (stream_descriptor, status) = (Descriptor { name: stream.to_owned() }, Status::Running);
        Self::trace(Event::StreamStatus { stream_status: StreamStatus { stream_descriptor, status, reasons: Some([reason]) } })
    }

    /// The estimated number of records of a stream. There is no estimate for the whole sync (type SYNC), which must not be mixed with this one.
    pub(super) fn estimate(stream: &str, records: u64) -> Self {
        Self::trace(Event::Estimate { estimate: Estimate { name: stream.to_owned(), kind: "STREAM", row_estimate: records } })
    }

    pub(super) fn state(stream: &str, state: &'a StreamState, records: u64) -> Self {
        let stream = StreamOfState { stream_descriptor: Descriptor { name: stream.to_owned() }, stream_state: state };
        // A count of records is far below the 2^53 that a float holds exactly.
        Self::State { state: State { kind: "STREAM", stream, source_stats: Stats { record_count: records as f64 } } }
    }

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

    /// The human-readable texts in the message.
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

/// The current time in milliseconds since 1970.
pub(super) fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Writes a message as a line, with secrets hidden in human-readable texts.
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

/// Writes an error that belongs to no stream, and flushes the output.
///
/// # Errors
/// If the output cannot be written.
pub fn write_error(out: &mut impl Write, secrets: &Secrets, error: &Error) -> io::Result<()> {
    write(out, secrets, Message::error(error))?;
    out.flush()
}
