//! Where delta of a channel is, whether it can be followed, and from when on (graph.md 4).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::activity::before;
use crate::{
    graph::Link,
    level::Trail,
    state::{self, DeltaState, RoundState},
};

/// Delta knows the changes of eight months (graph.md 4.2); months may have 28 days.
const HORIZON: Duration = Duration::from_secs(240 * 24 * 3600);

/// An opening reaches back by this much at least: changes show in delta with a delay.
const MIN_OVERLAP: Duration = Duration::from_secs(3600);

/// A channel that refused delta is tried again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// Where delta is.
#[derive(Clone, Debug)]
pub(crate) struct DeltaCursor {
    /// Whether the configuration wants delta.
    is_wanted: bool,
    /// A full refresh does not follow delta, but leaves a place to the next run.
    is_full_refresh: bool,
    /// By how much an opening overlaps with what was read.
    overlap: Duration,
    pub(super) position: DeltaPosition,
}

/// The part of the state that it is made from; each field is the one of [`Position`](crate::state::Position).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct DeltaPosition {
    pub(crate) delta_link: Option<String>,
    pub(crate) delta_at: Option<DateTime<Utc>>,
    pub(crate) delta: DeltaState,
}

/// Where the next page of delta is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Start {
    Link(Link),
    /// An opening that asks for what changed since then.
    Opening(DateTime<Utc>),
}

impl DeltaCursor {
    pub(super) fn new(position: DeltaPosition, is_wanted: bool, is_full_refresh: bool, lookback: Duration) -> Self {
        Self { is_wanted, is_full_refresh, overlap: lookback.max(MIN_OVERLAP), position }
    }

    /// Whether there is delta to follow, as far as is known before the run has asked anything of the channel: a link, or a time from which
    /// it is to be opened.
    pub(crate) fn is_followed(&self) -> bool {
        let is_possible = self.is_wanted && !self.is_full_refresh && self.position.delta.refused_at.is_none();
        is_possible && (self.position.has_link() || self.position.delta_at.is_some())
    }

    /// Whether the changes since the last round are older than what delta knows at that time of Graph's clock.
    pub(super) fn is_too_old(&self, now: Option<DateTime<Utc>>) -> bool {
        let is_too_old = |at| now.is_some_and(|now| at < before(now, HORIZON));
        !self.position.has_link() && self.position.delta_at.is_none_or(is_too_old)
    }

    /// Whether its link has not been answered for so long that it will hardly be.
    pub(super) fn is_given_up(&self, now: Option<DateTime<Utc>>) -> bool {
        now.zip(self.position.asked_at()).is_some_and(|(now, at)| before(now, TRY_AGAIN) > at)
    }

    /// Whether delta was refused, and may be tried again: the walk has met a change, or some time has passed.
    pub(crate) fn is_tried_again(&self, has_changed: bool, now: Option<DateTime<Utc>>) -> bool {
        let has_waited = |refused_at| now.is_some_and(|now| before(now, TRY_AGAIN) >= refused_at);
        let may = |refused_at| has_changed || has_waited(refused_at);
        self.is_wanted && !self.is_full_refresh && self.position.delta.refused_at.is_some_and(may)
    }

    /// Where the next page is: where the last round stopped, where the one before it ended, or an opening. `since`: nothing older is wanted.
    pub(super) fn start(&self, since: DateTime<Utc>) -> Option<Start> {
        let DeltaPosition { delta_link, delta_at, delta } = &self.position;
        let of_round = delta.round.as_ref().and_then(|round| Link::from_path(&round.link));
        let link = of_round.or_else(|| Link::from_path(delta_link.as_deref()?));
        link.map(Start::Link).or_else(|| Some(Start::Opening(before((*delta_at)?, self.overlap).max(since))))
    }

    /// A walk is done that began at that time, and has met something: where nothing is known of delta, the next run is to open it from there
    /// on. A channel in which nothing was ever found is not worth a request.
    pub(super) fn open_after_walk(&mut self, began: Option<DateTime<Utc>>, now: Option<DateTime<Utc>>) {
        if self.is_wanted && self.is_too_old(now) {
            self.position.delta_at = began;
        }
    }

    /// Graph refuses delta. The link is kept: what it shows from its time on, nothing else may show.
    pub(super) fn refuse(&mut self, now: Option<DateTime<Utc>>) {
        (self.position.delta.round, self.position.delta.refused_at) = (None, now);
    }
}

impl DeltaPosition {
    pub(super) fn has_link(&self) -> bool {
        self.delta_link.is_some() || self.delta.round.is_some()
    }

    /// When the round began that is under way, or the last one.
    fn asked_at(&self) -> Option<DateTime<Utc>> {
        self.delta.round.as_ref().map(|round| round.at).or(self.delta_at)
    }

    /// Stores the link that follows a page, for the channel of this key. The round began at the given time.
    pub(crate) fn follow(&mut self, key: &str, trail: &Trail, at: DateTime<Utc>, next: Option<&Link>, delta: Option<&Link>) {
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
        DeltaPosition { delta_link: Some(LINK.to_owned()), ..to_be_opened(at) }
    }

    fn in_round(at: DateTime<Utc>) -> DeltaPosition {
        let round = Some(RoundState { link: ROUND.to_owned(), at });
        DeltaPosition { delta: DeltaState { round, refused_at: None }, ..with_link(days_ago(9)) }
    }

    fn to_be_opened(at: DateTime<Utc>) -> DeltaPosition {
        DeltaPosition { delta_at: Some(at), ..DeltaPosition::default() }
    }

