//! Tracks which streams are waiting for Graph. A stream waits when all of its jobs are paused.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::streams::{PerStream, Stream, StreamSet};

/// Shorter waits are not reported.
const MIN_REPORTED_WAIT: Duration = Duration::from_secs(1);

/// The waits of all streams.
#[derive(Debug, Default)]
pub(crate) struct StreamWaits(Mutex<PerStream<StreamWait>>);

#[derive(Debug, Default)]
struct StreamWait {
    /// Number of running jobs.
    jobs: usize,
    /// The paused jobs, and until when they are paused.
    paused_until: HashMap<u64, Instant>,
    /// The end of the wait that was reported last.
    reported: Option<Instant>,
}

/// Streams that are waiting, and for how long.
pub(crate) type ReportedWaits = Vec<(&'static Stream, Duration)>;

impl StreamWaits {
    pub(crate) fn job_started(&self, streams: StreamSet) {
        self.update(streams, |wait| wait.jobs += 1);
    }

    pub(crate) fn job_paused(&self, job: u64, streams: StreamSet, wait: Duration, now: Instant) -> ReportedWaits {
        let until = now.checked_add(wait).unwrap_or(now);
        self.update(streams, |wait| _ = wait.paused_until.insert(job, until));
        self.take_unreported(streams, now)
    }

    pub(crate) fn job_resumed(&self, job: u64, streams: StreamSet) {
        self.update(streams, |wait| _ = wait.paused_until.remove(&job));
    }

    /// Notes that a job has ended. The remaining jobs may all be paused.
    pub(crate) fn job_ended(&self, streams: StreamSet, now: Instant) -> ReportedWaits {
        self.update(streams, |wait| wait.jobs -= 1);
        self.take_unreported(streams, now)
    }

    /// The streams that are waiting and whose wait was not reported yet. Marks the waits as reported.
    fn take_unreported(&self, streams: StreamSet, now: Instant) -> ReportedWaits {
        let mut waits = self.waits();
        let due = streams.iter().filter_map(|stream| {
            let wait = &mut waits[stream];
            let until = wait.paused_until.values().min().copied().filter(|_| wait.paused_until.len() == wait.jobs)?;
            let length = until.duration_since(now);
            let is_new = wait.reported.is_none_or(|reported| reported <= now);
            (is_new && length >= MIN_REPORTED_WAIT).then(|| {
                wait.reported = Some(until);
                (stream, length)
            })
        });
        due.collect()
    }

    fn update(&self, streams: StreamSet, change: impl Fn(&mut StreamWait)) {
        self.waits().values_mut(streams).for_each(change);
    }

    /// A thread that panicked has left the data as it was.
    fn waits(&self) -> MutexGuard<'_, PerStream<StreamWait>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{MEMBERS, MESSAGE_REPLIES, MESSAGES};

    #[test]
    fn a_stream_waits_when_all_its_jobs_are_paused_and_each_wait_is_reported_once() {
        let (waits, now, second) = (StreamWaits::default(), Instant::now(), Duration::from_secs(1));
        let (messages, both) = (StreamSet::default().with(&MESSAGES), StreamSet::default().with(&MESSAGES).with(&MESSAGE_REPLIES));
        waits.job_started(both);
        waits.job_started(both);
        waits.job_started(StreamSet::default().with(&MEMBERS));
        let names = |waiting: ReportedWaits| waiting.into_iter().map(|(stream, wait)| (stream.name, wait.as_secs())).collect::<Vec<_>>();
        assert_eq!(names(waits.job_paused(1, both, 10 * second, now)), []);
        assert_eq!(names(waits.job_paused(2, both, 5 * second, now)), [("messages", 5), ("message_replies", 5)]);
        // The same wait, seen by another request.
        waits.job_resumed(2, both);
        assert_eq!(names(waits.job_paused(2, both, 5 * second, now + 2 * second)), []);
        waits.job_resumed(2, both);
        assert_eq!(names(waits.job_paused(2, both, 3 * second, now + 6 * second)), [("messages", 3), ("message_replies", 3)]);
        waits.job_resumed(2, both);
        // The remaining job is paused.
        waits.job_started(messages);
        assert_eq!(names(waits.job_ended(both, now + 9 * second)), [("message_replies", 1)]);
        assert_eq!(names(waits.job_paused(3, messages, second / 2, now + 9 * second)), []);
    }
}
