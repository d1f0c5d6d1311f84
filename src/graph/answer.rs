//! What an answer says beside a page: its date, what it refuses and why, how long to wait, what kept it from coming.

use std::time::Duration;

use chrono::{DateTime, Utc};
use http::header::{DATE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use super::Refusal;

const REQUEST_ID: &str = "request-id";

/// The error with its sources, without the URL: its query may hold tokens.
pub(super) fn describe(error: &reqwest::Error) -> String {
    let mut text = match error {
        _ if error.is_timeout() => "no answer in time".to_owned(),
        _ if error.is_connect() => "cannot connect".to_owned(),
        _ if error.is_body() || error.is_decode() => "the body ended early or is damaged".to_owned(),
        _ => "the request failed".to_owned(),
    };
    let mut source = std::error::Error::source(error);
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

fn parse_http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

/// So long an answer, or the next part of one, is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(100);

/// Whatever is asked for, it is tried again after an hour.
const LONGEST: Duration = Duration::from_secs(3600);

/// The wait that a `Retry-After` asks for: seconds, with or without a fraction, or a date (graph.md 5.3).
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => (parse_http_date(text)? - now).to_std().unwrap_or(Duration::ZERO),
    };
    Some(wait.min(LONGEST))
}

/// What an answer that is no success says.
pub(super) fn refusal(status: u16, headers: &HeaderMap, now: DateTime<Utc>, body: &[u8]) -> Refusal {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        error: Detail,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Detail {
        code: Option<String>,
        message: Option<String>,
    }
    let Body { error } = serde_json::from_slice(body).unwrap_or_default();
    Refusal {
        status,
        code: error.code.unwrap_or_default(),
        message: error.message.unwrap_or_default(),
        request_id: headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned),
        retry_after: retry_after(headers, now),
        date: now,
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
        assert_eq!(wait("10000000000000"), Some(LONGEST));
        for nonsense in ["-3", "soon", "", "1e400", "NaN"] {
            assert_eq!(wait(nonsense), None, "{nonsense}");
        }
    }
}
