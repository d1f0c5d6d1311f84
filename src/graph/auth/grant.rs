//! A successful response from the token endpoint: a token and its lifetime (graph.md 1.3).

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::graph::page::text::without_bom;

/// The lifetime of a token if the response contains no usable lifetime.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);

/// Some services put a lifetime in seconds into `expires_on`. A value below this Unix time (2001) is treated as a lifetime.
const EARLIEST_DATE: f64 = 978_307_200.0;

/// Date formats that some services use instead of seconds.
const DATE_FORMATS: [&str; 2] = ["%m/%d/%Y %H:%M:%S %z", "%m/%d/%Y %I:%M:%S %p %z"];

#[derive(Debug)]
pub(in crate::graph) struct Grant {
    pub(in crate::graph) token: SecretString,
    pub(in crate::graph) lifetime: Duration,
}

impl Grant {
    /// Parses a body that was sent at `now` according to the service's clock. [`None`] if it contains no token.
    ///
    /// Entra sends `expires_in` as a number. Proxies and identity endpoints send strings, floats, or only `expires_on`.
    pub(in crate::graph) fn parse(body: &[u8], now: DateTime<Utc>) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            access_token: String,
            #[serde(default)]
            expires_in: Value,
            #[serde(default)]
            expires_on: Value,
        }
        let Body { access_token, expires_in, expires_on } = serde_json::from_slice(without_bom(body)).ok()?;
        let seconds = seconds(&expires_in).or_else(|| seconds_until(&expires_on, now));
        let lifetime = seconds.filter(|seconds| *seconds >= 1.0).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let token = SecretString::from(access_token);
        (!secrecy::ExposeSecret::expose_secret(&token).is_empty()).then(|| Self { token, lifetime: lifetime.unwrap_or(DEFAULT_LIFETIME) })
    }
}

fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|seconds: &f64| seconds.is_finite())
}

/// The time from `now` to `end`, in seconds.
fn seconds_until(end: &Value, now: DateTime<Utc>) -> Option<f64> {
    match (seconds(end), end) {
        (Some(lifetime), _) if lifetime < EARLIEST_DATE => Some(lifetime),
        (Some(end), _) => Some(end - now.timestamp() as f64),
        (None, Value::String(text)) => Some((date(text.trim())? - now).as_seconds_f64()),
        _ => None,
    }
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    let in_zone = DateTime::parse_from_rfc3339(text).ok();
    let in_zone = in_zone.or_else(|| DATE_FORMATS.into_iter().find_map(|format| DateTime::parse_from_str(text, format).ok()));
    let without_zone = || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|date| date.and_utc());
    in_zone.map(|date| date.to_utc()).or_else(without_zone)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn lifetime(more: Value) -> u64 {
        let mut body = json!({"token_type": "Bearer", "access_token": "t0ken"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let grant = Grant::parse(body.to_string().as_bytes(), now()).unwrap();
        assert_eq!(grant.token.expose_secret(), "t0ken");
        grant.lifetime.as_secs()
    }

    #[test]
    fn a_lifetime_is_a_number_or_a_string_or_a_date() {
        for expires_in in [json!(3599), json!(3599.0), json!("3599"), json!(" 3599.0 ")] {
            assert_eq!(lifetime(json!({"expires_in": expires_in})), 3599, "{expires_in}");
            assert_eq!(lifetime(json!({"expires_in": expires_in, "expires_on": 1_800_000_007})), 3599, "{expires_in}");
        }
        let dates = [
            json!(1_800_003_599),
            json!("1800003599"),
            json!(1_800_003_599.0),
            json!(3599),
            json!("3599"),
            json!("01/15/2027 08:59:59 +00:00"),
            json!("1/15/2027 8:59:59 AM +00:00"),
            json!("2027-01-15T08:59:59Z"),
            json!("2027-01-15T09:59:59.0000000+01:00"),
            json!("2027-01-15T08:59:59"),
        ];
        for expires_on in dates {
            for absent in [json!({"expires_on": expires_on}), json!({"expires_in": null, "expires_on": expires_on})] {
                assert_eq!(lifetime(absent.clone()), 3599, "{absent}");
            }
        }
    }

    #[test]
    fn a_token_without_a_usable_lifetime_lasts_five_minutes() {
        let unusable =
            [json!(null), json!(0), json!(-3599), json!("soon"), json!(""), json!(1e300), json!([3599]), json!("NaN"), json!("inf")];
        for value in unusable {
            assert_eq!(lifetime(json!({"expires_in": value})), 300, "{value}");
            assert_eq!(lifetime(json!({"expires_on": value})), 300, "{value}");
        }
        assert_eq!(lifetime(json!({})), 300);
        assert_eq!(lifetime(json!({"expires_on": 1_799_999_999})), 300, "a clock that is behind");
    }

    #[test]
    fn without_a_token_there_is_no_grant() {
        for body in ["", "[]", "null", "{}", r#"{"access_token":""}"#, r#"{"access_token":7,"expires_in":3599}"#, r#"{"expires_in":3599}"#]
        {
            assert!(Grant::parse(body.as_bytes(), now()).is_none(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn every_response_with_a_token_has_a_lifetime(
            value in prop_oneof![any::<f64>().prop_map(Value::from), any::<i64>().prop_map(Value::from), r"\PC{0,30}".prop_map(Value::from)],
            name in prop::sample::select(vec!["expires_in", "expires_on"]),
        ) {
            let body = json!({"access_token": "t0ken", name: value}).to_string();
            prop_assert!(Grant::parse(body.as_bytes(), now()).unwrap().lifetime > Duration::ZERO);
        }
    }
}
