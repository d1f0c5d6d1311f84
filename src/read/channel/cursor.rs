//! The cursor of one stream in a channel or thread: which messages it needs, how far down its walk goes, and where the next run
//! continues.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::activity::{Activity, before};
use crate::{
    graph::MAX_CLOCK_SKEW,
    state::{BEGINNING, WalkState},
};

/// Minimum overlap of incremental reads. The servers behind Graph may have slightly different clocks.
const MIN_OVERLAP: Duration = Duration::from_secs(2);

/// Older messages that Graph failed to return are requested again after this time.
const GAP_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);

#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    /// How far back the first read goes.
    start_date: DateTime<Utc>,
    /// The overlap of incremental reads.
    pub(crate) overlap: Duration,
    position: WalkPosition,
    /// Whether this run skips the older messages that Graph failed to return: they are not requested in every run.
    postpones_gap: bool,
    /// The newest activity that this walk has seen.
    pub(super) newest: Option<DateTime<Utc>>,
    /// Graph's clock as last seen.
    pub(crate) now: Option<DateTime<Utc>>,
    /// Graph's clock at the beginning of the walk that this run has finished.
    pub(super) began: Option<DateTime<Utc>>,
}

/// The part of [`Position`](crate::state::Position) that belongs to the walk; the fields are the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct WalkPosition {
    pub(super) last_modified_date_time: Option<DateTime<Utc>>,
    pub(super) read_at: Option<DateTime<Utc>>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) gap_at: Option<DateTime<Utc>>,
    pub(super) walk: Option<WalkState>,
}

impl Cursor {
    /// Starts at the position of an earlier run. `now` is Graph's clock, if this run has seen it.
    pub(super) fn new(position: WalkPosition, start_date: Option<DateTime<Utc>>, lookback: Duration, now: Option<DateTime<Utc>>) -> Self {
        let now_or_then = now.or(position.read_at);
        let postpones_gap = position.gap_at.zip(now_or_then).is_some_and(|(at, now)| (now - at).abs() < GAP_RETRY_AFTER);
        Self {
            start_date: start_date.unwrap_or(BEGINNING),
            overlap: lookback.max(MIN_OVERLAP),
            position,
            postpones_gap,
            newest: None,
            now: None,
            began: None,
        }
    }

    pub(super) fn position(&self) -> &WalkPosition {
        &self.position
    }

    /// Graph's clock at the first page of the last pass of a finished walk.
    pub(crate) fn read_at(&self) -> Option<DateTime<Utc>> {
        self.position.read_at
    }

    /// How far back the stream was read.
    pub(super) fn since(&self) -> DateTime<Utc> {
        self.position.since.unwrap_or(BEGINNING)
    }

    /// Whether this run has to read messages that are older than everything read so far.
    pub(super) fn has_gap(&self) -> bool {
        self.needs_older() && !self.postpones_gap
    }

    fn needs_older(&self) -> bool {
        self.position.read_at.is_some() && self.start_date < self.since()
    }

    /// Notes that the walk got no further down than `oldest`. A run on a later day reads older messages.
    pub(super) fn note_gap(&mut self, oldest: Option<DateTime<Utc>>) {
        let read_at = self.walk_mut().read_at;
        (self.position.since, self.position.gap_at) = (self.position.since.max(oldest.or(read_at)), read_at);
        self.postpones_gap = true;
    }

    /// When Graph last failed to return the older messages, if the stream still needs them.
    pub(super) fn gap_at(&self) -> Option<DateTime<Utc>> {
        self.position.gap_at.filter(|_| self.needs_older())
    }

    /// Whether a walk is in progress.
    pub(super) fn is_walking(&self) -> bool {
        self.position.walk.is_some()
    }

    /// Begins a walk unless one is in progress.
    pub(super) fn begin_walk(&mut self) {
        self.walk_mut();
    }

    /// The walk in progress, or a new one.
    pub(crate) fn walk_mut(&mut self) -> &mut WalkState {
        let (cutoff, has_gap) = (self.cutoff_of_new_walk(), self.has_gap());
        if self.position.walk.is_none() && has_gap {
            self.position.gap_at = None;
        }
        self.position.walk.get_or_insert_with(|| WalkState::new(cutoff))
    }

    /// The cutoff of a new walk. It excludes the newest message that was read, because that message was emitted.
    fn cutoff_of_new_walk(&self) -> DateTime<Utc> {
        let Some(read_at) = self.position.read_at else { return self.start_date };
        let after = |time: DateTime<Utc>| time.checked_add_signed(TimeDelta::nanoseconds(1)).unwrap_or(time);
        let newest = self.position.last_modified_date_time.map(after);
        let cutoff = newest.into_iter().fold(before(read_at, self.overlap), DateTime::min);
        // Reads everything above the gap again: a message from the gap may have changed and moved above it without ever being emitted.
        if self.has_gap() { cutoff.min(self.start_date) } else { cutoff }
    }

