//! Times in a state: those of messages as date-times, those of Graph's clock as whole seconds since 1970, which take half of the bytes.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use super::{Invalid, given::Given, version::Version};

/// The beginning of all times: Graph's own way to say that there is no bound.
pub const BEGINNING: DateTime<Utc> = first_day_of(1);

/// What comes after it has no place in a date-time of four digits a year.
const END: DateTime<Utc> = first_day_of(10_000);

const fn first_day_of(year: i32) -> DateTime<Utc> {
    match NaiveDate::from_ymd_opt(year, 1, 1) {
        Some(date) => date.and_time(NaiveTime::MIN).and_utc(),
        None => DateTime::<Utc>::UNIX_EPOCH,
    }
}

/// A time that is written as a date-time, with no more digits than it needs.
#[derive(Clone, Copy)]
pub(super) struct Moment(pub(super) DateTime<Utc>);

/// A time that is written in seconds.
#[derive(Clone, Copy)]
pub(super) struct Clock(pub(super) DateTime<Utc>);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = bounded(self.0).to_rfc3339_opts(SecondsFormat::AutoSi, true);
        match text.trim_end_matches('Z') {
            whole if !whole.contains('.') => serializer.serialize_str(&text),
            fraction => serializer.collect_str(&format_args!("{}Z", fraction.trim_end_matches('0'))),
        }
    }
}

impl Serialize for Clock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.timestamp_subsec_nanos() {
            0 => serializer.serialize_i64(bounded(self.0).timestamp()),
            _ => Moment(self.0).serialize(serializer),
        }
    }
}

/// What is written can be read again.
fn bounded(time: DateTime<Utc>) -> DateTime<Utc> {
    if time >= END { END - chrono::TimeDelta::nanoseconds(1) } else { time.max(BEGINNING) }
}

/// A time that is written as a date-time.
pub(super) fn moment(given: Given<'_, '_>) -> Result<DateTime<Utc>, Invalid> {
    date_time(given)
        .ok_or_else(|| given.invalid("is not a date-time with a time zone, such as 2026-11-20T10:00:00Z"))
        .and_then(|time| bound(time, given))
}

/// A time of Graph's clock: in version 1 a date-time, since then in seconds, unless it has a fraction.
pub(super) fn clock(given: Given<'_, '_>, version: Version) -> Result<DateTime<Utc>, Invalid> {
    if version == Version::One {
        return moment(given);
    }
    let time = match given.whole() {
        Some(seconds) => DateTime::from_timestamp(seconds, 0),
        None => date_time(given),
    };
    time.ok_or_else(|| given.invalid("is neither a whole number of seconds since 1970 nor a date-time with a time zone"))
        .and_then(|time| bound(time, given))
}

fn date_time(given: Given<'_, '_>) -> Option<DateTime<Utc>> {
    given.text().ok()?.parse().ok()
}

/// What cannot be added to and subtracted from is refused.
fn bound(time: DateTime<Utc>, given: Given<'_, '_>) -> Result<DateTime<Utc>, Invalid> {
    if (1..=9999).contains(&time.year()) { Ok(time) } else { Err(given.invalid("is not within the years 1 to 9999")) }
}
