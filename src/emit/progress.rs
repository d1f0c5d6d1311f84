//! Keeps track of the progress of a run.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use super::{Outcome, Phase, Records, Remaining, Stats, StreamStats};
use crate::{
    graph::Counts,
    streams::{PerStream, Stream, StreamSet},
};

/// Before this time, estimates of the remaining work are not reliable.
const MIN_ELAPSED: Duration = Duration::from_secs(5);

/// At least one in this many long jobs must have started before the others are assumed to be similar.
const MAX_JOBS_PER_KNOWN_JOB: usize = 10;

/// The progress of a run. It is updated at most once per page, so the lock is cheap enough.
#[derive(Debug)]
pub struct Progress(Mutex<Counters>);

#[derive(Debug)]
struct Counters {
    started_at: Instant,
    streams: PerStream<Option<StreamStats>>,
    /// Unfinished discovery jobs. While there are any, the total is unknown.
    discovery: u64,
    /// Unfinished short jobs.
    short: u64,
    /// Long jobs that have not started.
    waiting: usize,
    /// Long jobs in progress, by number.
    long: HashMap<u64, LongJob>,
    /// The number of finished long jobs, and the total number of their requests.
    finished: (usize, f64),
}

#[derive(Debug, Default)]
struct LongJob {
    sent: f64,
    /// The estimated number of remaining requests. [`None`] before the first page.
    remaining: Option<f64>,
}

/// The size of a job, for estimates.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum JobSize {
    /// Finds new jobs.
    Discovery,
    /// Usually one request.
    #[default]
    Short,
    /// A list of unknown length.
    Long,
}

impl Default for Progress {
    fn default() -> Self {
        Self(Mutex::new(Counters {
            started_at: Instant::now(),
            streams: PerStream::default(),
            discovery: 0,
            short: 0,
            waiting: 0,
            long: HashMap::new(),
            finished: (0, 0.0),
        }))
    }
}

impl Progress {
    /// Ignores poisoning, because a panic while the lock is held leaves the counters intact.
    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn each(&self, streams: StreamSet, change: impl Fn(&mut StreamStats)) {
        let mut counters = self.lock();
        counters.streams.values_mut(streams).flatten().for_each(change);
    }

    fn one(&self, stream: &'static Stream, change: impl Fn(&mut StreamStats)) {
        self.each(StreamSet::default().with(stream), change);
    }

    pub(super) fn start_stream(&self, stream: &'static Stream) {
        let stats = StreamStats {
            stream,
            phase: Phase::Waiting,
            records: 0,
            changed: 0,
            deleted: 0,
            requests: 0,
            throttled: 0,
            skipped: 0,
            parents: 0,
            done: 0,
            wait_until: None,
            duration: None,
        };
        self.lock().streams[stream] = Some(stats);
    }

    /// Counts records that are about to be written.
    pub(super) fn add_records(&self, records: &Records) {
        let (count, (changed, deleted)) = (records.len() as u64, records.changes());
        self.one(records.stream(), |stats| {
            stats.records += count;
            stats.changed += changed;
            stats.deleted += deleted;
        });
    }

    /// Subtracts the last `dropped` records of the batch, which were not written. The stream is therefore not complete.
    pub(super) fn subtract_dropped(&self, records: &Records, dropped: usize) {
        let (dropped, all, (changed, deleted)) = (dropped as u64, records.len() as u64, records.changes());
        self.one(records.stream(), |stats| {
            stats.records -= dropped;
            // This is approximate, because it is not known which of the records show a change.
            stats.changed -= changed * dropped / all;
            stats.deleted -= deleted * dropped / all;
            stats.phase = Phase::Reading;
            stats.duration = None;
        });
    }

    /// The number of emitted records of a stream.
    pub fn record_count(&self, stream: &Stream) -> u64 {
        self.lock().streams[stream].as_ref().map_or(0, |stats| stats.records)
    }

    pub(super) fn set_rate_limit(&self, stream: &'static Stream, until: DateTime<Utc>) {
        self.one(stream, |stats| stats.wait_until = Some(until));
    }

    pub fn end_stream(&self, stream: &'static Stream, outcome: &Outcome) {
        let (elapsed, is_complete) = (self.lock().started_at.elapsed(), matches!(outcome, Outcome::Complete));
        self.one(stream, |stats| {
            stats.phase = if is_complete { Phase::Complete } else { Phase::Incomplete };
            stats.duration.get_or_insert(elapsed);
        });
    }

    /// Sets the number of parents that Graph refused or did not find.
    pub fn set_skipped(&self, stream: &'static Stream, parents: u64) {
        self.one(stream, |stats| stats.skipped = parents);
    }

    /// Adds a new job, which reads a parent of these streams.
    pub fn add_job(&self, size: JobSize, parent_of: StreamSet) {
        match size {
            JobSize::Discovery => self.lock().discovery += 1,
            JobSize::Short => self.lock().short += 1,
            JobSize::Long => self.lock().waiting += 1,
        }
        self.each(parent_of, |stats| stats.parents += 1);
    }

    /// Starts a job that reads records of these streams.
    pub fn job_started(&self, number: u64, size: JobSize, streams: StreamSet) {
        if size == JobSize::Long {
            let mut counters = self.lock();
            counters.waiting = counters.waiting.saturating_sub(1);
            counters.long.insert(number, LongJob::default());
        }
        self.each(streams, |stats| {
            if stats.phase == Phase::Waiting {
                stats.phase = Phase::Reading;
            }
        });
    }