    /// Whether few changes are expected since the channel was last read.
    pub(crate) fn expects_few_changes(&mut self) -> bool {
        let was_read = self.position.read_at.is_some() && !self.has_gap();
        self.walk_mut().until.is_some() || was_read
    }

    /// The time at which the current pass can stop: it finds nothing for this stream among threads with older activity.
    pub(crate) fn stop(&mut self) -> DateTime<Utc> {
        let walk = self.walk_mut();
        walk.until.unwrap_or(walk.cutoff)
    }

    /// A message becomes visible shortly after its own time. All messages older than this were visible when the first page of the pass was
    /// read.
    pub(super) fn visible_before(&self) -> Option<DateTime<Utc>> {
        let read_at = self.position.walk.as_ref()?.read_at?;
        Some(before(read_at, self.overlap))
    }

    /// Whether the walk needs a message of this time.
    pub(super) fn needs(&self, activity: Activity) -> bool {
        activity.known().zip(self.position.walk.as_ref()).is_none_or(|(time, walk)| time >= walk.cutoff)
    }

    /// Whether to report a skipped message of this time: only the first pass that sees it does.
    pub(super) fn should_report(&mut self, activity: Activity) -> bool {
        // A message without a time is always needed.
        self.needs(activity) && self.walk_mut().until.is_none()
    }

    /// Notes a message that the walk has seen.
    pub(super) fn note(&mut self, activity: Activity) {
        self.newest = self.newest.max(activity.known());
    }

    /// Finishes the walk; `head` is the head of its last pass. Returns whether the time of any message is known. If not, the cursor does
    /// not move.
    pub(super) fn finish_walk(&mut self, head: Option<DateTime<Utc>>) -> bool {
        let visible = self.visible_before();
        let Some(walk) = self.position.walk.take() else { return false };
        self.began = walk.began;
        if head.is_none() && self.newest.is_none() {
            return false;
        }
        let since = match (self.position.gap_at, self.position.read_at) {
            (Some(_), _) => self.since(),
            (None, Some(_)) => walk.cutoff.min(self.since()),
            (None, None) => walk.cutoff,
        };
        self.position.since = Some(since).filter(|&since| since > BEGINNING);
        // A message on a later page counts only if it is old enough to have been visible when the first page was read.
        let newest = self.newest.zip(visible).map(|(newest, visible)| newest.min(visible));
        let head = head.map(|head| walk.read_at.filter(|&now| head > now + MAX_CLOCK_SKEW).unwrap_or(head));
        self.position.last_modified_date_time = self.position.last_modified_date_time.max(head).max(newest);
        self.position.read_at = walk.read_at;
        true
    }

