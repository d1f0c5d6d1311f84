//! The statistics of a run (records, requests, time), during the run and at its end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{graph::Counts, streams::Stream};

/// The statistics of a stream.
#[derive(Clone, Debug)]
pub struct StreamStats {
    pub stream: &'static Stream,
    pub phase: Phase,
    /// Emitted records.
    pub records: u64,
    /// Emitted messages that were changed after they were posted, without deleted ones.
    pub changed: u64,
    /// Emitted messages that are deleted.
    pub deleted: u64,
    /// Requests for this stream alone.
    pub requests: u64,
    /// Requests for this stream alone that were throttled (429).
    pub throttled: u64,
    /// Parents that were refused (403) or not found (404).
    pub skipped: u64,
    /// Parents found so far.
    pub parents: u64,
    /// Parents that have been read or skipped.
    pub done: u64,
    /// When Graph's rate limiting of the stream ends.
    pub wait_until: Option<DateTime<Utc>>,
    /// The time from the start of the run until the stream ended.
    pub duration: Option<Duration>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    Waiting,
    Reading,
    Complete,
    Incomplete,
}

/// A snapshot of the statistics of a run.
#[derive(Clone, Debug)]
pub struct Stats {
    /// All selected streams.
    pub streams: Vec<StreamStats>,
    pub requests: Counts,
    pub elapsed: Duration,
    /// Whether more parents may still be found.
    pub is_discovering: bool,
    /// An estimate of the remaining work, as soon as one is possible.
    pub remaining: Option<Remaining>,
}

/// An estimate of the remaining work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Remaining {
    pub requests: f64,
    /// The remaining requests for the longest list, which must be sent one after another.
    pub longest: f64,
}

impl Stats {
    pub fn records(&self) -> u64 {
        self.sum(|stats| stats.records)
    }

    /// The sum of a statistic over all streams.
    pub fn sum(&self, figure: impl Fn(&StreamStats) -> u64) -> u64 {
        self.streams.iter().map(figure).sum()
    }

    /// When rate limiting ends for all streams, if any stream is currently rate-limited.
    pub fn waiting_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.streams.iter().filter_map(|stats| stats.waiting_until(now)).max()
    }
}

impl StreamStats {
    /// When rate limiting of the stream ends, if the stream is currently rate-limited.
    pub fn waiting_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.wait_until.filter(|&until| until > now && self.phase == Phase::Reading)
    }
}

impl Stats {
    /// The statistics as JSON, for logs.
    pub fn json(&self) -> Value {
        let streams: Map<_, _> = self.streams.iter().map(|stats| (stats.stream.name.to_owned(), stats.json())).collect();
        let by_class: Map<_, _> = self.requests.classes.iter().map(|counts| (counts.class.name.to_owned(), counts.sent.into())).collect();
        json!({
            "seconds": seconds(self.elapsed),
            "records": self.records(),
            "changed": self.sum(|stats| stats.changed),
            "deleted": self.sum(|stats| stats.deleted),
            "requests": self.requests.sent(),
            "throttled": self.requests.throttled(),
            "skipped": self.sum(|stats| stats.skipped),
            "sign_ins": self.requests.sign_ins,
            "requests_by_class": by_class,
            "streams": streams,
        })
    }
}

impl StreamStats {
    fn json(&self) -> Value {
        let mut stats = json!({
            "state": self.outcome(),
            "records": self.records,
            "requests": self.requests,
            "throttled": self.throttled,
            "skipped": self.skipped,
            "seconds": self.duration.map(seconds),
        });
        if self.reports_changes() {
            (stats["changed"], stats["deleted"]) = (self.changed.into(), self.deleted.into());
        }
        stats
    }

    /// Whether the stream's records show changes and deletions.
    pub fn reports_changes(&self) -> bool {
        self.stream.cursor.is_some()
    }

    /// The stream's outcome in one word, at the end of the run.
    pub fn outcome(&self) -> &'static str {
        match self.phase {
            Phase::Complete => "complete",
            Phase::Incomplete => "incomplete",
            Phase::Waiting | Phase::Reading => "stopped",
        }
    }
}

/// Converts to seconds, with millisecond precision.
fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
        }
    }
}