    pub fn job_finished(&self, number: u64, size: JobSize, parent_of: StreamSet) {
        let mut counters = self.lock();
        match size {
            JobSize::Discovery => counters.discovery = counters.discovery.saturating_sub(1),
            JobSize::Short => counters.short = counters.short.saturating_sub(1),
            JobSize::Long => {
                if let Some(job) = counters.long.remove(&number) {
                    counters.finished.0 += 1;
                    counters.finished.1 += job.sent;
                }
            }
        }
        drop(counters);
        self.each(parent_of, |stats| stats.done += 1);
    }

    /// Sets the estimated number of remaining requests of a job.
    pub fn estimate_remaining(&self, number: u64, requests: f64) {
        if let Some(job) = self.lock().long.get_mut(&number) {
            job.remaining = Some(requests);
        }
    }

    /// Counts a request of a job that reads records of these streams.
    pub fn request_sent(&self, number: u64, streams: StreamSet) {
        if let Some(job) = self.lock().long.get_mut(&number) {
            job.sent += 1.0;
        }
        self.if_single(streams, |stats| stats.requests += 1);
    }

    /// Counts a request for these streams that was throttled (429).
    pub fn request_throttled(&self, streams: StreamSet) {
        self.if_single(streams, |stats| stats.throttled += 1);
    }

    /// Requests for several streams are not counted for any of them.
    fn if_single(&self, streams: StreamSet, change: impl Fn(&mut StreamStats)) {
        if streams.iter().count() == 1 {
            self.each(streams, change);
        }
    }

    /// The current statistics of the run, including the request counts.
    pub fn stats(&self, requests: Counts) -> Stats {
        let counters = self.lock();
        let elapsed = counters.started_at.elapsed();
        Stats {
            streams: counters.streams.values().flatten().cloned().collect(),
            requests,
            elapsed,
            is_discovering: counters.discovery > 0,
            remaining: counters.remaining().filter(|_| elapsed >= MIN_ELAPSED),
        }
    }
}

impl Counters {
    /// The remaining work. [`None`] while too little is known for an estimate.
    fn remaining(&self) -> Option<Remaining> {
        let estimated = || self.long.values().filter_map(|job| Some((job.sent, job.remaining?)));
        let in_progress: f64 = estimated().map(|(_, remaining)| remaining).sum();
        let longest = estimated().map(|(_, remaining)| remaining).fold(0.0, f64::max);
        let known = self.finished.0 + estimated().count();
        let unknown = self.waiting + self.long.len() - estimated().count();
        if self.discovery > 0 || known * MAX_JOBS_PER_KNOWN_JOB < known + unknown {
            return None;
        }
        let sent: f64 = estimated().map(|(sent, _)| sent).sum();
        let mean = (self.finished.1 + sent + in_progress) / known.max(1) as f64;
        Some(Remaining { requests: in_progress + unknown as f64 * mean + self.short as f64, longest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{MEMBERS, MESSAGES};

    fn remaining(progress: &Progress) -> Option<(f64, f64)> {
        progress.lock().remaining().map(|remaining| (remaining.requests, remaining.longest))
    }

    #[test]
    fn the_remaining_work_is_estimated_after_discovery_once_enough_jobs_have_started() {
        let (progress, messages) = (Progress::default(), StreamSet::default().with(&MESSAGES));
        progress.add_job(JobSize::Discovery, StreamSet::default());
        for _ in 0..20 {
            progress.add_job(JobSize::Long, messages);
        }
        progress.job_started(1, JobSize::Long, messages);
        progress.request_sent(1, messages);
        progress.estimate_remaining(1, 9.0);
        assert_eq!(remaining(&progress), None);
        progress.job_finished(0, JobSize::Discovery, StreamSet::default());
        assert_eq!(remaining(&progress), None, "one job of twenty is not enough");
        progress.job_started(2, JobSize::Long, messages);
        assert_eq!(remaining(&progress), None);
        progress.request_sent(2, messages);
        progress.estimate_remaining(2, 29.0);
        assert_eq!(remaining(&progress), Some((38.0 + 18.0 * 20.0, 29.0)));
        progress.job_finished(2, JobSize::Long, messages);
        progress.add_job(JobSize::Short, StreamSet::default().with(&MEMBERS));
        assert_eq!(remaining(&progress), Some((9.0 + 18.0 * (1.0 + 1.0 + 9.0) / 2.0 + 1.0, 9.0)));
        let early = progress.stats(Counts::default());
        assert_eq!((early.remaining, early.is_discovering), (None, false), "no estimate in the first seconds");
    }

    #[test]
    fn requests_for_several_streams_are_not_counted_for_any_of_them() {
        let progress = Progress::default();
        progress.start_stream(&MESSAGES);
        progress.start_stream(&MEMBERS);
        let messages = StreamSet::default().with(&MESSAGES);
        progress.request_sent(1, messages);
        progress.request_throttled(messages);
        progress.request_sent(2, messages.with(&MEMBERS));
        let stats = progress.stats(Counts::default());
        let counts: Vec<_> = stats.streams.iter().map(|stream| (stream.stream.name, stream.requests, stream.throttled)).collect();
        assert_eq!(counts, [("members", 0, 0), ("messages", 1, 1)]);
    }
}
