//! Entry points for fuzzing everything that parses external data.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use http::{
    HeaderValue, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
};
use url::Url;

use super::{
    Cause, Credentials, ErrorResponse, Host, Limits, Link, Page, Replacements, Request, ResponseDate, SignInFailure,
    auth::token::TokenSource,
    http::Connection,
    page::{
        index::{Expected, Malformed},
        text,
    },
    response::{self, Timeout},
    retry::Backoff,
};
use crate::secrets::Secrets;

/// Decodes a body. [`None`] if it is not text.
pub fn decode(body: &[u8]) -> Option<(String, Replacements)> {
    text::decode(body.to_vec())
}

/// Parses a body as a list or as one object.
///
/// # Errors
/// Returns why the body is neither.
pub fn page(body: &[u8], is_list: bool, host: &Host, date: DateTime<Utc>) -> Result<Page, String> {
    let (text, replacements) = decode(body).ok_or("it is not text")?;
    let expected = if is_list { Expected::List } else { Expected::Object };
    Page::parse(text, replacements, expected, host, &Secrets::default(), ResponseDate::new(Some(date), date)).map_err(|malformed| {
        match malformed {
            Malformed::Body(why) | Malformed::ForeignLink(why) => why,
        }
    })
}

/// Checks a link from Graph.
///
/// # Errors
/// Returns what the link points to.
pub fn link(host: &Host, text: &str) -> Result<Link, String> {
    host.link(text)
}

/// The URL of a path.
pub fn url(host: &Host, path_and_query: &str) -> Option<Url> {
    host.url(path_and_query)
}

/// The path and query of a request.
pub fn path_and_query(request: &Request) -> &str {
    request.path_and_query()
}

/// The wait before a request that was throttled with this `Retry-After` is retried, if it is retried.
pub fn wait(retry_after: HeaderValue, date: DateTime<Utc>) -> Option<Duration> {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, retry_after)]);
    let refusal = response::error_response(429, &headers, ResponseDate::new(Some(date), date), &[], &Secrets::default());
    let now = Instant::now();
    Backoff::new(Duration::from_secs(1), Limits::default()).next(&Cause::ErrorStatus(refusal), now)
}

/// Parses an error response, in a run with this token.
pub fn refusal(status: u16, now: DateTime<Utc>, body: &[u8], token: &str) -> ErrorResponse {
    let secrets = Secrets::default();
    secrets.add_token(token);
    response::error_response(status, &HeaderMap::new(), ResponseDate::new(Some(now), now), body, &secrets)
}

/// The sign-in service.
#[derive(Debug)]
pub struct SignIn(TokenSource);

impl SignIn {
    /// Creates the token source of an application without sending anything.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(credentials: &Credentials, token_url: &Url) -> Result<Self, String> {
        let host = Host::new(token_url).ok_or("no host")?;
        let connection = Connection::new(&host, &Secrets::default()).map_err(|error| error.to_string())?;
        Ok(Self(TokenSource::new(
            Arc::new(connection),
            Timeout::new(1.0),
            token_url.clone(),
            String::new(),
            credentials,
            Secrets::default(),
            Arc::default(),
        )))
    }

    /// Parses a response from the token endpoint, and formats the token without its secret.
    ///
    /// # Errors
    /// If the response contains no token.
    pub fn token(&self, status: StatusCode, body: &[u8]) -> Result<String, SignInFailure> {
        self.0.read(status, body).map(|token| format!("{token:?}"))
    }
}
