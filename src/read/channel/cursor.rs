//! Where one stream of a channel, or of a thread, is: what it wants, how far down its walk goes, and what that leaves to the next run.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::activity::{Activity, before};
use crate::{
    graph::SKEW,
    state::{BEGINNING, WalkState},
};

/// Graph's clock may be served by machines that differ: incremental reads overlap by this much at least.
const MIN_OVERLAP: Duration = Duration::from_secs(2);

/// What Graph did not give is asked for again after this time.
const GAP_LASTS: TimeDelta = TimeDelta::hours(24);

/// Where a stream is.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// How far back the stream is to be read when it is read for the first time.
    start_date: DateTime<Utc>,
    /// By how much incremental reads overlap.
    pub(crate) overlap: Duration,
    position: WalkPosition,
    /// Whether older messages that Graph did not give are left to another day: not every run asks for them.
    leaves_gap: bool,
    /// The newest activity that the walk has met.
    pub(super) newest: Option<DateTime<Utc>>,
    /// Graph's clock, as it was seen last.
    pub(crate) now: Option<DateTime<Utc>>,
    /// Graph's clock when the walk began that this run has finished.
    pub(super) began: Option<DateTime<Utc>>,
}

/// The part of the state that it is made from; each field is the one of [`Position`](crate::state::Position).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct WalkPosition {
    pub(super) last_modified_date_time: Option<DateTime<Utc>>,
    pub(super) read_at: Option<DateTime<Utc>>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) gap_at: Option<DateTime<Utc>>,
    pub(super) walk: Option<WalkState>,
}

impl Cursor {
    /// At the position of an earlier run, by Graph's clock as far as this run has seen it.
    pub(super) fn new(position: WalkPosition, start_date: Option<DateTime<Utc>>, lookback: Duration, now: Option<DateTime<Utc>>) -> Self {
        let now_or_then = now.or(position.read_at);
        let leaves_gap = position.gap_at.zip(now_or_then).is_some_and(|(at, now)| (now - at).abs() < GAP_LASTS);
        Self {
            start_date: start_date.unwrap_or(BEGINNING),
            overlap: lookback.max(MIN_OVERLAP),
            position,
            leaves_gap,
            newest: None,
            now: None,
            began: None,
        }
    }

    pub(super) fn position(&self) -> &WalkPosition {
        &self.position
    }

    /// Graph's clock at the first page of the last pass that a finished walk made.
    pub(crate) fn read_at(&self) -> Option<DateTime<Utc>> {
        self.position.read_at
    }

    /// How far back it was read.
    pub(super) fn since(&self) -> DateTime<Utc> {
        self.position.since.unwrap_or(BEGINNING)
    }

    /// Whether messages are to be read that are older than all that was read.
    pub(super) fn has_gap(&self) -> bool {
        self.wants_older() && !self.leaves_gap
    }

    fn wants_older(&self) -> bool {
        self.position.read_at.is_some() && self.start_date < self.since()
    }

    /// The walk could not get below this time: what is older is left to another day.
    pub(super) fn note_gap(&mut self, reached: Option<DateTime<Utc>>) {
        let read_at = self.walk().read_at;
        (self.position.since, self.position.gap_at) = (self.position.since.max(reached.or(read_at)), read_at);
        self.leaves_gap = true;
    }

    /// When this run or an earlier one was not given what is older than all that was read, though it is wanted.
    pub(super) fn gap_at(&self) -> Option<DateTime<Utc>> {
        self.position.gap_at.filter(|_| self.wants_older())
    }

    /// Whether a walk is under way.
    pub(super) fn is_walking(&self) -> bool {
        self.position.walk.is_some()
    }

    /// The walk that is under way, or a new one.
    pub(crate) fn walk(&mut self) -> &mut WalkState {
        let (floor, has_gap) = (self.floor(), self.has_gap());
        if self.position.walk.is_none() && has_gap {
            self.position.gap_at = None;
        }
        self.position.walk.get_or_insert_with(|| WalkState::new(floor))
    }

    /// How far down a new walk goes. Exclusive of the newest message that was read: it was emitted.
    fn floor(&self) -> DateTime<Utc> {
        let Some(read_at) = self.position.read_at else { return self.start_date };
        let after = |time: DateTime<Utc>| time.checked_add_signed(TimeDelta::nanoseconds(1)).unwrap_or(time);
        let newest = self.position.last_modified_date_time.map(after);
        let floor = newest.into_iter().fold(before(read_at, self.overlap), DateTime::min);
        // All above the gap once more: a message in it may by now have a time above it, and never have been emitted.
        if self.has_gap() { floor.min(self.start_date) } else { floor }
    }

