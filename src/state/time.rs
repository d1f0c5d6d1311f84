//! Times in a state. Times of messages are written as date-times, times of Graph's clock as seconds since 1970, which take half the bytes.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::{InvalidState, json::JsonValue, version::Version};

/// Year 1, with which Graph itself says that there is no lower bound.
pub const BEGINNING: DateTime<Utc> = first_day_of(1);

/// Date-times have four-digit years, so they must be earlier than this.
const END: DateTime<Utc> = first_day_of(10_000);

const fn first_day_of(year: i32) -> DateTime<Utc> {
    match NaiveDate::from_ymd_opt(year, 1, 1) {
        Some(date) => date.and_time(NaiveTime::MIN).and_utc(),
        None => DateTime::<Utc>::UNIX_EPOCH,
    }
}

/// Serializes a time as a date-time with as few digits as possible.
#[derive(Clone, Copy)]
pub(super) struct AsDateTime(pub(super) DateTime<Utc>);

/// Serializes a time as seconds since 1970, or as a date-time if it has a fraction.
#[derive(Clone, Copy)]
pub(super) struct AsSeconds(pub(super) DateTime<Utc>);

impl Serialize for AsDateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = clamp(self.0).to_rfc3339_opts(SecondsFormat::AutoSi, true);
        match text.trim_end_matches('Z') {
            seconds if !seconds.contains('.') => serializer.serialize_str(&text),
            fraction => serializer.collect_str(&format_args!("{}Z", fraction.trim_end_matches('0'))),
        }
    }
}

impl Serialize for AsSeconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.timestamp_subsec_nanos() {
            0 => serializer.serialize_i64(clamp(self.0).timestamp()),
            _ => AsDateTime(self.0).serialize(serializer),
        }
    }
}

/// Moves a time into the range that can be read again.
fn clamp(time: DateTime<Utc>) -> DateTime<Utc> {
    if time >= END { END - chrono::TimeDelta::nanoseconds(1) } else { time.max(BEGINNING) }
}

/// Parses a time of a message: a date-time.
pub(super) fn parse_date_time(json: JsonValue<'_, '_>) -> Result<DateTime<Utc>, InvalidState> {
    parse_rfc3339(json)
        .ok_or_else(|| json.invalid("is not a date-time with a time zone, such as 2026-11-20T10:00:00Z"))
        .and_then(|time| check_range(time, json))
}

/// Parses a time of Graph's clock: a date-time in version 1, in version 2 also a number of seconds.
pub(super) fn parse_clock(json: JsonValue<'_, '_>, version: Version) -> Result<DateTime<Utc>, InvalidState> {
    if version == Version::One {
        return parse_date_time(json);
    }
    let time = match json.integer() {
        Some(seconds) => DateTime::from_timestamp(seconds, 0),
        None => parse_rfc3339(json),
    };
    time.ok_or_else(|| json.invalid("is neither a whole number of seconds since 1970 nor a date-time with a time zone"))
        .and_then(|time| check_range(time, json))
}

fn parse_rfc3339(json: JsonValue<'_, '_>) -> Option<DateTime<Utc>> {
    json.string().ok()?.parse().ok()
}

/// Rejects times so extreme that arithmetic on them could overflow.
fn check_range(time: DateTime<Utc>, json: JsonValue<'_, '_>) -> Result<DateTime<Utc>, InvalidState> {
    if (1..=9999).contains(&time.year()) { Ok(time) } else { Err(json.invalid("is not within the years 1 to 9999")) }
}
