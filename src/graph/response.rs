//! Parses everything in a response except its page: date, error, `Retry-After`, compression. Also describes transport errors.

use std::{borrow::Cow, future::Future, io, pin::pin, time::Duration};

use async_compression::tokio::bufread::GzipDecoder;
use chrono::{DateTime, Datelike, Utc};
use futures_util::TryStreamExt;
use http::header::{CONTENT_ENCODING, DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;
use tokio::{io::AsyncRead, time::Instant};
use tokio_util::io::StreamReader;

use super::{ErrorResponse, ResponseDate, page::text::without_bom};
use crate::{printable::one_line, secrets::Secrets};

const REQUEST_ID: &str = "request-id";

/// A human-readable description of a transport error.
pub(super) trait Describe {
    /// Describes the error and its causes as part of a sentence.
    fn describe(&self) -> String;
}

impl Describe for reqwest::Error {
    /// Omits the URL, because its query may contain tokens.
    fn describe(&self) -> String {
        let text = match self {
            _ if self.is_timeout() => "no response in time",
            _ if self.is_connect() => "cannot connect",
            _ if self.is_body() || self.is_decode() => "the response body is truncated or corrupt",
            _ => "the request failed",
        };
        with_causes(text.to_owned(), std::error::Error::source(self))
    }
}

impl Describe for io::Error {
    /// Describes an error while reading a body: the connection failed, or the compressed data is corrupt.
    fn describe(&self) -> String {
        match self.get_ref().and_then(|cause| cause.downcast_ref::<reqwest::Error>()) {
            Some(error) => error.describe(),
            None => with_causes("the response body is truncated or corrupt".to_owned(), Some(self)),
        }
    }
}

fn with_causes(mut text: String, mut source: Option<&(dyn std::error::Error + 'static)>) -> String {
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

/// The `Date` header.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    parse_http_date(headers.get(DATE)?.to_str().ok()?)
}

/// Parses an HTTP date. Years have four digits (RFC 9110, 5.6.7), so that date arithmetic cannot overflow.
fn parse_http_date(text: &str) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(text).ok()?.to_utc();
    (1..=9999).contains(&date.year()).then_some(date)
}

/// Maximum time without progress: until the response begins, or until more of it arrives.
const IDLE_TIMEOUT: Duration = Duration::from_secs(100);

/// Maximum time for a whole response.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(600);

/// The time that remains for receiving a response from the network. Time spent waiting for anything else does not count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeout {
    idle: Duration,
    remaining: Duration,
    has_expired: bool,
}

impl Timeout {
    /// The timeout of one response. `speed` divides the limits, for a simulated Graph whose clock runs faster.
    pub(super) fn new(speed: f64) -> Self {
        let scaled = |time: Duration| if speed.is_finite() { time.div_f64(speed.max(1.0)) } else { time };
        Self { idle: scaled(IDLE_TIMEOUT), remaining: scaled(TOTAL_TIMEOUT), has_expired: false }
    }

    pub(super) fn has_expired(self) -> bool {
        self.has_expired
    }

    /// Waits for the network until the timeout expires.
    pub(super) async fn wait<T, E: Describe>(&mut self, response: impl Future<Output = Result<T, E>>) -> Result<T, String> {
        let mut response = pin!(response);
        // Data that has already arrived needs no timer.
        tokio::select! {
            biased;
            response = &mut response => return response.map_err(|error| error.describe()),
            () = std::future::ready(()) => {}
        }
        let began = Instant::now();
        let response = tokio::time::timeout(self.idle.min(self.remaining), response).await;
        self.remaining = self.remaining.saturating_sub(began.elapsed());
        match response {
            Ok(response) => response.map_err(|error| error.describe()),
            Err(_) => {
                self.has_expired = true;
                Err("no response in time".to_owned())
            }
        }
    }
}

