//! The kinds of value that a column can have beyond JSON's own.

use std::{borrow::Cow, ops::RangeInclusive};

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The years of a date-time that a column holds. Graph writes year 1 for "never" and "all of it"; as a date it breaks some readers, and
/// others silently make another date of it.
const COLUMN_YEARS: RangeInclusive<i32> = 1900..=9999;

/// The length of a date-time in a column.
const COLUMN_LENGTH: usize = "2026-11-20T10:00:00.123456Z".len();

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
    normal(text).or_else(|| parse_any(text)).filter(|time| time.year() > 1)
}

/// A date-time in the one form that columns have: UTC with `Z` and six fraction digits (cut, not rounded). As text it sorts in time.
///
/// [`None`] if it is no date-time, or one that no column holds.
pub(super) fn column_date_time(text: &str) -> Option<Cow<'_, str>> {
    let utc = normal(text);
    let time = utc.or_else(|| parse_any(text)).filter(|time| COLUMN_YEARS.contains(&time.year()))?;
    Some(match utc {
        Some(_) if text.len() == COLUMN_LENGTH => Cow::Borrowed(text),
        Some(_) => Cow::Owned(padded(text)),
        None => Cow::Owned(time.to_rfc3339_opts(SecondsFormat::Micros, true)),
    })
}

/// A normal date-time with all its fraction digits: what most that Graph sends lacks.
fn padded(text: &str) -> String {
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
    // A leap second has no place in the destinations' types.
    if text.as_bytes().get(17..19) == Some(b"60") {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
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

    fn column(text: &str) -> Option<String> {
        column_date_time(text).map(Cow::into_owned)
    }

    #[test]
    fn date_times_are_utc_with_six_digits_or_none() {
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
        for wrong in [
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
            assert_eq!(column(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn year_one_is_no_instant() {
        assert_eq!(instant("0001-01-01T00:00:00Z"), None);
        assert!(instant("2026-11-20T10:00:00.1234567Z").is_some());
    }

    /// Texts of RFC 3339 that Graph could send, close to one another: every form of a zone and of a fraction.
    fn date_times() -> impl Strategy<Value = String> {
        "(1899-12-31|1900-01-01|2026-11-2[01])[Tt](00|10|23):(00|59):(00|59)(\\.[059][0-9]{0,9})?(Z|z|[+-](00|02|13):(00|30))"
    }

    /// The microsecond that a text names, if a column holds it: found by chrono alone.
    fn microsecond(text: &str) -> Option<i64> {
        let time = DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        (time.year() >= 1900).then(|| time.timestamp_micros())
    }

    proptest! {
        #[test]
        fn date_times_in_columns_sort_as_texts_as_they_do_in_time(one in date_times(), other in date_times()) {
            for text in [&one, &other] {
                let held = column(text);
                prop_assert_eq!(held.as_deref().and_then(microsecond), microsecond(text), "{} became {:?}", text, held);
                prop_assert!(held.is_none_or(|held| held.len() == COLUMN_LENGTH && held.ends_with('Z')));
            }
            if let (Some(one_held), Some(other_held)) = (column(&one), column(&other)) {
                prop_assert_eq!(one_held.cmp(&other_held), microsecond(&one).cmp(&microsecond(&other)), "{} and {}", one, other);
            }
        }

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
