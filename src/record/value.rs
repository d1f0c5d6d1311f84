//! Column types beyond those of JSON: open objects, JSON in strings, and date-times.

use std::{borrow::Cow, ops::RangeInclusive};

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The years of date-times that columns accept. Graph writes year 1 for "never" and "everything", which breaks some readers and is silently
/// changed by others.
const COLUMN_YEARS: RangeInclusive<i32> = 1900..=9999;

const COLUMN_LENGTH: usize = "2026-11-20T10:00:00.123456Z".len();

/// An object without declared properties, kept as Graph sends it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct OpenObject(pub Map<String, Value>);

impl JsonSchema for OpenObject {
    fn schema_name() -> Cow<'static, str> {
        "OpenObject".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object"})
    }
}

/// JSON in a string, as the Lakeflow connector writes the settings of a team.
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

/// Parses a date-time of Graph: RFC 3339 with any number of fraction digits.
///
/// Year 1 is [`None`], since Graph uses it for "never".
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    parse_utc(text).or_else(|| parse_any(text)).filter(|time| time.year() > 1)
}

/// Converts a date-time into the form of columns: UTC with `Z` and six fraction digits (truncated), so that the strings sort by time.
///
/// [`None`] if it is not a date-time, or one that columns do not accept.
pub(super) fn column_date_time(text: &str) -> Option<Cow<'_, str>> {
    let utc = parse_utc(text);
    let time = utc.or_else(|| parse_any(text)).filter(|time| COLUMN_YEARS.contains(&time.year()))?;
    Some(match utc {
        Some(_) if text.len() == COLUMN_LENGTH => Cow::Borrowed(text),
        Some(_) => Cow::Owned(with_six_digits(text)),
        None => Cow::Owned(time.to_rfc3339_opts(SecondsFormat::Micros, true)),
    })
}

/// Pads the fraction of a UTC date-time to six digits.
fn with_six_digits(text: &str) -> String {
    let mut padded = String::with_capacity(COLUMN_LENGTH);
    padded.push_str(text.trim_end_matches('Z'));
    if !padded.contains('.') {
        padded.push('.');
    }
    padded.extend(std::iter::repeat_n('0', COLUMN_LENGTH - "Z".len() - padded.len()));
    padded.push('Z');
    padded
}

fn parse_any(text: &str) -> Option<DateTime<Utc>> {
    // Destinations have no type for leap seconds.
    if text.as_bytes().get(17..19) == Some(b"60") {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// Parses `YYYY-MM-DDThh:mm:ss[.f{1,6}]Z`, the form of most date-times of Graph, much faster than a general parser.
fn parse_utc(text: &str) -> Option<DateTime<Utc>> {
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

    fn column(text: &str) -> Option<String> {
        column_date_time(text).map(Cow::into_owned)
    }

    #[test]
    fn date_times_become_utc_with_six_digits() {
        for (text, expected) in [
            ("2026-11-20T10:00:00.123456Z", "2026-11-20T10:00:00.123456Z"),
            ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00.000000Z"),
            ("2026-11-20T10:00:00.5Z", "2026-11-20T10:00:00.500000Z"),
            ("2026-11-20T10:00:00.1234567Z", "2026-11-20T10:00:00.123456Z"),
            ("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999999Z"),
            ("2026-01-01T00:30:00.25+02:00", "2025-12-31T22:30:00.250000Z"),
            ("1900-01-01T00:00:00Z", "1900-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(column(text).as_deref(), Some(expected), "{text}");
        }
        for invalid in [
            "",
            "yesterday",
            "2026-02-30T00:00:00Z",
            "2026-11-20",
            "2026-11-20T10:00:00",
            "2026-11-20T24:00:00Z",
            "2026-06-30T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "1899-12-31T23:59:59.999999Z",
            "1900-01-01T00:30:00+01:00",
        ] {
            assert_eq!(column(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn year_one_is_not_an_instant() {
        assert_eq!(instant("0001-01-01T00:00:00Z"), None);
        assert!(instant("2026-11-20T10:00:00.1234567Z").is_some());
    }

    /// RFC 3339 date-times that are close to each other, with every form of zone and fraction.
    fn date_times() -> impl Strategy<Value = String> {
        "(1899-12-31|1900-01-01|2026-11-2[01])[Tt](00|10|23):(00|59):(00|59)(\\.[059][0-9]{0,9})?(Z|z|[+-](00|02|13):(00|30))"
    }

    /// The time in microseconds according to chrono, if columns accept it.
    fn microsecond(text: &str) -> Option<i64> {
        let time = DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        (time.year() >= 1900).then(|| time.timestamp_micros())
    }

    proptest! {
        #[test]
        fn date_times_in_columns_sort_by_time(one in date_times(), other in date_times()) {
            for text in [&one, &other] {
                let converted = column(text);
                prop_assert_eq!(converted.as_deref().and_then(microsecond), microsecond(text), "{} became {:?}", text, converted);
                prop_assert!(converted.is_none_or(|converted| converted.len() == COLUMN_LENGTH && converted.ends_with('Z')));
            }
            if let (Some(one_column), Some(other_column)) = (column(&one), column(&other)) {
                prop_assert_eq!(one_column.cmp(&other_column), microsecond(&one).cmp(&microsecond(&other)), "{} and {}", one, other);
            }
        }

        #[test]
        fn the_fast_parser_agrees_with_chrono(
            text in "(0000|0001|2026|9999)[-/](0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])[Tt ]([01][0-9]|2[0-5]):[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,8})?(Z|z|\\+02:00)?"
        ) {
            if let Some(time) = parse_utc(&text) {
                prop_assert_eq!(Some(time), parse_any(&text));
            } else if text.len() <= 27 && text.ends_with('Z') && !text.contains(['/', 't', ' ']) {
                prop_assert!(parse_any(&text).is_none_or(|time| time.year() == 0), "{} has the fast form", text);
            }
        }
    }
}
