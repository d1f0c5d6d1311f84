//! Decides when to write a state: often enough that an interrupted run loses little work, and rarely enough that states add little to the output.

use std::time::{Duration, Instant};

use super::PositionUpdate;
use crate::{
    error::Fault,
    state::StreamState,
    streams::{Mode, PerStream, Stream},
};

/// After this time, a state is written regardless of its size, even in the middle of a channel.
const MAX_INTERVAL: Duration = Duration::from_secs(300);

/// A state is also written after this number of pages. At 20 per second, Graph allows about as many in `MAX_INTERVAL`.
const MAX_PAGES: u64 = 5000;

/// A state is also written when the records since the last one are this many times its size, which keeps states below 5% of the output.
const MIN_RECORDS_PER_STATE: u64 = 20;

/// The current state of each selected stream, and when it was last written.
#[derive(Debug)]
pub(super) struct Checkpoints(PerStream<Option<Checkpoint>>);

#[derive(Debug)]
struct Checkpoint {
    state: StreamState,
    /// Whether the state has changed since it was last written.
    changed: bool,
    /// Bytes of records since the state was last written.
    records: u64,
    /// Pages since the state was last written.
    pages: u64,
    /// When the state was last written, or when the run started.
    at: Instant,
    /// The size of the state when it was last written. [`None`] if it has not been written yet.
    bytes: Option<u64>,
}

impl Checkpoint {
    fn is_due(&self, now: Instant, offered: bool) -> bool {
        let is_worth_its_bytes = self.bytes.is_none_or(|bytes| self.records >= bytes.saturating_mul(MIN_RECORDS_PER_STATE));
        now.duration_since(self.at) >= MAX_INTERVAL || self.pages >= MAX_PAGES || offered && is_worth_its_bytes
    }
}

