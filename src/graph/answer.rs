//! What an answer says beside a page: its date, what it refuses and why, how long to wait, what kept it from coming.

use std::{borrow::Cow, future::Future, io, pin::pin, time::Duration};

use async_compression::tokio::bufread::GzipDecoder;
use chrono::{DateTime, Datelike, Utc};
use futures_util::TryStreamExt;
use http::header::{CONTENT_ENCODING, DATE, HeaderMap, RETRY_AFTER};
use serde_json::Value;
use tokio::{io::AsyncRead, time::Instant};
use tokio_util::io::StreamReader;

use super::{AnswerDate, Refusal, page::text::without_mark};
use crate::{printable::one_line, secrets::Secrets};

const REQUEST_ID: &str = "request-id";

/// What went wrong on the way, for people.
pub(super) trait Describe {
    /// As a part of a sentence, with its causes.
    fn describe(&self) -> String;
}

impl Describe for reqwest::Error {
    /// Without the URL: its query may hold tokens.
    fn describe(&self) -> String {
        let text = match self {
            _ if self.is_timeout() => "no answer in time",
            _ if self.is_connect() => "cannot connect",
            _ if self.is_body() || self.is_decode() => "the body ended early or is damaged",
            _ => "the request failed",
        };
        with_causes(text.to_owned(), std::error::Error::source(self))
    }
}

impl Describe for io::Error {
    /// Of a body: either its way failed, or what came is not what was packed.
    fn describe(&self) -> String {
        match self.get_ref().and_then(|cause| cause.downcast_ref::<reqwest::Error>()) {
            Some(error) => error.describe(),
            None => with_causes("the body ended early or is damaged".to_owned(), Some(self)),
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

/// Graph's clock.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    parse_http_date(headers.get(DATE)?.to_str().ok()?)
}

/// A date that can be added to and subtracted from: years have four digits (RFC 9110, 5.6.7).
fn parse_http_date(text: &str) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(text).ok()?.to_utc();
    (1..=9999).contains(&date.year()).then_some(date)
}

/// So long an answer, or the next part of one, is waited for.
const PART: Duration = Duration::from_secs(100);

/// So long a whole answer may be under way.
const WHOLE: Duration = Duration::from_secs(600);

/// How long the network may take. What else is waited for is not its fault and does not count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    part: Duration,
    left: Duration,
    is_over: bool,
}

impl Patience {
    /// For one answer, of a Graph whose time goes so many times as fast.
    pub(super) fn new(speed: f64) -> Self {
        let scaled = |time: Duration| if speed.is_finite() { time.div_f64(speed.max(1.0)) } else { time };
        Self { part: scaled(PART), left: scaled(WHOLE), is_over: false }
    }

    /// Whether something was waited for in vain.
    pub(super) fn is_over(self) -> bool {
        self.is_over
    }

    /// Waits for the network, but not for ever.
    pub(super) async fn wait<T, E: Describe>(&mut self, answer: impl Future<Output = Result<T, E>>) -> Result<T, String> {
        let mut answer = pin!(answer);
        // What is there already needs no clock.
        tokio::select! {
            biased;
            answer = &mut answer => return answer.map_err(|error| error.describe()),
            () = std::future::ready(()) => {}
        }
        let began = Instant::now();
        let answer = tokio::time::timeout(self.part.min(self.left), answer).await;
        self.left = self.left.saturating_sub(began.elapsed());
        match answer {
            Ok(answer) => answer.map_err(|error| error.describe()),
            Err(_) => {
                self.is_over = true;
                Err("no answer in time".to_owned())
            }
        }
    }
}

/// What a body says, decompressed while it comes.
pub(super) fn decoded(response: reqwest::Response) -> Result<Box<dyn AsyncRead + Send + Unpin>, &'static str> {
    let encoding = response.headers().get(CONTENT_ENCODING).map(|encoding| encoding.as_bytes().to_ascii_lowercase()).unwrap_or_default();
    let body = StreamReader::new(response.bytes_stream().map_err(io::Error::other));
    match &*encoding {
        b"" | b"identity" => Ok(Box::new(body)),
        b"gzip" | b"x-gzip" => {
            let mut decoder = GzipDecoder::new(body);
            // A body may be several streams, one behind the other (RFC 1952, 2.2).
            decoder.multiple_members(true);
            Ok(Box::new(decoder))
        }
        _ => Err("it is compressed in a way that was not asked for"),
    }
}

/// The wait that a `Retry-After` asks for: seconds, with or without a fraction, or a date (graph.md 5.3).
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => Some((parse_http_date(text)? - now).to_std().unwrap_or(Duration::ZERO)),
    }
}

/// So much of a text that somebody else wrote is told.
const TOLD: usize = 600;

/// What somebody else wrote, as part of a sentence: one line, not too long, and without the secrets if it quotes them.
pub(super) fn quotable(text: &str, secrets: &Secrets) -> String {
    let line: String = one_line(&secrets.hide(text)).chars().take(TOLD).collect();
    line.trim().to_owned()
}

/// The JSON in the body of a refusal; null if it is none.
pub(super) fn json(body: &[u8]) -> Value {
    serde_json::from_slice(without_mark(body)).unwrap_or_default()
}

/// A value as a text: some write numbers. Empty if it is neither. What one key holds takes nothing from the others.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        Value::Number(number) => number.to_string().into(),
        _ => "".into(),
    }
}

/// What an answer that is no success says.
pub(super) fn refusal(status: u16, headers: &HeaderMap, date: AnswerDate, body: &[u8], secrets: &Secrets) -> Refusal {
    let error = &json(body)["error"];
    Refusal {
        status,
        code: quotable(&text(&error["code"]), secrets),
        message: quotable(&text(&error["message"]), secrets),
        request_id: headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(|id| quotable(id, secrets)),
        retry_after: retry_after(headers, date.stated()),
        date: date.believed(None),
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
    fn of_a_refusal_is_read_what_can_be() {
        let said = |body: &str| {
            let refusal = refusal(403, &HeaderMap::new(), AnswerDate::default(), body.as_bytes(), &Secrets::default());
            (refusal.code, refusal.message)
        };
        let read = |code: &str, message: &str| (code.to_owned(), message.to_owned());
        assert_eq!(said(r#"{"error": {"code": 403, "message": "No."}}"#), read("403", "No."));
        assert_eq!(said(r#"{"error": {"code": ["a"], "message": "No.", "message2": {}}}"#), read("", "No."));
        assert_eq!(said(r#"{"error": {"code": "Forbidden", "message": {"value": "No."}}}"#), read("Forbidden", ""));
        for none in [r#"{"error": "No."}"#, r#"{"error": {"code": "a""#, "[]", "", "null", "<html>"] {
            assert_eq!(said(none), read("", ""), "{none}");
        }
    }

    #[test]
    fn what_others_wrote_is_one_short_line_without_the_secret() {
        let secrets = Secrets::default();
        secrets.add("a s3cret");
        assert_eq!(quotable(" a\r\nb\u{1b}[31m Bearer a s3cret \t", &secrets), r"a  b\u{1b}[31m Bearer ***");
        // The end of a secret is hidden before the text is cut.
        let long = format!("{}a s3cret", "é".repeat(TOLD - 4));
        assert_eq!(quotable(&long, &secrets), format!("{}***", "é".repeat(TOLD - 4)));
        assert_eq!(quotable(&"é".repeat(10_000), &secrets).chars().count(), TOLD);
    }
}
