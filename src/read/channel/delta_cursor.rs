//! The cursor of delta in a channel: whether delta can be followed, and from where (graph.md 4).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::activity::before;
use crate::{
    graph::Link,
    level::Trail,
    state::{self, DeltaState, RoundState},
};

/// Delta reports changes of the last eight months (graph.md 4.2). This is shorter, because months may have 28 days.
const DELTA_HORIZON: Duration = Duration::from_secs(240 * 24 * 3600);

/// Minimum overlap of a new delta query with the time that was already read, because changes appear in delta with a delay.
const MIN_OVERLAP: Duration = Duration::from_secs(3600);

/// A channel that does not support delta is tried again after this time.
const RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone, Debug)]
pub(crate) struct DeltaCursor {
    /// Whether delta is enabled in the configuration.
    is_enabled: bool,
    /// A full refresh does not follow delta, but stores where the next run can start it.
    is_full_refresh: bool,
    /// The overlap of a new delta query with the time that was already read.
    overlap: Duration,
    pub(super) position: DeltaPosition,
}

/// The part of [`Position`](crate::state::Position) that belongs to delta; the fields are the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DeltaPosition {
    pub(crate) delta_link: Option<String>,
    pub(crate) delta_at: Option<DateTime<Utc>>,
    pub(crate) delta: DeltaState,
}

/// The next request of delta.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Start {
    Link(Link),
    /// A new delta query for the changes since this time.
    NewQuery(DateTime<Utc>),
}

impl DeltaCursor {
    pub(super) fn new(position: DeltaPosition, is_enabled: bool, is_full_refresh: bool, lookback: Duration) -> Self {
        Self { is_enabled, is_full_refresh, overlap: lookback.max(MIN_OVERLAP), position }
    }

    /// Whether delta can be followed as far as is known before the channel's first request: there is a link, or a time at which to start a
    /// new query.
    pub(crate) fn can_follow(&self) -> bool {
        let is_supported = self.is_enabled && !self.is_full_refresh && self.position.delta.refused_at.is_none();
        is_supported && (self.position.has_link() || self.position.delta_at.is_some())
    }

    /// Whether the changes since the last round are older than what delta reports, at this time of Graph's clock.
    pub(super) fn is_too_old(&self, now: Option<DateTime<Utc>>) -> bool {
        let is_too_old = |at| now.is_some_and(|now| at < before(now, DELTA_HORIZON));
        !self.position.has_link() && self.position.delta_at.is_none_or(is_too_old)
    }

    /// Whether the link has failed for so long that it is unlikely to work again.
    pub(super) fn is_link_stale(&self, now: Option<DateTime<Utc>>) -> bool {
        now.zip(self.position.round_began_at()).is_some_and(|(now, at)| before(now, RETRY_AFTER) > at)
    }

    /// Whether to retry delta in a channel that did not support it: the walk has found a change, or enough time has passed.
    pub(crate) fn should_retry(&self, has_changed: bool, now: Option<DateTime<Utc>>) -> bool {
        let has_waited = |refused_at| now.is_some_and(|now| before(now, RETRY_AFTER) >= refused_at);
        let is_due = |refused_at| has_changed || has_waited(refused_at);
        self.is_enabled && !self.is_full_refresh && self.position.delta.refused_at.is_some_and(is_due)
    }

    /// The next request: where the current round stopped, else where the last one ended, else a new query. Nothing older than `since` is
    /// needed.
    pub(super) fn start(&self, since: DateTime<Utc>) -> Option<Start> {
        let DeltaPosition { delta_link, delta_at, delta } = &self.position;
        let round_link = delta.round.as_ref().and_then(|round| Link::from_path(&round.link));
        let link = round_link.or_else(|| Link::from_path(delta_link.as_deref()?));
        link.map(Start::Link).or_else(|| Some(Start::NewQuery(before((*delta_at)?, self.overlap).max(since))))
    }

    /// Called after a walk that began at `began` and has found messages. If delta cannot be followed yet, the next run starts it from
    /// there. A channel in which nothing was ever found is not worth a request.
    pub(super) fn start_after_walk(&mut self, began: Option<DateTime<Utc>>, now: Option<DateTime<Utc>>) {
        if self.is_enabled && self.is_too_old(now) {
            self.position.delta_at = began;
        }
    }