    fn refused(at: DateTime<Utc>) -> DeltaPosition {
        DeltaPosition { delta: DeltaState { round: None, refused_at: Some(at) }, ..with_link(at) }
    }

    fn link(path: &str) -> Link {
        Link::from_path(path).unwrap()
    }

    #[test]
    fn delta_is_followed_where_it_is_wanted_and_there_is_a_place_to_go_on() {
        let is_followed = |position| cursor(position).is_followed();
        assert!(!is_followed(DeltaPosition::default()));
        assert!([to_be_opened(now()), with_link(now()), in_round(now())].into_iter().all(is_followed));
        assert!(!is_followed(refused(now())));
        for (is_wanted, is_full_refresh) in [(false, false), (true, true)] {
            assert!(!DeltaCursor::new(with_link(now()), is_wanted, is_full_refresh, Duration::ZERO).is_followed());
        }
    }

    #[test]
    fn an_opening_reaches_back_no_further_than_delta_knows() {
        let is_too_old = |position| cursor(position).is_too_old(Some(now()));
        assert_eq!([days_ago(240), days_ago(241)].map(|at| is_too_old(to_be_opened(at))), [false, true]);
        assert!(is_too_old(DeltaPosition::default()));
        assert!(!is_too_old(with_link(days_ago(1000))), "a link is asked, whatever its age");
        assert!(!cursor(to_be_opened(days_ago(1000))).is_too_old(None), "Graph's clock is not known yet");
    }

    #[test]
    fn a_round_goes_on_before_a_link_and_a_link_before_an_opening() {
        let start = |position, since| cursor(position).start(since);
        assert_eq!(start(in_round(now()), days_ago(99)), Some(Start::Link(link(ROUND))));
        assert_eq!(start(with_link(now()), days_ago(99)), Some(Start::Link(link(LINK))));
        assert_eq!(start(to_be_opened(days_ago(1)), days_ago(99)), Some(Start::Opening(days_ago(1) - TimeDelta::hours(1))));
        assert_eq!(start(to_be_opened(days_ago(99)), days_ago(1)), Some(Start::Opening(days_ago(1))), "nothing older is wanted");
        assert_eq!(start(DeltaPosition::default(), days_ago(1)), None);
        let lookback = Duration::from_secs(7200);
        let overlapping = DeltaCursor::new(to_be_opened(days_ago(1)), true, false, lookback).start(days_ago(99));
        assert_eq!(overlapping, Some(Start::Opening(days_ago(1) - TimeDelta::hours(2))));
    }

    #[test]
    fn a_link_is_given_up_after_a_day_without_an_answer() {
        let is_given_up = |position| cursor(position).is_given_up(Some(now()));
        assert_eq!([1, 2].map(|days| is_given_up(with_link(days_ago(days)))), [false, true]);
        assert!(!is_given_up(in_round(days_ago(1))), "the round counts");
        assert!(!cursor(with_link(days_ago(9))).is_given_up(None));
    }

    #[test]
    fn delta_that_was_refused_is_tried_again_after_a_change_or_a_day() {
        let is_tried_again = |days, has_changed| cursor(refused(days_ago(days))).is_tried_again(has_changed, Some(now()));
        assert_eq!([is_tried_again(0, false), is_tried_again(0, true), is_tried_again(1, false)], [false, true, true]);
        assert!(!cursor(with_link(days_ago(9))).is_tried_again(true, Some(now())), "it was not refused");
    }

    #[test]
    fn a_walk_opens_delta_where_nothing_is_known_of_it() {
        let opened = |position, is_wanted, is_full_refresh| {
            let mut cursor = DeltaCursor::new(position, is_wanted, is_full_refresh, Duration::ZERO);
            cursor.open_after_walk(Some(now()), Some(now()));
            cursor.position.delta_at
        };
        assert_eq!(opened(DeltaPosition::default(), true, false), Some(now()));
        assert_eq!(opened(DeltaPosition::default(), true, true), Some(now()), "for the runs after the full refresh");
        assert_eq!(opened(DeltaPosition::default(), false, false), None);
        assert_eq!(opened(to_be_opened(days_ago(1)), true, false), Some(days_ago(1)));
        assert_eq!(opened(to_be_opened(days_ago(999)), true, false), Some(now()));
    }

    #[test]
    fn links_of_a_round_are_kept_until_it_ends_and_only_if_they_are_of_the_channel() {
        let (key, trail) = (level::key(&["t", "c"]), CHANNEL.trail());
        let (mut position, at) = (with_link(days_ago(1)), days_ago(0));
        position.follow(&key, &trail, at, Some(&link(ROUND)), None);
        assert_eq!(position.delta.round, Some(RoundState { link: ROUND.to_owned(), at }));
        assert_eq!(position.delta_at, Some(days_ago(1)));
        position.follow(&key, &trail, at, None, Some(&link(LINK)));
        assert_eq!(position, with_link(at));
        position.follow(&key, &trail, now(), None, None);
        assert_eq!(position, with_link(at));
        position.follow(&level::key(&["t", "other"]), &trail, now(), None, Some(&link(LINK)));
        assert_eq!(position, to_be_opened(now()), "a link that leads elsewhere is not stored");
    }

    #[test]
    fn a_refusal_keeps_the_link_and_ends_the_round() {
        let mut cursor = cursor(in_round(days_ago(1)));
        cursor.refuse(Some(now()));
        let delta = DeltaState { round: None, refused_at: Some(now()) };
        assert_eq!(cursor.position, DeltaPosition { delta, ..with_link(days_ago(9)) });
    }
}