    /// Keeps the walk open because records were deferred: the next run reads from the top down to `until`, or to the walk's cutoff.
    pub(super) fn keep_walk_open(&mut self, until: Option<DateTime<Utc>>) {
        let walk = self.walk_mut();
        (walk.until, walk.link, walk.oldest_deferred) = (until, None, None);
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

    /// The same, but Graph failed to return messages older than hour 5.
    fn with_gap(gap_at: Option<DateTime<Utc>>) -> WalkPosition {
        WalkPosition { since: Some(time(5)), gap_at, ..read() }
    }

    /// A walk whose last pass began at this hour.
    fn walked(position: WalkPosition, hour: u32) -> Cursor {
        let mut cursor = cursor(position);
        let walk = cursor.walk_mut();
        (walk.read_at, walk.began) = (Some(time(hour)), Some(time(hour)));
        cursor
    }

    #[test]
    fn a_first_walk_goes_down_to_the_start_date() {
        assert_eq!(cursor(WalkPosition::default()).walk_mut().cutoff, BEGINNING);
        let mut cursor = Cursor::new(WalkPosition::default(), Some(time(3)), Duration::ZERO, None);
        assert_eq!((cursor.walk_mut().cutoff, cursor.stop(), cursor.expects_few_changes()), (time(3), time(3), false));
    }

    #[test]
    fn a_later_walk_goes_down_to_the_older_of_the_newest_message_and_the_overlap() {
        let moment = TimeDelta::nanoseconds(1);
        assert_eq!(cursor(read()).walk_mut().cutoff, time(10) + moment, "that message was emitted");
        assert_eq!(cursor(WalkPosition { last_modified_date_time: Some(time(12)), ..read() }).walk_mut().cutoff, time(11));
        assert_eq!(cursor(WalkPosition { last_modified_date_time: None, ..read() }).walk_mut().cutoff, time(11));
        let without_lookback =
            Cursor::new(WalkPosition { last_modified_date_time: None, ..read() }, None, Duration::ZERO, None).walk_mut().cutoff;
        assert_eq!(without_lookback, time(12) - TimeDelta::seconds(2));
        assert!(cursor(read()).expects_few_changes());
    }

    #[test]
    fn a_gap_is_requested_again_after_a_day_and_reported_every_time() {
        let day = TimeDelta::hours(24);
        let at = |now| Cursor::new(with_gap(Some(time(12))), None, Duration::from_secs(3600), Some(now));
        let mut same_day = at(time(12) + day - TimeDelta::seconds(1));
        assert!(!same_day.has_gap() && same_day.expects_few_changes());
        assert_eq!((same_day.walk_mut().cutoff > time(5), same_day.gap_at()), (true, Some(time(12))));
        let mut next_day = at(time(12) + day);
        assert!(next_day.has_gap() && !next_day.expects_few_changes());
        assert_eq!((next_day.walk_mut().cutoff, next_day.gap_at()), (BEGINNING, None), "it is requested now");
        let mut not_needed = Cursor::new(with_gap(Some(time(12))), Some(time(5)), Duration::ZERO, None);
        assert_eq!((not_needed.has_gap(), not_needed.gap_at()), (false, None));
        assert!(not_needed.walk_mut().cutoff >= time(5));
    }

    #[test]
    fn a_walk_whose_links_form_a_loop_leaves_a_gap_below_the_oldest_message_it_read() {
        let mut cursor = walked(WalkPosition::default(), 12);
        cursor.note_gap(Some(time(6)));
        assert!(cursor.finish_walk(Some(time(10))));
        let gap = WalkPosition { since: Some(time(6)), gap_at: Some(time(12)), ..read() };
        assert_eq!(cursor.position(), &gap);
        let mut cursor = walked(WalkPosition::default(), 12);
        cursor.note_gap(None);
        cursor.finish_walk(Some(time(10)));
        assert_eq!(cursor.position().since, Some(time(12)), "the walk read nothing");
    }

    #[test]
    fn a_finished_walk_moves_the_cursor_to_the_newest_message_that_was_certainly_visible() {
        let finished = |newest: Option<u32>, head: Option<u32>| {
            let mut cursor = walked(read(), 15);
            newest.into_iter().for_each(|hour| cursor.note(Activity::Known(time(hour))));
            let is_known = cursor.finish_walk(head.map(time));
            (is_known, cursor.position().last_modified_date_time, cursor.position().read_at)
        };
        assert_eq!(finished(Some(13), Some(13)), (true, Some(time(13)), Some(time(15))));
        assert_eq!(finished(Some(16), Some(13)), (true, Some(time(14)), Some(time(15))), "it was posted while the pages were read");
        assert_eq!(finished(Some(9), Some(9)), (true, Some(time(10)), Some(time(15))), "a cursor never moves back");
        assert_eq!(finished(None, Some(20)), (true, Some(time(15)), Some(time(15))), "a message cannot be newer than the clock");
        assert_eq!(finished(None, None), (false, Some(time(10)), Some(time(12))), "no message has a time");
    }

    #[test]
    fn a_walk_that_is_kept_open_continues_from_the_top() {
        let mut cursor = walked(read(), 15);
        (cursor.walk_mut().link, cursor.walk_mut().oldest_deferred) = (Some("/v1.0/x".to_owned()), Some(time(13)));
        cursor.keep_walk_open(Some(time(13)));
        assert_eq!((cursor.stop(), cursor.walk_mut().link.clone(), cursor.walk_mut().oldest_deferred), (time(13), None, None));
        assert!(cursor.is_walking() && cursor.expects_few_changes());
        assert_eq!(cursor.read_at(), Some(time(12)), "the walk is not finished");
    }

    #[test]
    fn a_skipped_message_is_reported_by_the_first_pass_that_needs_it() {
        let mut cursor = walked(read(), 15);
        let [needed, old] = [11, 9].map(|hour| Activity::Known(time(hour)));
        assert_eq!([needed, old, Activity::Unknown].map(|activity| cursor.needs(activity)), [true, false, true]);
        assert_eq!([needed, old, Activity::Unknown].map(|activity| cursor.should_report(activity)), [true, false, true]);
        cursor.walk_mut().until = Some(time(13));
        assert_eq!([needed, Activity::Unknown].map(|activity| cursor.should_report(activity)), [false; 2], "the previous pass has seen it");
    }
}