    /// Graph does not support delta here. The link is kept, because nothing else may report the changes since then.
    pub(super) fn note_unsupported(&mut self, now: Option<DateTime<Utc>>) {
        (self.position.delta.round, self.position.delta.refused_at) = (None, now);
    }
}

impl DeltaPosition {
    pub(super) fn has_link(&self) -> bool {
        self.delta_link.is_some() || self.delta.round.is_some()
    }

    /// When the current round began, or else the last one.
    fn round_began_at(&self) -> Option<DateTime<Utc>> {
        self.delta.round.as_ref().map(|round| round.at).or(self.delta_at)
    }

    /// Stores the link that follows a page, for the channel with this key. The round began at `at`.
    pub(crate) fn store_links(&mut self, key: &str, trail: &Trail, at: DateTime<Utc>, next: Option<&Link>, delta: Option<&Link>) {
        let storable = |link: &Link| state::is_delta_link(link.as_str(), key, trail).then(|| link.as_str().to_owned());
        match (next, delta) {
            (Some(next), _) => self.delta.round = storable(next).map(|link| RoundState { link, at }),
            (None, Some(delta)) => {
                *self = Self { delta_link: storable(delta), delta_at: Some(at), delta: DeltaState::default() };
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::level::{self, CHANNEL};

    const LINK: &str = "/v1.0/teams/t/channels/c/messages/delta?$deltatoken=a";
    const ROUND: &str = "/v1.0/teams/t/channels/c/messages/delta?$skiptoken=b";

    fn now() -> DateTime<Utc> {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }

    fn days_ago(days: i64) -> DateTime<Utc> {
        now() - TimeDelta::days(days)
    }

    fn cursor(position: DeltaPosition) -> DeltaCursor {
        DeltaCursor::new(position, true, false, Duration::ZERO)
    }

    fn with_link(at: DateTime<Utc>) -> DeltaPosition {
        DeltaPosition { delta_link: Some(LINK.to_owned()), ..to_be_started(at) }
    }

    fn in_round(at: DateTime<Utc>) -> DeltaPosition {
        let round = Some(RoundState { link: ROUND.to_owned(), at });
        DeltaPosition { delta: DeltaState { round, refused_at: None }, ..with_link(days_ago(9)) }
    }

    fn to_be_started(at: DateTime<Utc>) -> DeltaPosition {
        DeltaPosition { delta_at: Some(at), ..DeltaPosition::default() }
    }

    fn refused(at: DateTime<Utc>) -> DeltaPosition {
        DeltaPosition { delta: DeltaState { round: None, refused_at: Some(at) }, ..with_link(at) }
    }

    fn link(path: &str) -> Link {
        Link::from_path(path).unwrap()
    }

    #[test]
    fn delta_is_followed_where_it_is_enabled_and_there_is_a_position_to_continue_from() {
        let can_follow = |position| cursor(position).can_follow();
        assert!(!can_follow(DeltaPosition::default()));
        assert!([to_be_started(now()), with_link(now()), in_round(now())].into_iter().all(can_follow));
        assert!(!can_follow(refused(now())));
        for (is_enabled, is_full_refresh) in [(false, false), (true, true)] {
            assert!(!DeltaCursor::new(with_link(now()), is_enabled, is_full_refresh, Duration::ZERO).can_follow());
        }
    }

    #[test]
    fn a_new_query_reaches_back_no_further_than_delta_does() {
        let is_too_old = |position| cursor(position).is_too_old(Some(now()));
        assert_eq!([days_ago(240), days_ago(241)].map(|at| is_too_old(to_be_started(at))), [false, true]);
        assert!(is_too_old(DeltaPosition::default()));
        assert!(!is_too_old(with_link(days_ago(1000))), "a link is used, whatever its age");
        assert!(!cursor(to_be_started(days_ago(1000))).is_too_old(None), "Graph's clock is not known yet");
    }

    #[test]
    fn a_round_takes_precedence_over_a_link_and_a_link_over_a_new_query() {
        let start = |position, since| cursor(position).start(since);
        assert_eq!(start(in_round(now()), days_ago(99)), Some(Start::Link(link(ROUND))));
        assert_eq!(start(with_link(now()), days_ago(99)), Some(Start::Link(link(LINK))));
        assert_eq!(start(to_be_started(days_ago(1)), days_ago(99)), Some(Start::NewQuery(days_ago(1) - TimeDelta::hours(1))));
        assert_eq!(start(to_be_started(days_ago(99)), days_ago(1)), Some(Start::NewQuery(days_ago(1))), "nothing older is needed");
        assert_eq!(start(DeltaPosition::default(), days_ago(1)), None);
        let lookback = Duration::from_secs(7200);
        let overlapping = DeltaCursor::new(to_be_started(days_ago(1)), true, false, lookback).start(days_ago(99));
        assert_eq!(overlapping, Some(Start::NewQuery(days_ago(1) - TimeDelta::hours(2))));
    }

    #[test]
    fn a_link_is_stale_after_a_day_of_failures() {
        let is_link_stale = |position| cursor(position).is_link_stale(Some(now()));
        assert_eq!([1, 2].map(|days| is_link_stale(with_link(days_ago(days)))), [false, true]);
        assert!(!is_link_stale(in_round(days_ago(1))), "the round counts");
        assert!(!cursor(with_link(days_ago(9))).is_link_stale(None));
    }

    #[test]
    fn unsupported_delta_is_retried_after_a_change_or_a_day() {
        let should_retry = |days, has_changed| cursor(refused(days_ago(days))).should_retry(has_changed, Some(now()));
        assert_eq!([should_retry(0, false), should_retry(0, true), should_retry(1, false)], [false, true, true]);
        assert!(!cursor(with_link(days_ago(9))).should_retry(true, Some(now())), "it was not refused");
    }

    #[test]
    fn a_walk_starts_delta_where_it_cannot_be_followed_yet() {
        let opened = |position, is_enabled, is_full_refresh| {
            let mut cursor = DeltaCursor::new(position, is_enabled, is_full_refresh, Duration::ZERO);
            cursor.start_after_walk(Some(now()), Some(now()));
            cursor.position.delta_at
        };
        assert_eq!(opened(DeltaPosition::default(), true, false), Some(now()));
        assert_eq!(opened(DeltaPosition::default(), true, true), Some(now()), "for the runs after the full refresh");
        assert_eq!(opened(DeltaPosition::default(), false, false), None);
        assert_eq!(opened(to_be_started(days_ago(1)), true, false), Some(days_ago(1)));
        assert_eq!(opened(to_be_started(days_ago(999)), true, false), Some(now()));
    }

    #[test]
    fn links_of_a_round_are_kept_until_it_ends_and_only_if_they_belong_to_the_channel() {
        let (key, trail) = (level::key(&["t", "c"]), CHANNEL.trail());
        let (mut position, at) = (with_link(days_ago(1)), days_ago(0));
        position.store_links(&key, &trail, at, Some(&link(ROUND)), None);
        assert_eq!(position.delta.round, Some(RoundState { link: ROUND.to_owned(), at }));
        assert_eq!(position.delta_at, Some(days_ago(1)));
        position.store_links(&key, &trail, at, None, Some(&link(LINK)));
        assert_eq!(position, with_link(at));
        position.store_links(&key, &trail, now(), None, None);
        assert_eq!(position, with_link(at));
        position.store_links(&level::key(&["t", "other"]), &trail, now(), None, Some(&link(LINK)));
        assert_eq!(position, to_be_started(now()), "a link that leads elsewhere is not stored");
    }

    #[test]
    fn a_refusal_keeps_the_link_and_ends_the_round() {
        let mut cursor = cursor(in_round(days_ago(1)));
        cursor.note_unsupported(Some(now()));
        let delta = DeltaState { round: None, refused_at: Some(now()) };
        assert_eq!(cursor.position, DeltaPosition { delta, ..with_link(days_ago(9)) });
    }
}