/// The body of a response, decompressed while it is read.
pub(super) fn decoded(response: reqwest::Response) -> Result<Box<dyn AsyncRead + Send + Unpin>, &'static str> {
    let encoding = response.headers().get(CONTENT_ENCODING).map(|encoding| encoding.as_bytes().to_ascii_lowercase()).unwrap_or_default();
    let body = StreamReader::new(response.bytes_stream().map_err(io::Error::other));
    match &*encoding {
        b"" | b"identity" => Ok(Box::new(body)),
        b"gzip" | b"x-gzip" => {
            let mut decoder = GzipDecoder::new(body);
            // A gzip body may consist of several members (RFC 1952, 2.2).
            decoder.multiple_members(true);
            Ok(Box::new(decoder))
        }
        _ => Err("it uses a compression that was not requested"),
    }
}

/// The wait in `Retry-After`, which is in seconds, possibly with a fraction, or a date (graph.md 5.3).
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => Some((parse_http_date(text)? - now).to_std().unwrap_or(Duration::ZERO)),
    }
}

/// Maximum length of quoted text, in characters.
const MAX_QUOTED: usize = 600;

/// Makes external text safe to quote in a message: one line, shortened, and without secrets.
pub(super) fn quotable(text: &str, secrets: &Secrets) -> String {
    let line: String = one_line(&secrets.hide(text)).chars().take(MAX_QUOTED).collect();
    line.trim().to_owned()
}

/// The JSON in the body of an error response; null if the body is not JSON.
pub(super) fn json(body: &[u8]) -> Value {
    serde_json::from_slice(without_bom(body)).unwrap_or_default()
}

/// Converts a JSON string or number to a string. Other values become an empty string, so that one odd value does not affect the others.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        Value::Number(number) => number.to_string().into(),
        _ => "".into(),
    }
}

/// Parses an error response.
pub(super) fn error_response(status: u16, headers: &HeaderMap, date: ResponseDate, body: &[u8], secrets: &Secrets) -> ErrorResponse {
    let error = &json(body)["error"];
    ErrorResponse {
        status,
        code: quotable(&text(&error["code"]), secrets),
        message: quotable(&text(&error["message"]), secrets),
        request_id: headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(|id| quotable(id, secrets)),
        retry_after: retry_after(headers, date.as_sent()),
        date: date.trusted(None),
        claims: None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = parse_http_date("Fri, 20 Nov 2026 10:00:00 GMT").unwrap();
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(wait("10"), Some(Duration::from_secs(10)));
        assert_eq!(wait("2.128"), Some(Duration::from_millis(2128)));
        assert_eq!(wait("Fri, 20 Nov 2026 10:00:07 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Fri, 20 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("10000000000000"), Some(Duration::from_secs(10_000_000_000_000)));
        for nonsense in ["-3", "soon", "", "1e400", "NaN", "Mon, 31 Dec 262142 23:59:59 GMT"] {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn an_error_response_is_parsed_as_far_as_possible() {
        let parsed = |body: &str| {
            let refusal = error_response(403, &HeaderMap::new(), ResponseDate::default(), body.as_bytes(), &Secrets::default());
            (refusal.code, refusal.message)
        };
        let expected = |code: &str, message: &str| (code.to_owned(), message.to_owned());
        assert_eq!(parsed(r#"{"error": {"code": 403, "message": "No."}}"#), expected("403", "No."));
        assert_eq!(parsed(r#"{"error": {"code": ["a"], "message": "No.", "message2": {}}}"#), expected("", "No."));
        assert_eq!(parsed(r#"{"error": {"code": "Forbidden", "message": {"value": "No."}}}"#), expected("Forbidden", ""));
        for other in [r#"{"error": "No."}"#, r#"{"error": {"code": "a""#, "[]", "", "null", "<html>"] {
            assert_eq!(parsed(other), expected("", ""), "{other}");
        }
    }

    #[test]
    fn quoted_text_is_one_short_line_without_secrets() {
        let secrets = Secrets::default();
        secrets.add("a s3cret");
        assert_eq!(quotable(" a\r\nb\u{1b}[31m Bearer a s3cret \t", &secrets), r"a  b\u{1b}[31m Bearer ***");
        // A secret is hidden before the text is shortened.
        let long = format!("{}a s3cret", "é".repeat(MAX_QUOTED - 4));
        assert_eq!(quotable(&long, &secrets), format!("{}***", "é".repeat(MAX_QUOTED - 4)));
        assert_eq!(quotable(&"é".repeat(10_000), &secrets).chars().count(), MAX_QUOTED);
    }
}
