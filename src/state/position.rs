//! The position of a partition (a channel or a thread), from which reading resumes.

use chrono::{DateTime, Utc};

/// The maximum number of hashes of skipped items in the position of a partition.
pub const MAX_SKIPPED_PER_PARTITION: usize = 32;

/// The position of a channel or a thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// The cursor: the newest activity that a finished walk has seen.
    pub last_modified_date_time: Option<DateTime<Utc>>,
    /// Graph's clock at the first page of that walk's last pass. [`None`] if no walk has found anything yet.
    pub read_at: Option<DateTime<Utc>>,
    /// How far back the channel was read. [`None`] if it was read from its beginning.
    pub since: Option<DateTime<Utc>>,
    /// When Graph failed to return the requested messages older than `since`. [`None`] if nothing is missing.
    pub gap_at: Option<DateTime<Utc>>,
    pub walk: Option<WalkState>,
    /// The link of the next delta round, without scheme and host.
    pub delta_link: Option<String>,
    /// Graph's clock at the first page of the last finished delta round, or the time from which to start delta.
    pub delta_at: Option<DateTime<Utc>>,
    pub delta: DeltaState,
    /// A hash of the channel's import (migration) properties when it was last read. [`None`] if the channel was not imported.
    pub import: Option<String>,
    /// Hashes of items that were skipped and reported, so that later runs do not report them again.
    pub skipped: Vec<String>,
}

/// An unfinished walk.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkState {
    /// The next page of the pass, without scheme and host. [`None`] at the start of a pass.
    pub link: Option<String>,
    /// The newest activity on the first page of the pass, as Graph returned it.
    pub head: Option<DateTime<Utc>>,
    /// Graph's clock at the first page of the pass.
    pub read_at: Option<DateTime<Utc>>,
    /// Where the pass stops, if it is a closing pass.
    pub until: Option<DateTime<Utc>>,
    /// How far down the walk goes. Anything older was already emitted by earlier runs or is excluded by the configuration.
    pub cutoff: DateTime<Utc>,
    /// Graph's clock at the first page of the walk.
    pub began: Option<DateTime<Utc>>,
    /// How far down the next run must read to find the records that this one deferred, because it had emitted another version of their
    /// keys.
    pub oldest_deferred: Option<DateTime<Utc>>,
    /// Whether the link lists root messages without their replies, because Graph refused to expand them.
    pub lists_roots_only: bool,
}

impl WalkState {
    /// A walk down to this cutoff that has not started.
    pub fn new(cutoff: DateTime<Utc>) -> Self {
        Self { link: None, head: None, read_at: None, until: None, cutoff, began: None, oldest_deferred: None, lists_roots_only: false }
    }

    /// Its times of Graph's clock.
    pub(super) fn dates(&self) -> impl Iterator<Item = DateTime<Utc>> {
        [self.read_at, self.began].into_iter().flatten()
    }
}

/// The progress and the problems of delta.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeltaState {
    pub round: Option<RoundState>,
    /// When Graph refused delta for the channel.
    pub refused_at: Option<DateTime<Utc>>,
}

/// An unfinished delta round.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundState {
    /// The next page, without scheme and host.
    pub link: String,
    /// Graph's clock at the first page.
    pub at: DateTime<Utc>,
}

impl Position {
    /// Graph's clock when its walk began, or when it was last read.
    pub(super) fn began(&self) -> Option<DateTime<Utc>> {
        self.walk.as_ref().map_or(self.read_at, |walk| walk.began)
    }

    /// Removes times of Graph's clock that are later than both the local clock (`now`) and the newest message. Graph, or a proxy, sent a
    /// wrong date. The true time is unknown, so whatever depends on it is requested again.
    pub(super) fn without_future_dates(mut self, now: DateTime<Utc>) -> Self {
        let newest = self.last_modified_date_time;
        let now = newest.map_or(now, |newest| newest.max(now));
        let is_future = |time: &DateTime<Utc>| *time > now;
        if self.read_at.as_ref().is_some_and(is_future) {
            self.read_at = newest;
        }
        if self.delta_at.as_ref().is_some_and(is_future) {
            // The link may come from a first request whose filter lies in the future.
            (self.delta_at, self.delta_link, self.delta.round) = (self.read_at, None, None);
        }
        self.walk = self.walk.filter(|walk| !walk.dates().any(|time| time > walk.head.map_or(now, |head| head.max(now))));
        self.gap_at = self.gap_at.filter(|at| !is_future(at));
        self.delta.refused_at = self.delta.refused_at.filter(|at| !is_future(at));
        self.delta.round = self.delta.round.filter(|round| !is_future(&round.at));
        self
    }

    /// Whether it was read by the full refresh that started at `start` by Graph's clock.
    pub(super) fn belongs_to_full_refresh(&self, start: DateTime<Utc>) -> bool {
        let is_first_walk = self.walk.is_none() || self.read_at.is_none();
        is_first_walk && self.began().is_some_and(|began| began >= start)
    }
}
