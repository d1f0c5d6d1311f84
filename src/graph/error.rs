//! Errors from requests to Graph and from sign-ins.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Application, Claims};

/// Words in Graph's error messages that show that one of its backend services is down, whatever the status code (graph.md 5.2).
const OUTAGE_WORDS: [&str; 1] = ["backend request"];

/// A request that failed, after all retries.
#[derive(Clone, Debug)]
pub struct Error {
    /// Method and path, without the query, which may contain tokens.
    pub request: String,
    /// Why the last attempt failed.
    pub cause: Cause,
    pub attempts: u32,
    /// The client-request-id of the last attempt. [`None`] if nothing was sent.
    pub client_request_id: Option<Uuid>,
    /// Whether Graph has already returned a page of the same list, which shows that the parent exists and can be read.
    pub is_later_page: bool,
}

/// Why a request failed.
#[derive(Clone, Debug)]
pub enum Cause {
    /// Microsoft Entra did not issue a token.
    SignIn(SignInFailure),
    /// Graph returned an error status.
    ErrorStatus(ErrorResponse),
    /// There was no complete response: the connection or TLS failed, the request timed out, or the body was truncated.
    Transport(String),
    /// The response was not what was expected.
    Malformed(String),
    /// Nothing was sent, because Graph will continue to rate-limit these requests for this long.
    RateLimited(Duration),
    /// The decompressed response is larger than this number of bytes, and was not read to the end.
    TooLarge(usize),
    /// A link from Graph points to this other host, and was not followed.
    ForeignLink(String),
    /// Pagination does not terminate. Contains the reason.
    EndlessPaging(&'static str),
}

/// An error response from Graph (graph.md 5).
#[derive(Clone, Debug, Default)]
pub struct ErrorResponse {
    pub status: u16,
    /// Graph's `error.code`; may be empty.
    pub code: String,
    /// Graph's `error.message`; may be empty.
    pub message: String,
    /// The id that Graph assigned to the request, for Microsoft support.
    pub request_id: Option<String>,
    pub retry_after: Option<Duration>,
    /// Graph's `Date`, but no later than the local clock: a date in the future would make later runs skip messages.
    pub date: DateTime<Utc>,
    /// The claims in the token, set only for a 403.
    pub claims: Option<Box<Claims>>,
}

/// Why the token endpoint issued no token (graph.md 1.4).
#[derive(Clone, Debug, Default)]
pub struct SignInFailure {
    /// [`None`] if there was no response.
    pub status: Option<u16>,
    /// OAuth's `error`, such as `invalid_client`.
    pub error: String,
    /// The first line of `error_description`, or the transport error.
    pub description: String,
    /// AADSTS codes.
    pub codes: Vec<u64>,
    pub application: Arc<Application>,
    pub retry_after: Option<Duration>,
    /// Whether the same request may succeed later.
    pub transient: bool,
}

impl Error {
    pub(super) fn new(request: impl fmt::Display, cause: Cause, attempts: u32) -> Self {
        // A rejected sign-in is never retried, so it always counts as one attempt.
        let attempts = if matches!(&cause, Cause::SignIn(refusal) if !refusal.transient) { 1 } else { attempts };
        Self { request: request.to_string(), cause, attempts, client_request_id: None, is_later_page: false }
    }

    pub(super) fn with_client_request_id(self, client_request_id: Option<Uuid>) -> Self {
        Self { client_request_id, ..self }
    }

    pub(super) fn on_later_page(self, is_later_page: bool) -> Self {
        Self { is_later_page, ..self }
    }

    /// The number of attempts, to append to a message; empty if there was only one.
    pub fn attempts_note(&self) -> String {
        if self.attempts > 1 { format!("; tried {} times", self.attempts) } else { String::new() }
    }

    /// The error status that Graph returned.
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::ErrorStatus(response) => Some(response.status),
            _ => None,
        }
    }

    /// Whether a permission is missing (403).
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(403) && !self.is_outage() && !self.is_later_page
    }

    /// Whether the resource does not exist (404).
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404) && !self.is_outage() && !self.is_later_page
    }

    /// Whether, according to Graph, the team itself does not exist, rather than something in it.
    pub fn is_team_not_found(&self) -> bool {
        matches!(&self.cause, Cause::ErrorStatus(response) if response.status == 404 && response.message.to_lowercase().contains("no team found"))
    }

    /// Whether the response is a 404 that was caused by an outage of one of Graph's backend services.
    pub fn is_not_found_due_to_outage(&self) -> bool {
        self.status() == Some(404) && self.is_outage()
    }

    /// Whether the response shows an outage of one of Graph's backend services, although its status blames the client.
    pub fn is_outage(&self) -> bool {
        matches!(&self.cause, Cause::ErrorStatus(response) if response.is_outage())
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = if self.is_later_page { " (not the first page)" } else { "" };
        write!(formatter, "{}{page}: {}{}", self.request, WithId(&self.cause, self.client_request_id), self.attempts_note())
    }
}

/// Displays a cause together with the client-request-id of the attempt.
pub(super) struct WithId<'a>(pub &'a Cause, pub Option<Uuid>);

impl fmt::Display for WithId<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(Cause::ErrorStatus(response), id) => response.write(formatter, *id),
            Self(cause @ (Cause::Transport(_) | Cause::Malformed(_)), Some(id)) => write!(formatter, "{cause} (client-request-id {id})"),
            // For the other causes, Microsoft support cannot look up this id.
            Self(cause, _) => cause.fmt(formatter),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn(refusal) => refusal.fmt(formatter),
            Self::ErrorStatus(response) => response.fmt(formatter),
            Self::Transport(text) => formatter.write_str(text),
            Self::Malformed(text) => write!(formatter, "unexpected response: {text}"),
            Self::RateLimited(_) => formatter.write_str("skipped, because Graph is rate-limiting these requests"),
            Self::TooLarge(limit) => write!(formatter, "the response is larger than {} MiB", limit >> 20),
            Self::ForeignLink(target) => write!(formatter, "a link in the response points to {target}; it was not followed"),
            Self::EndlessPaging(reason) => write!(formatter, "pagination does not terminate: {reason}"),
        }
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter, None)
    }
}

impl ErrorResponse {
    /// Whether this is an outage, although the status blames the client.
    pub(super) fn is_outage(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        matches!(self.status, 400 | 403 | 404) && OUTAGE_WORDS.iter().any(|words| message.contains(words))
    }

    fn write(&self, formatter: &mut fmt::Formatter<'_>, client_request_id: Option<Uuid>) -> fmt::Result {
        let reason = http::StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason()).unwrap_or("unknown status");
        write!(formatter, "{} {reason}", self.status)?;
        let mut details = Vec::new();
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => {}
            (code, "") => details.push(code.to_owned()),
            ("", message) => details.push(message.to_owned()),
            (code, message) => details.push(format!("{code}: {message}")),
        }
        details.extend(self.request_id.as_ref().map(|id| format!("request-id {id}")));
        details.extend(client_request_id.map(|id| format!("client-request-id {id}")));
        if details.is_empty() { Ok(()) } else { write!(formatter, " ({})", details.join(", ")) }
    }
}

impl fmt::Display for SignInFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.description)?;
        match self.status {
            Some(status) if !self.error.is_empty() => write!(formatter, " ({}, status {status})", self.error),
            _ => Ok(()),
        }
    }
}
