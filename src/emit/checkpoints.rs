//! When a state is written: often enough that little is read again, seldom enough that states stay few beside the records.

use std::time::{Duration, Instant};

use super::Report;
use crate::{
    error::Fault,
    state::StreamState,
    streams::{Mode, PerStream, Stream},
};

/// A state is written after so long, whatever its size, also in the midst of a channel.
const AT_LEAST_EVERY: Duration = Duration::from_secs(300);

/// Or after so many pages: what Graph gives in that time at most, 20 a second.
const PAGES: u64 = 5000;

/// Or when so many times its size of records came since: states stay under 5% of the bytes.
const RECORDS_TO_STATES: u64 = 20;

/// What each selected stream's state is, and when it was written.
#[derive(Debug)]
pub(super) struct Checkpoints(PerStream<Option<Checkpoint>>);

#[derive(Debug)]
struct Checkpoint {
    state: StreamState,
    /// Whether there is something in it that was not written.
    changed: bool,
    /// Bytes of records since it was written.
    records: u64,
    /// Pages since it was written.
    pages: u64,
    /// When it was written, or when the run began.
    at: Instant,
    /// How large it was; [`None`] before it was first written.
    bytes: Option<u64>,
}

impl Checkpoint {
    fn is_due(&self, now: Instant, offered: bool) -> bool {
        let is_worth_its_bytes = self.bytes.is_none_or(|bytes| self.records >= bytes.saturating_mul(RECORDS_TO_STATES));
        now.duration_since(self.at) >= AT_LEAST_EVERY || self.pages >= PAGES || offered && is_worth_its_bytes
    }
}