    /// Whether little can have changed since the channel was read last.
    pub(crate) fn expects_little(&mut self) -> bool {
        let was_read = self.position.read_at.is_some() && !self.has_gap();
        self.walk().until.is_some() || was_read
    }

    /// Below this time the pass has nothing for the stream.
    pub(crate) fn stop(&mut self) -> DateTime<Utc> {
        let walk = self.walk();
        walk.until.unwrap_or(walk.floor)
    }

    /// A message becomes visible a little after its own time: at the first page of the pass all were visible that are older than this.
    pub(super) fn visible(&self) -> Option<DateTime<Utc>> {
        let read_at = self.position.walk.as_ref()?.read_at?;
        Some(before(read_at, self.overlap))
    }

    /// Whether a message of this time is wanted by the walk.
    pub(super) fn wants(&self, activity: Activity) -> bool {
        activity.known().zip(self.position.walk.as_ref()).is_none_or(|(time, walk)| time >= walk.floor)
    }

    /// Whether the walk is to report a damaged message of this time: once, and not by every pass that meets it again.
    pub(super) fn reports(&mut self, activity: Activity) -> bool {
        // Without a time it is wanted each time.
        self.wants(activity) && self.walk().until.is_none()
    }

    /// Takes note of a message that the walk has met.
    pub(super) fn note(&mut self, activity: Activity) {
        self.newest = self.newest.max(activity.known());
    }

    /// The walk is done; its last pass saw this head on its first page. Where no time is known, the floor stays as it was. Gives whether one is.
    pub(super) fn finish_walk(&mut self, head: Option<DateTime<Utc>>) -> bool {
        let visible = self.visible();
        let Some(walk) = self.position.walk.take() else { return false };
        self.began = walk.began;
        if head.is_none() && self.newest.is_none() {
            return false;
        }
        let since = match (self.position.gap_at, self.position.read_at) {
            (Some(_), _) => self.since(),
            (None, Some(_)) => walk.floor.min(self.since()),
            (None, None) => walk.floor,
        };
        self.position.since = Some(since).filter(|&since| since > BEGINNING);
        // What was met later than the first page was there when that was served, if it is old enough.
        let newest = self.newest.zip(visible).map(|(newest, visible)| newest.min(visible));
        let head = head.map(|head| walk.read_at.filter(|&now| head > now + SKEW).unwrap_or(head));
        self.position.last_modified_date_time = self.position.last_modified_date_time.max(head).max(newest);
        self.position.read_at = walk.read_at;
        true
    }

