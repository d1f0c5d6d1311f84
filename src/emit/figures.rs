//! What a run has come to, in figures: at one moment, or at its end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::{graph::Counts, streams::Stream};

/// How far a stream is.
#[derive(Clone, Debug)]
pub struct StreamFigures {
    /// The stream.
    pub stream: &'static Stream,
    /// Where it stands.
    pub phase: Phase,
    /// Records that were told.
    pub records: u64,
    /// Of these, messages that were changed since they were written, and are not deleted.
    pub changed: u64,
    /// Of these, messages that are deleted.
    pub deleted: u64,
    /// Requests for this stream and no other.
    pub requests: u64,
    /// Those of them that Graph refused since its limits were reached.
    pub throttled: u64,
    /// Parents that were refused or missing.
    pub skipped: u64,
    /// Parents of which it is known that they are read for it.
    pub parents: u64,
    /// Those that are done.
    pub done: u64,
    /// Until when Graph holds it up.
    pub waits: Option<DateTime<Utc>>,
    /// From the beginning of the run until it was done.
    pub took: Option<Duration>,
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Nothing of it was begun.
    Waiting,
    /// It is read.
    Reading,
    /// All of it was read.
    Complete,
    /// Something of it could not be read.
    Incomplete,
}

/// How far a run is, at one moment.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The selected streams.
    pub streams: Vec<StreamFigures>,
    /// What was asked of Graph.
    pub requests: Counts,
    /// Time since its beginning.
    pub elapsed: Duration,
    /// Whether more parents may be found.
    pub discovers: bool,
    /// What is still to be read, if that can be told.
    pub ahead: Option<Ahead>,
}

/// What is still to be read, about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ahead {
    /// Requests.
    pub requests: f64,
    /// Those of the longest list, which follow each other.
    pub longest: f64,
}

impl Figures {
    /// Records of all streams.
    pub fn records(&self) -> u64 {
        self.sum(|figures| figures.records)
    }

    /// What all streams have together.
    pub fn sum(&self, of: impl Fn(&StreamFigures) -> u64) -> u64 {
        self.streams.iter().map(of).sum()
    }

    /// Until when Graph holds streams up, if it still does.
    pub fn waits(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.streams.iter().filter_map(|figures| figures.waits_at(now)).max()
    }
}

impl StreamFigures {
    /// Until when Graph holds it up, if it still does.
    pub fn waits_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.waits.filter(|&until| until > now && self.phase == Phase::Reading)
    }
}

impl Figures {
    /// As JSON, for logs.
    pub fn json(&self) -> Value {
        let streams: Map<_, _> = self.streams.iter().map(|figures| (figures.stream.name.to_owned(), figures.json())).collect();
        let by_class: Map<_, _> = self.requests.classes.iter().map(|counts| (counts.class.name.to_owned(), counts.sent.into())).collect();
        json!({
            "seconds": seconds(self.elapsed),
            "records": self.records(),
            "changed": self.sum(|figures| figures.changed),
            "deleted": self.sum(|figures| figures.deleted),
            "requests": self.requests.sent(),
            "throttled": self.requests.throttled(),
            "skipped": self.sum(|figures| figures.skipped),
            "sign_ins": self.requests.sign_ins,
            "requests_by_class": by_class,
            "streams": streams,
        })
    }
}

impl StreamFigures {
    fn json(&self) -> Value {
        let mut figures = json!({
            "state": self.state(),
            "records": self.records,
            "requests": self.requests,
            "throttled": self.throttled,
            "skipped": self.skipped,
            "seconds": self.took.map(seconds),
        });
        if self.tells_changes() {
            (figures["changed"], figures["deleted"]) = (self.changed.into(), self.deleted.into());
        }
        figures
    }

    /// Whether its records tell what became of them since they were made.
    pub fn tells_changes(&self) -> bool {
        self.stream.cursor.is_some()
    }

    /// Where it stood when the run ended, as a word.
    pub fn state(&self) -> &'static str {
        match self.phase {
            Phase::Complete => "complete",
            Phase::Incomplete => "incomplete",
            Phase::Waiting | Phase::Reading => "stopped",
        }
    }
}

/// To the millisecond.
fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}

impl Phase {
    /// As a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
        }
    }
}
