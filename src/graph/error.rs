//! What can go wrong between us and Graph, told apart by what it means to the caller.

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Application, Claims};

/// What Graph says when the service that it asks itself has an outage, whatever the status (graph.md 5.2).
const OUTAGES: [&str; 1] = ["backend request"];

/// A request that did not get its page, after all that could be done for it.
#[derive(Clone, Debug)]
pub struct Error {
    /// Method and path, without the query: it may hold tokens.
    pub request: String,
    /// What stood in the way, the last time.
    pub cause: Cause,
    /// How often the request was sent.
    pub attempts: u32,
    /// Our id of the last attempt, for Microsoft's support; [`None`] if nothing was sent.
    pub client_request_id: Option<Uuid>,
    /// Whether an earlier page of the same list was answered: then what the list belongs to is there, and may be read.
    pub is_later_page: bool,
}

/// What stood in the way of a request.
#[derive(Clone, Debug)]
pub enum Cause {
    /// Microsoft Entra did not give a token.
    SignIn(SignInRefusal),
    /// Graph answered with a status that is no success.
    Refused(Refusal),
    /// No whole answer came: connection, TLS, time-out, a body cut short.
    Transport(String),
    /// The answer is not what the request should have got.
    Malformed(String),
    /// Graph has asked to be left alone for so much longer: nothing was sent.
    Closed(Duration),
    /// The answer is larger than so many bytes, decompressed: it was not read to its end.
    TooLarge(usize),
    /// A link of Graph leads elsewhere, to the place named here: it is not followed.
    ForeignLink(String),
    /// Graph's links never end, in the way said here.
    EndlessPaging(&'static str),
}

/// An answer of Graph that is no success (graph.md 5).
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Graph's `error.code`, the innermost one that says something; may be empty.
    pub code: String,
    /// Graph's `error.message`.
    pub message: String,
    /// Graph's id of the request, for Microsoft's support.
    pub request_id: Option<String>,
    /// How long Graph asks to wait.
    pub retry_after: Option<Duration>,
    /// Graph's clock, as far as it can be believed.
    pub date: DateTime<Utc>,
    /// What the refused token says about the application; of a 403 only.
    pub claims: Option<Box<Claims>>,
}

/// An answer of the token endpoint that is no token (graph.md 1.4).
#[derive(Clone, Debug, Default)]
pub struct SignInRefusal {
    /// HTTP status; [`None`] if no answer came.
    pub status: Option<u16>,
    /// OAuth's `error`, such as `invalid_client`.
    pub error: String,
    /// The first line of `error_description`, or what went wrong on the way.
    pub description: String,
    /// AADSTS codes.
    pub codes: Vec<u64>,
    /// Who was refused.
    pub application: Arc<Application>,
    /// How long the endpoint asks to wait.
    pub retry_after: Option<Duration>,
    /// Whether the same request may succeed later.
    pub transient: bool,
}

impl Error {
    pub(super) fn new(request: impl fmt::Display, cause: Cause, attempts: u32) -> Self {
        // A refused sign-in is another request than this one: it is sent once, whatever came before it.
        let attempts = if matches!(&cause, Cause::SignIn(refusal) if !refusal.transient) { 1 } else { attempts };
        Self { request: request.to_string(), cause, attempts, client_request_id: None, is_later_page: false }
    }

    /// With our id of the last attempt.
    pub(super) fn of_attempt(self, client_request_id: Option<Uuid>) -> Self {
        Self { client_request_id, ..self }
    }

    /// As that of a later page of a list.
    pub(super) fn of_later_page(self, is_later_page: bool) -> Self {
        Self { is_later_page, ..self }
    }

    /// How often it was tried, as the end of a sentence; nothing if once.
    pub fn tries(&self) -> String {
        if self.attempts > 1 { format!("; tried {} times", self.attempts) } else { String::new() }
    }

    /// The HTTP status that Graph refused the request with.
    pub fn status(&self) -> Option<u16> {
        match &self.cause {
            Cause::Refused(refusal) => Some(refusal.status),
            _ => None,
        }
    }

    /// Whether a permission is missing (403).
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(403) && !self.is_outage() && !self.is_later_page
    }

    /// Whether the resource does not exist (404).
    pub fn is_missing(&self) -> bool {
        self.status() == Some(404) && !self.is_outage() && !self.is_later_page
    }

    /// Whether Graph says that it is the team which does not exist, and not something in it.
    pub fn denies_team(&self) -> bool {
        matches!(&self.cause, Cause::Refused(refusal) if refusal.status == 404 && refusal.message.to_lowercase().contains("no team found"))
    }

    /// Whether Graph says both that the resource does not exist (404) and that a service of its own has an outage.
    pub fn is_missing_in_an_outage(&self) -> bool {
        self.status() == Some(404) && self.is_outage()
    }

    /// Whether Graph says by a status of the client's fault that a service of its own has an outage.
    pub fn is_outage(&self) -> bool {
        matches!(&self.cause, Cause::Refused(refusal) if refusal.is_outage())
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let page = if self.is_later_page { ", a later page" } else { "" };
        write!(formatter, "{}{page}: {}{}", self.request, WithId(&self.cause, self.client_request_id), self.tries())
    }
}

/// A cause with our id of the request that met it.
pub(super) struct WithId<'a>(pub &'a Cause, pub Option<Uuid>);

impl fmt::Display for WithId<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(Cause::Refused(refusal), id) => refusal.write(formatter, *id),
            Self(cause @ (Cause::Transport(_) | Cause::Malformed(_)), Some(id)) => write!(formatter, "{cause} (client-request-id {id})"),
            // Nothing that Graph could tell more of; and to sign in is another request.
            Self(cause, _) => cause.fmt(formatter),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn(refusal) => refusal.fmt(formatter),
            Self::Refused(refusal) => refusal.fmt(formatter),
            Self::Transport(text) => formatter.write_str(text),
            Self::Malformed(text) => write!(formatter, "the answer is not what Graph documents: {text}"),
            Self::Closed(_) => formatter.write_str("not asked for, since Graph wants to be left alone with requests of this kind"),
            Self::TooLarge(limit) => write!(formatter, "the answer is larger than {} MiB", limit >> 20),
            Self::ForeignLink(place) => write!(formatter, "a link of the answer leads to {place}; it was not followed"),
            Self::EndlessPaging(how) => write!(formatter, "the pages do not end: {how}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(formatter, None)
    }
}

impl Refusal {
    /// Whether it is an outage that looks like the client's fault.
    pub(super) fn is_outage(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        matches!(self.status, 400 | 403 | 404) && OUTAGES.iter().any(|words| message.contains(words))
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

impl fmt::Display for SignInRefusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.description)?;
        match self.status {
            Some(status) if !self.error.is_empty() => write!(formatter, " ({}, status {status})", self.error),
            _ => Ok(()),
        }
    }
}