    /// The walk is done but for what was held back: the next run goes once more from the top down to this time, or to the walk's floor.
    pub(super) fn leave_walk(&mut self, until: Option<DateTime<Utc>>) {
        let walk = self.walk();
        (walk.until, walk.link, walk.owed) = (until, None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(hour: u32) -> DateTime<Utc> {
        format!("2026-11-20T{hour:02}:00:00Z").parse().unwrap()
    }

    fn cursor(position: WalkPosition) -> Cursor {
        Cursor::new(position, None, Duration::from_secs(3600), None)
    }

    /// A finished walk read the stream up to hour 10, at hour 12.
    fn read() -> WalkPosition {
        WalkPosition { last_modified_date_time: Some(time(10)), read_at: Some(time(12)), ..WalkPosition::default() }
    }

    /// The same where Graph did not give what is older than hour 5.
    fn with_gap(gap_at: Option<DateTime<Utc>>) -> WalkPosition {
        WalkPosition { since: Some(time(5)), gap_at, ..read() }
    }

    /// A walk whose last pass began at this hour.
    fn walked(position: WalkPosition, hour: u32) -> Cursor {
        let mut cursor = cursor(position);
        let walk = cursor.walk();
        (walk.read_at, walk.began) = (Some(time(hour)), Some(time(hour)));
        cursor
    }

    #[test]
    fn a_first_walk_goes_down_to_the_start_date() {
        assert_eq!(cursor(WalkPosition::default()).walk().floor, BEGINNING);
        let mut cursor = Cursor::new(WalkPosition::default(), Some(time(3)), Duration::ZERO, None);
        assert_eq!((cursor.walk().floor, cursor.stop(), cursor.expects_little()), (time(3), time(3), false));
    }

    #[test]
    fn a_later_walk_goes_down_to_the_older_of_the_newest_message_and_the_overlap() {
        let moment = TimeDelta::nanoseconds(1);
        assert_eq!(cursor(read()).walk().floor, time(10) + moment, "that message was emitted");
        assert_eq!(cursor(WalkPosition { last_modified_date_time: Some(time(12)), ..read() }).walk().floor, time(11));
        assert_eq!(cursor(WalkPosition { last_modified_date_time: None, ..read() }).walk().floor, time(11));
        let without_lookback =
            Cursor::new(WalkPosition { last_modified_date_time: None, ..read() }, None, Duration::ZERO, None).walk().floor;
        assert_eq!(without_lookback, time(12) - TimeDelta::seconds(2));
        assert!(cursor(read()).expects_little());
    }

    #[test]
    fn a_gap_is_asked_for_again_after_a_day_and_reported_every_time() {
        let day = TimeDelta::hours(24);
        let at = |now| Cursor::new(with_gap(Some(time(12))), None, Duration::from_secs(3600), Some(now));
        let mut same_day = at(time(12) + day - TimeDelta::seconds(1));
        assert!(!same_day.has_gap() && same_day.expects_little());
        assert_eq!((same_day.walk().floor > time(5), same_day.gap_at()), (true, Some(time(12))));
        let mut next_day = at(time(12) + day);
        assert!(next_day.has_gap() && !next_day.expects_little());
        assert_eq!((next_day.walk().floor, next_day.gap_at()), (BEGINNING, None), "it is asked for now");
        let mut not_wanted = Cursor::new(with_gap(Some(time(12))), Some(time(5)), Duration::ZERO, None);
        assert_eq!((not_wanted.has_gap(), not_wanted.gap_at()), (false, None));
        assert!(not_wanted.walk().floor >= time(5));
    }

    #[test]
    fn a_walk_whose_pages_went_round_leaves_a_gap_below_what_it_reached() {
        let mut cursor = walked(WalkPosition::default(), 12);
        cursor.note_gap(Some(time(6)));
        assert!(cursor.finish_walk(Some(time(10))));
        let gap = WalkPosition { since: Some(time(6)), gap_at: Some(time(12)), ..read() };
        assert_eq!(cursor.position(), &gap);
        let mut cursor = walked(WalkPosition::default(), 12);
        cursor.note_gap(None);
        cursor.finish_walk(Some(time(10)));
        assert_eq!(cursor.position().since, Some(time(12)), "nothing was reached");
    }

    #[test]
    fn a_finished_walk_moves_the_cursor_to_the_newest_that_was_certainly_there() {
        let finished = |newest: Option<u32>, head: Option<u32>| {
            let mut cursor = walked(read(), 15);
            newest.into_iter().for_each(|hour| cursor.note(Activity::Known(time(hour))));
            let is_known = cursor.finish_walk(head.map(time));
            (is_known, cursor.position().last_modified_date_time, cursor.position().read_at)
        };
        assert_eq!(finished(Some(13), Some(13)), (true, Some(time(13)), Some(time(15))));
        assert_eq!(finished(Some(16), Some(13)), (true, Some(time(14)), Some(time(15))), "it came while the pages were read");
        assert_eq!(finished(Some(9), Some(9)), (true, Some(time(10)), Some(time(15))), "a cursor does not go back");
        assert_eq!(finished(None, Some(20)), (true, Some(time(15)), Some(time(15))), "no message can be so new");
        assert_eq!(finished(None, None), (false, Some(time(10)), Some(time(12))), "nothing has a time");
    }

    #[test]
    fn a_walk_that_is_left_goes_on_from_the_top() {
        let mut cursor = walked(read(), 15);
        (cursor.walk().link, cursor.walk().owed) = (Some("/v1.0/x".to_owned()), Some(time(13)));
        cursor.leave_walk(Some(time(13)));
        assert_eq!((cursor.stop(), cursor.walk().link.clone(), cursor.walk().owed), (time(13), None, None));
        assert!(cursor.is_walking() && cursor.expects_little());
        assert_eq!(cursor.read_at(), Some(time(12)), "the walk is not finished");
    }

    #[test]
    fn damage_is_reported_by_the_first_pass_that_wants_the_message() {
        let mut cursor = walked(read(), 15);
        let [wanted, old] = [11, 9].map(|hour| Activity::Known(time(hour)));
        assert_eq!([wanted, old, Activity::Unknown].map(|activity| cursor.wants(activity)), [true, false, true]);
        assert_eq!([wanted, old, Activity::Unknown].map(|activity| cursor.reports(activity)), [true, false, true]);
        cursor.walk().until = Some(time(13));
        assert_eq!([wanted, Activity::Unknown].map(|activity| cursor.reports(activity)), [false; 2], "the pass before has met it");
    }
}