impl Checkpoints {
    /// The states that the streams begin with.
    pub(super) fn new(states: Vec<(&'static Stream, StreamState)>) -> Self {
        let at = Instant::now();
        let begin = |state| Checkpoint { state, changed: false, records: 0, pages: 0, at, bytes: None };
        Self(states.into_iter().map(|(stream, state)| (stream, begin(state))).collect())
    }

    fn of(&mut self, stream: &Stream) -> Option<&mut Checkpoint> {
        self.0[stream].as_mut()
    }

    /// So many bytes of records of the stream were written.
    pub(super) fn records(&mut self, stream: &Stream, bytes: usize) {
        if let Some(checkpoint) = self.of(stream) {
            checkpoint.records += bytes as u64;
        }
    }

    /// Takes note of where a channel of the stream stands. Gives the state if it is to be written now.
    pub(super) fn report(&mut self, report: Report) -> Option<&StreamState> {
        let checkpoint = self.of(report.stream)?;
        checkpoint.state.set(&report.key, report.position);
        checkpoint.changed = true;
        checkpoint.pages += report.pages;
        checkpoint.is_due(Instant::now(), report.offered).then_some(&checkpoint.state)
    }

    /// Takes note of the items of lists that were left out of the stream.
    pub(super) fn damage(&mut self, stream: &Stream, marks: Vec<String>) {
        if let Some(checkpoint) = self.of(stream) {
            checkpoint.state.set_damage(marks);
            checkpoint.changed = true;
        }
    }

    /// The state of a stream when the run is stopped, if there is something in it that was not written. Records are followed by a state, also
    /// if it is the one that the run began with; but no state is written twice. What is read in full each time has none before its end.
    pub(super) fn of_stopped(&self, stream: &Stream) -> Option<&StreamState> {
        let is_first = |checkpoint: &Checkpoint| checkpoint.bytes.is_none() && checkpoint.records > 0 && stream.mode() == Mode::Incremental;
        let is_wanted = |checkpoint: &&Checkpoint| checkpoint.changed || is_first(checkpoint);
        self.0[stream].as_ref().filter(is_wanted).map(|checkpoint| &checkpoint.state)
    }

    /// The state of a stream that failed. A full refresh is taken up again only where that can help: otherwise what it has read would be
    /// left out for as long as the rest cannot be read.
    pub(super) fn of_failed(&mut self, stream: &Stream, fault: Fault) -> Option<&StreamState> {
        if let Some(checkpoint) = self.of(stream).filter(|checkpoint| fault != Fault::Transient && checkpoint.state.is_full_refresh()) {
            checkpoint.state.end_full_refresh();
            checkpoint.changed |= checkpoint.bytes.is_some();
        }
        self.of(stream).filter(|checkpoint| checkpoint.changed).map(|checkpoint| &checkpoint.state)
    }

    /// The last state of a stream that was read to its end.
    pub(super) fn last(&mut self, stream: &Stream) -> Option<&StreamState> {
        let checkpoint = self.of(stream)?;
        checkpoint.state.end_full_refresh();
        Some(&checkpoint.state)
    }

    /// The state was written, in so many bytes.
    pub(super) fn written(&mut self, stream: &Stream, bytes: usize) {
        if let Some(checkpoint) = self.of(stream) {
            (checkpoint.changed, checkpoint.records, checkpoint.pages) = (false, 0, 0);
            (checkpoint.at, checkpoint.bytes) = (Instant::now(), Some(bytes as u64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        state::Position,
        streams::{MESSAGES, TEAMS},
    };

    fn checkpoints(state: StreamState) -> Checkpoints {
        Checkpoints::new(vec![(&MESSAGES, state)])
    }

    fn report(checkpoints: &mut Checkpoints, pages: u64, offered: bool) -> bool {
        let channel = Some(Position::default());
        checkpoints.report(Report { stream: &MESSAGES, key: "t/c".to_owned(), position: channel, pages, offered }).is_some()
    }

    #[test]
    fn the_first_state_is_written_as_soon_as_it_is_offered() {
        let mut checkpoints = checkpoints(StreamState::new_partitioned("t", &MESSAGES.trail()));
        assert!(checkpoints.of_stopped(&MESSAGES).is_none());
        assert!(!report(&mut checkpoints, 1, false));
        assert!(report(&mut checkpoints, 1, true));
        assert!(checkpoints.of_stopped(&MESSAGES).is_some());
        checkpoints.written(&MESSAGES, 100);
        assert!(checkpoints.of_stopped(&MESSAGES).is_none());
    }

    #[test]
    fn a_stopped_run_writes_a_state_after_its_first_records_also_if_nothing_is_new_in_it() {
        let mut checkpoints = Checkpoints::new(vec![
            (&MESSAGES, StreamState::new_partitioned("t", &MESSAGES.trail())),
            (&TEAMS, StreamState::new_snapshot()),
        ]);
        checkpoints.records(&MESSAGES, 1);
        checkpoints.records(&TEAMS, 1);
        assert_eq!(checkpoints.of_stopped(&MESSAGES), Some(&StreamState::new_partitioned("t", &MESSAGES.trail())));
        assert_eq!(checkpoints.of_stopped(&TEAMS), None);
        checkpoints.written(&MESSAGES, 100);
        checkpoints.records(&MESSAGES, 1);
        assert_eq!(checkpoints.of_stopped(&MESSAGES), None);
    }

    #[test]
    fn further_states_wait_for_records_of_twenty_times_their_size() {
        let mut checkpoints = checkpoints(StreamState::new_partitioned("t", &MESSAGES.trail()));
        checkpoints.written(&MESSAGES, 100);
        checkpoints.records(&MESSAGES, 1999);
        assert!(!report(&mut checkpoints, 1, true));
        checkpoints.records(&MESSAGES, 1);
        assert!(!report(&mut checkpoints, 1, false));
        assert!(report(&mut checkpoints, 1, true));
    }

    #[test]
    fn after_many_pages_or_five_minutes_a_state_is_written_wherever_a_channel_stands() {
        let mut checkpoints = checkpoints(StreamState::new_partitioned("t", &MESSAGES.trail()));
        assert!(!report(&mut checkpoints, PAGES - 1, false));
        assert!(report(&mut checkpoints, 1, false));
        checkpoints.written(&MESSAGES, 100);
        let checkpoint = checkpoints.of(&MESSAGES).unwrap();
        assert!(!checkpoint.is_due(checkpoint.at + AT_LEAST_EVERY.saturating_sub(Duration::from_millis(1)), false));
        assert!(checkpoint.is_due(checkpoint.at + AT_LEAST_EVERY, false));
    }

    #[test]
    fn a_full_refresh_is_marked_until_its_end_or_until_another_attempt_cannot_help() {
        let begun = || {
            let mut checkpoints = checkpoints(StreamState::begin_full_refresh(None, "t", &MESSAGES.trail(), chrono::Utc::now()));
            assert!(report(&mut checkpoints, 1, true) && checkpoints.of_stopped(&MESSAGES).is_some_and(StreamState::is_full_refresh));
            checkpoints.written(&MESSAGES, 100);
            checkpoints
        };
        assert!(!begun().last(&MESSAGES).unwrap().is_full_refresh());
        assert_eq!(begun().of_failed(&MESSAGES, Fault::Transient), None);
        assert!(!begun().of_failed(&MESSAGES, Fault::User).unwrap().is_full_refresh());
    }
}
