//! The kinds of value that a column can have beyond JSON's own.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An object that is kept as Graph sends it: open, without declared properties.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Open(pub Map<String, Value>);

impl JsonSchema for Open {
    fn schema_name() -> Cow<'static, str> {
        "Open".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object"})
    }
}

/// JSON written into a string: what users of the Lakeflow connector have for the settings of a team.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct JsonText(pub String);

impl JsonSchema for JsonText {
    fn schema_name() -> Cow<'static, str> {
        "JsonText".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "contentMediaType": "application/json"})
    }
}

/// The instant that a Graph date-time names, if it names one: ISO 8601 with a zone, zero or more fraction digits.
///
/// Year 1 is Graph's way to say "never", and no instant of a message: [`None`].
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let time = parse(text)?;
    (time.year() > 1).then_some(time)
}

/// A date-time as every destination takes it: UTC with `Z` and at most six fraction digits (cut, not rounded). [`None`] if it is no date-time.
pub(super) fn normal_date_time(text: &str) -> Option<Cow<'_, str>> {
    if normal(text).is_some() {
        return Some(Cow::Borrowed(text));
    }
    let time = parse(text)?;
    if !(1..=9999).contains(&time.year()) {
        return None;
    }
    let whole = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let fraction = fraction(text);
    if fraction.is_empty() {
        return Some(Cow::Owned(whole));
    }
    Some(Cow::Owned(format!("{}.{fraction}Z", whole.trim_end_matches('Z'))))
}

fn parse(text: &str) -> Option<DateTime<Utc>> {
    normal(text).or_else(|| parse_any(text))
}

fn parse_any(text: &str) -> Option<DateTime<Utc>> {
    // A leap second has no place in the destinations' types.
    if text.as_bytes().get(17..19) == Some(b"60") {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// The first six digits behind the seconds' dot: a zone moves the whole minutes only.
fn fraction(text: &str) -> &str {
    let Some((_, rest)) = text.split_once('.') else {
        return "";
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    &rest[..digits.min(6)]
}

/// The time that a text of the form `YYYY-MM-DDThh:mm:ss[.f{1,6}]Z` names, if it exists: most that Graph sends, read at a fraction of the cost.
fn normal(text: &str) -> Option<DateTime<Utc>> {
    let (head, tail) = text.as_bytes().split_at_checked(19)?;
    let nanoseconds = match tail {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..=6).contains(&digits.len()) => (digits.len()..9).fold(number(digits)?, |sum, _| sum * 10),
        _ => return None,
    };
    let has_separators = head[4] == b'-' && head[7] == b'-' && head[10] == b'T' && head[13] == b':' && head[16] == b':';
    let year = i32::try_from(number(&head[..4])?).ok().filter(|&year| year > 0 && has_separators)?;
    let date = NaiveDate::from_ymd_opt(year, number(&head[5..7])?, number(&head[8..10])?)?;
    let time = date.and_hms_nano_opt(number(&head[11..13])?, number(&head[14..16])?, number(&head[17..])?, nanoseconds)?;
    Some(time.and_utc())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn date_times_are_utc_with_at_most_six_digits_or_none() {
        let normal = |text: &str| normal_date_time(text).map(Cow::into_owned);
        let same = |text: &str| assert_eq!(normal(text).as_deref(), Some(text));
        same("2026-11-20T10:00:00Z");
        same("2026-11-20T10:00:00.5Z");
        same("2026-11-20T10:00:00.123456Z");
        same("0001-01-01T00:00:00Z");
        assert_eq!(normal("2026-11-20T10:00:00.1234567Z").as_deref(), Some("2026-11-20T10:00:00.123456Z"));
        assert_eq!(normal("9999-12-31T23:59:59.9999999Z").as_deref(), Some("9999-12-31T23:59:59.999999Z"));
        assert_eq!(normal("2026-01-01T00:30:00.25+02:00").as_deref(), Some("2025-12-31T22:30:00.25Z"));
        for wrong in [
            "",
            "yesterday",
            "2026-02-30T00:00:00Z",
            "2026-11-20",
            "2026-11-20T10:00:00",
            "2026-11-20T24:00:00Z",
            "2026-06-30T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+02:00",
        ] {
            assert_eq!(normal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn year_one_is_no_instant() {
        assert_eq!(instant("0001-01-01T00:00:00Z"), None);
        assert!(instant("2026-11-20T10:00:00.1234567Z").is_some());
    }

    proptest! {
        #[test]
        fn the_normal_form_is_read_as_any_other(
            text in "(0000|0001|2026|9999)[-/](0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])[Tt ]([01][0-9]|2[0-5]):[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,8})?(Z|z|\\+02:00)?"
        ) {
            if let Some(time) = normal(&text) {
                prop_assert_eq!(Some(time), parse_any(&text));
            } else if text.len() <= 27 && text.ends_with('Z') && !text.contains(['/', 't', ' ']) {
                prop_assert!(parse_any(&text).is_none_or(|time| time.year() == 0), "{} is of the normal form", text);
            }
        }
    }
}
