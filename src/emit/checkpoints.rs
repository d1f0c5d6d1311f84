//! When a state is written: often enough that little is read again, seldom enough that states stay few beside the records.

use std::time::{Duration, Instant};

use crate::{
    state::{ChannelState, StreamState},
    streams::{STREAMS, Stream},
};

/// A state is written after so long, whatever its size.
const AT_LEAST_EVERY: Duration = Duration::from_secs(300);

/// Or after so many reports: one comes with each page, and Graph gives no more than 20 pages a second.
const REPORTS: u32 = 5000;

/// Or when so many times its size of records came since: states stay under 5% of the bytes.
const RECORDS_TO_STATES: u64 = 20;

/// What each selected stream's state is, and when it was written.
#[derive(Debug)]
pub(super) struct Checkpoints([Option<Checkpoint>; STREAMS.len()]);

#[derive(Debug)]
struct Checkpoint {
    state: StreamState,
    /// Whether there is something in it that was not written.
    changed: bool,
    /// Bytes of records since it was written.
    records: u64,
    /// Reports since it was written.
    reports: u32,
    written: Option<Written>,
}

#[derive(Debug)]
struct Written {
    at: Instant,
    bytes: u64,
}

impl Checkpoint {
    fn is_due(&self, now: Instant) -> bool {
        self.written.as_ref().is_none_or(|written| {
            now.duration_since(written.at) >= AT_LEAST_EVERY
                || self.reports >= REPORTS
                || self.records >= written.bytes.saturating_mul(RECORDS_TO_STATES)
        })
    }
}

impl Checkpoints {
    /// The states that the streams begin with.
    pub(super) fn new(states: Vec<(&'static Stream, StreamState)>) -> Self {
        let mut checkpoints = [const { None }; STREAMS.len()];
        for (stream, state) in states {
            checkpoints[stream.position()] = Some(Checkpoint { state, changed: false, records: 0, reports: 0, written: None });
        }
        Self(checkpoints)
    }

    fn of(&mut self, stream: &Stream) -> Option<&mut Checkpoint> {
        self.0[stream.position()].as_mut()
    }

    /// So many bytes of records of the stream were written.
    pub(super) fn records(&mut self, stream: &Stream, bytes: usize) {
        if let Some(checkpoint) = self.of(stream) {
            checkpoint.records += bytes as u64;
        }
    }

    /// Takes note of where a channel of the stream stands. Gives the state if it is to be written now; `offered`: it may be.
    pub(super) fn report(&mut self, stream: &Stream, key: String, channel: Option<ChannelState>, offered: bool) -> Option<&StreamState> {
        let checkpoint = self.of(stream)?;
        checkpoint.state.set(key, channel);
        checkpoint.changed = true;
        checkpoint.reports += 1;
        (offered && checkpoint.is_due(Instant::now())).then_some(&checkpoint.state)
    }

    /// The state of a stream that did not come to its end, if there is something in it that was not written.
    pub(super) fn unwritten(&mut self, stream: &Stream) -> Option<&StreamState> {
        self.of(stream).filter(|checkpoint| checkpoint.changed).map(|checkpoint| &checkpoint.state)
    }

    /// The last state of a stream that was read to its end.
    pub(super) fn last(&mut self, stream: &Stream) -> Option<&StreamState> {
        let checkpoint = self.of(stream)?;
        checkpoint.state.set_full(false);
        Some(&checkpoint.state)
    }

    /// The state was written, in so many bytes.
    pub(super) fn written(&mut self, stream: &Stream, bytes: usize) {
        if let Some(checkpoint) = self.of(stream) {
            (checkpoint.changed, checkpoint.records, checkpoint.reports) = (false, 0, 0);
            checkpoint.written = Some(Written { at: Instant::now(), bytes: bytes as u64 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::MESSAGES;

    fn checkpoints() -> Checkpoints {
        Checkpoints::new(vec![(&MESSAGES, StreamState::of_channels("t"))])
    }

    fn report(checkpoints: &mut Checkpoints, offered: bool) -> bool {
        checkpoints.report(&MESSAGES, "t/c".to_owned(), Some(ChannelState::default()), offered).is_some()
    }

    #[test]
    fn the_first_state_is_written_as_soon_as_it_is_offered() {
        let mut checkpoints = checkpoints();
        assert!(checkpoints.unwritten(&MESSAGES).is_none());
        assert!(!report(&mut checkpoints, false));
        assert!(report(&mut checkpoints, true));
        assert!(checkpoints.unwritten(&MESSAGES).is_some());
        checkpoints.written(&MESSAGES, 100);
        assert!(checkpoints.unwritten(&MESSAGES).is_none());
    }

    #[test]
    fn further_states_wait_for_records_of_twenty_times_their_size_or_for_many_reports() {
        let mut checkpoints = checkpoints();
        checkpoints.written(&MESSAGES, 100);
        checkpoints.records(&MESSAGES, 1999);
        assert!(!report(&mut checkpoints, true));
        checkpoints.records(&MESSAGES, 1);
        assert!(report(&mut checkpoints, true));
        checkpoints.written(&MESSAGES, 100);
        assert!((1..REPORTS).all(|_| !report(&mut checkpoints, true)));
        assert!(report(&mut checkpoints, true));
    }

    #[test]
    fn after_five_minutes_a_state_is_due() {
        let mut checkpoints = checkpoints();
        checkpoints.written(&MESSAGES, 100);
        let checkpoint = checkpoints.of(&MESSAGES).unwrap();
        let written = checkpoint.written.as_ref().unwrap().at;
        assert!(!checkpoint.is_due(written + AT_LEAST_EVERY.saturating_sub(Duration::from_millis(1))));
        assert!(checkpoint.is_due(written + AT_LEAST_EVERY));
    }

    #[test]
    fn the_last_state_of_a_full_refresh_has_no_mark() {
        let mut checkpoints = Checkpoints::new(vec![(&MESSAGES, StreamState::begin_full_refresh(&serde_json::Value::Null, "t"))]);
        assert!(checkpoints.report(&MESSAGES, "t/c".to_owned(), None, true).is_some_and(StreamState::is_full));
        assert!(!checkpoints.last(&MESSAGES).unwrap().is_full());
    }
}