impl Checkpoints {
    pub(super) fn new(states: Vec<(&'static Stream, StreamState)>) -> Self {
        let at = Instant::now();
        let new = |state| Checkpoint { state, changed: false, records: 0, pages: 0, at, bytes: None };
        Self(states.into_iter().map(|(stream, state)| (stream, new(state))).collect())
    }

    fn get_mut(&mut self, stream: &Stream) -> Option<&mut Checkpoint> {
        self.0[stream].as_mut()
    }

    /// Counts written bytes of records.
    pub(super) fn add_records(&mut self, stream: &Stream, bytes: usize) {
        if let Some(checkpoint) = self.get_mut(stream) {
            checkpoint.records += bytes as u64;
        }
    }

    /// Updates the position of a partition. Returns the state if it is due.
    pub(super) fn update(&mut self, update: PositionUpdate) -> Option<&StreamState> {
        let checkpoint = self.get_mut(update.stream)?;
        checkpoint.state.set(&update.key, update.position);
        checkpoint.changed = true;
        checkpoint.pages += update.pages;
        checkpoint.is_due(Instant::now(), update.offered).then_some(&checkpoint.state)
    }

    pub(super) fn set_skipped(&mut self, stream: &Stream, hashes: Vec<String>) {
        if let Some(checkpoint) = self.get_mut(stream) {
            checkpoint.state.set_skipped(hashes);
            checkpoint.changed = true;
        }
    }

    /// The state to write when the run is stopped, if it has changed. After the first records of an incremental stream, a state is written even if
    /// it is still the initial one. For streams that are read in full, a state is only written at the end.
    pub(super) fn for_stopped(&self, stream: &Stream) -> Option<&StreamState> {
        let is_first = |checkpoint: &Checkpoint| checkpoint.bytes.is_none() && checkpoint.records > 0 && stream.mode() == Mode::Incremental;
        let is_due = |checkpoint: &&Checkpoint| checkpoint.changed || is_first(checkpoint);
        self.0[stream].as_ref().filter(is_due).map(|checkpoint| &checkpoint.state)
    }

    /// The state to write when a stream has failed. A full refresh is resumed only after a transient failure. After any other failure, each new
    /// attempt would skip what this one has read, for as long as the failure lasts.
    pub(super) fn for_failed(&mut self, stream: &Stream, fault: Fault) -> Option<&StreamState> {
        if let Some(checkpoint) = self.get_mut(stream).filter(|checkpoint| fault != Fault::Transient && checkpoint.state.is_full_refresh())
        {
            checkpoint.state.end_full_refresh();
            checkpoint.changed |= checkpoint.bytes.is_some();
        }
        self.get_mut(stream).filter(|checkpoint| checkpoint.changed).map(|checkpoint| &checkpoint.state)
    }

    /// The state to write when a stream is complete.
    pub(super) fn for_complete(&mut self, stream: &Stream) -> Option<&StreamState> {
        let checkpoint = self.get_mut(stream)?;
        checkpoint.state.end_full_refresh();
        Some(&checkpoint.state)
    }

    /// Records that the state was written, and its size in bytes.
    pub(super) fn written(&mut self, stream: &Stream, bytes: usize) {
        if let Some(checkpoint) = self.get_mut(stream) {
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

    fn update(checkpoints: &mut Checkpoints, pages: u64, offered: bool) -> bool {
        let position = Some(Position::default());
        checkpoints.update(PositionUpdate { stream: &MESSAGES, key: "t/c".to_owned(), position, pages, offered }).is_some()
    }

    #[test]
    fn the_first_state_is_written_at_the_first_opportunity() {
        let mut checkpoints = checkpoints(StreamState::new_partitioned("t", &MESSAGES.trail()));
        assert!(checkpoints.for_stopped(&MESSAGES).is_none());
        assert!(!update(&mut checkpoints, 1, false));
        assert!(update(&mut checkpoints, 1, true));
        assert!(checkpoints.for_stopped(&MESSAGES).is_some());
        checkpoints.written(&MESSAGES, 100);
        assert!(checkpoints.for_stopped(&MESSAGES).is_none());
    }

    #[test]
    fn a_stopped_run_writes_a_state_after_its_first_records_even_if_it_is_unchanged() {
        let mut checkpoints = Checkpoints::new(vec![
            (&MESSAGES, StreamState::new_partitioned("t", &MESSAGES.trail())),
            (&TEAMS, StreamState::new_snapshot()),
        ]);
        checkpoints.add_records(&MESSAGES, 1);
        checkpoints.add_records(&TEAMS, 1);
        assert_eq!(checkpoints.for_stopped(&MESSAGES), Some(&StreamState::new_partitioned("t", &MESSAGES.trail())));
        assert_eq!(checkpoints.for_stopped(&TEAMS), None);
        checkpoints.written(&MESSAGES, 100);
        checkpoints.add_records(&MESSAGES, 1);
        assert_eq!(checkpoints.for_stopped(&MESSAGES), None);
    }

    #[test]
    fn later_states_wait_for_records_of_twenty_times_their_size() {
        let mut checkpoints = checkpoints(StreamState::new_partitioned("t", &MESSAGES.trail()));
        checkpoints.written(&MESSAGES, 100);
        checkpoints.add_records(&MESSAGES, 1999);
        assert!(!update(&mut checkpoints, 1, true));
        checkpoints.add_records(&MESSAGES, 1);
        assert!(!update(&mut checkpoints, 1, false));
        assert!(update(&mut checkpoints, 1, true));
    }

    #[test]
    fn a_state_is_written_after_many_pages_or_five_minutes_even_within_a_channel() {
        let mut checkpoints = checkpoints(StreamState::new_partitioned("t", &MESSAGES.trail()));
        assert!(!update(&mut checkpoints, MAX_PAGES - 1, false));
        assert!(update(&mut checkpoints, 1, false));
        checkpoints.written(&MESSAGES, 100);
        let checkpoint = checkpoints.get_mut(&MESSAGES).unwrap();
        assert!(!checkpoint.is_due(checkpoint.at + MAX_INTERVAL.saturating_sub(Duration::from_millis(1)), false));
        assert!(checkpoint.is_due(checkpoint.at + MAX_INTERVAL, false));
    }

    #[test]
    fn a_full_refresh_is_marked_until_it_ends_or_cannot_be_resumed() {
        let started = || {
            let mut checkpoints = checkpoints(StreamState::begin_full_refresh(None, "t", &MESSAGES.trail(), chrono::Utc::now()));
            assert!(update(&mut checkpoints, 1, true) && checkpoints.for_stopped(&MESSAGES).is_some_and(StreamState::is_full_refresh));
            checkpoints.written(&MESSAGES, 100);
            checkpoints
        };
        assert!(!started().for_complete(&MESSAGES).unwrap().is_full_refresh());
        assert_eq!(started().for_failed(&MESSAGES, Fault::Transient), None);
        assert!(!started().for_failed(&MESSAGES, Fault::User).unwrap().is_full_refresh());
    }
}
