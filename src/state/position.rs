//! Where a channel, or a thread, can go on: the value that reading works with.

use chrono::{DateTime, Utc};

/// The number of hashes of items that were left out which are remembered for a channel.
pub const MOST_DAMAGE_OF_PARTITION: usize = 32;

/// Where a channel, or a thread, can go on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Position {
    /// The cursor: the newest activity that a finished walk has met.
    pub last_modified_date_time: Option<DateTime<Utc>>,
    /// Graph's clock at the first page of that walk's last pass; [`None`]: no walk has found anything yet.
    pub read_at: Option<DateTime<Utc>>,
    /// How far back the channel was read; [`None`]: to its beginning.
    pub since: Option<DateTime<Utc>>,
    /// When Graph did not give what is older than that, though it is wanted; [`None`]: nothing is missing.
    pub gap_at: Option<DateTime<Utc>>,
    /// The walk that is not finished.
    pub walk: Option<WalkState>,
    /// Where delta's next round begins, without scheme and host.
    pub delta_link: Option<String>,
    /// Graph's clock at the first page of delta's last finished round, or the time from which delta is to be opened.
    pub delta_at: Option<DateTime<Utc>>,
    /// What stands in delta's way.
    pub delta: DeltaState,
    /// What the channel said of an import of its history when it was read last; [`None`]: nothing.
    pub import: Option<String>,
    /// Hashes of items that were left out, damaged or too large, and reported: else every run that meets them would report them again.
    pub damage: Vec<String>,
}

/// A walk that is not finished.
#[derive(Clone, Debug, PartialEq)]
pub struct WalkState {
    /// The next page of the pass, without scheme and host; [`None`]: the pass begins.
    pub link: Option<String>,
    /// The newest activity on the pass's first page, as served.
    pub head: Option<DateTime<Utc>>,
    /// Graph's clock at the pass's first page.
    pub read_at: Option<DateTime<Utc>>,
    /// Where the pass stops, if it closes another.
    pub until: Option<DateTime<Utc>>,
    /// How far down the walk goes: what is older is not wanted, or was told before.
    pub floor: DateTime<Utc>,
    /// Graph's clock at the very first page of the walk.
    pub began: Option<DateTime<Utc>>,
    /// How far down another run has to look for records that one has held back, since it had emitted another version of their keys.
    pub owed: Option<DateTime<Utc>>,
    /// Whether the link leads to roots without their replies, since Graph refused to expand these.
    pub is_of_roots: bool,
}

impl WalkState {
    /// A walk down to this floor that has not begun.
    pub fn new(floor: DateTime<Utc>) -> Self {
        Self { link: None, head: None, read_at: None, until: None, floor, began: None, owed: None, is_of_roots: false }
    }

    /// The times of Graph's clock in it.
    pub(super) fn dates(&self) -> impl Iterator<Item = DateTime<Utc>> {
        [self.read_at, self.began].into_iter().flatten()
    }
}

/// What is not finished of delta.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeltaState {
    /// The round that is not finished.
    pub round: Option<RoundState>,
    /// When delta was refused for the channel.
    pub refused_at: Option<DateTime<Utc>>,
}

/// A round of delta that is not finished.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundState {
    /// Its next page, without scheme and host.
    pub link: String,
    /// Graph's clock at its first page.
    pub at: DateTime<Utc>,
}

impl Position {
    /// Graph's clock when its walk began, or when it was read last.
    pub(super) fn began(&self) -> Option<DateTime<Utc>> {
        self.walk.as_ref().map_or(self.read_at, |walk| walk.began)
    }

    /// Without the times of Graph's clock that are later than `now`, our own clock, and than the messages that were met: Graph, or whoever
    /// answered for it, gave a wrong date. Nobody knows when that was, so what depends on it is asked for once more.
    pub(super) fn without_dates_ahead(mut self, now: DateTime<Utc>) -> Self {
        let shown = self.last_modified_date_time;
        let now = shown.map_or(now, |shown| shown.max(now));
        let is_ahead = |time: &DateTime<Utc>| *time > now;
        if self.read_at.as_ref().is_some_and(is_ahead) {
            self.read_at = shown;
        }
        if self.delta_at.as_ref().is_some_and(is_ahead) {
            // The link may be of an opening that asked for changes of the future.
            (self.delta_at, self.delta_link, self.delta.round) = (self.read_at, None, None);
        }
        self.walk = self.walk.filter(|walk| !walk.dates().any(|time| time > walk.head.map_or(now, |head| head.max(now))));
        self.gap_at = self.gap_at.filter(|at| !is_ahead(at));
        self.delta.refused_at = self.delta.refused_at.filter(|at| !is_ahead(at));
        self.delta.round = self.delta.round.filter(|round| !is_ahead(&round.at));
        self
    }

    /// Whether the full refresh that began at the mark has read it.
    pub(super) fn is_of_full_refresh(&self, mark: DateTime<Utc>) -> bool {
        let is_first_walk = self.walk.is_none() || self.read_at.is_none();
        is_first_walk && self.began().is_some_and(|began| began >= mark)
    }
}
