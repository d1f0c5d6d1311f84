//! What the package `fuzz` needs of this layer: the ways in for bytes that others have written.

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
    AnswerDate, Cause, Cleaned, Credentials, Host, Limits, Link, Page, Refusal, Request, SignInRefusal,
    answer::{self, Patience},
    auth::token::TokenSource,
    http::Way,
    page::{
        index::{Expected, Malformed},
        text,
    },
    retry::Waits,
};
use crate::secrets::Secrets;

/// The text of a body, and what was changed in it; [`None`] if it is no text.
pub fn decode(body: &[u8]) -> Option<(String, Cleaned)> {
    text::decode(body.to_vec())
}

/// A body as a list, or as one object.
///
/// # Errors
/// If it is none.
pub fn page(body: &[u8], is_list: bool, host: &Host, date: DateTime<Utc>) -> Result<Page, String> {
    let (text, cleaned) = decode(body).ok_or("it is no text")?;
    let expected = if is_list { Expected::List } else { Expected::Object };
    Page::parse(text, cleaned, expected, host, &Secrets::default(), AnswerDate::new(Some(date), date)).map_err(
        |malformed| match malformed {
            Malformed::Body(why) | Malformed::ForeignLink(why) => why,
        },
    )
}

/// A link as Graph gave it.
///
/// # Errors
/// With the origin of one that leads elsewhere.
pub fn link(host: &Host, text: &str) -> Result<Link, String> {
    host.link(text)
}

/// Where a path leads to.
pub fn url(host: &Host, path_and_query: &str) -> Option<Url> {
    host.url(path_and_query)
}

/// The path and query of a request.
pub fn path_and_query(request: &Request) -> &str {
    request.path_and_query()
}

/// How long a request waits that was throttled with this `Retry-After`, if it does.
pub fn wait(retry_after: HeaderValue, date: DateTime<Utc>) -> Option<Duration> {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, retry_after)]);
    let refusal = answer::refusal(429, &headers, AnswerDate::new(Some(date), date), &[], &Secrets::default());
    let now = Instant::now();
    Waits::new(Duration::from_secs(1), Limits::default()).next(&Cause::Refused(refusal), now)
}

/// What an answer says that is no success, in a run with this token.
pub fn refusal(status: u16, now: DateTime<Utc>, body: &[u8], token: &str) -> Refusal {
    let secrets = Secrets::default();
    secrets.add_token(token);
    answer::refusal(status, &HeaderMap::new(), AnswerDate::new(Some(now), now), body, &secrets)
}

/// The sign-in service.
#[derive(Debug)]
pub struct SignIn(TokenSource);

impl SignIn {
    /// For an application, at that URL. Nothing is sent.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(credentials: &Credentials, token_url: &Url) -> Result<Self, String> {
        let host = Host::new(token_url).ok_or("no host")?;
        let way = Way::new(&host, &Secrets::default()).map_err(|error| error.to_string())?;
        Ok(Self(TokenSource::new(
            Arc::new(way),
            Patience::new(1.0),
            token_url.clone(),
            String::new(),
            credentials,
            Secrets::default(),
            Arc::default(),
        )))
    }

    /// The token in an answer, as far as it may be said.
    ///
    /// # Errors
    /// If there is none.
    pub fn token(&self, status: StatusCode, body: &[u8]) -> Result<String, SignInRefusal> {
        self.0.read(status, body).map(|token| format!("{token:?}"))
    }
}
