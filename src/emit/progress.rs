//! How far a run is: counted while it goes on.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use super::{Ahead, Figures, Outcome, Phase, Records, StreamFigures};
use crate::{
    graph::Counts,
    streams::{PerStream, Stream, StreamSet},
};

/// Before so many seconds nobody can tell how long a run will last.
const TOO_EARLY: Duration = Duration::from_secs(5);

/// Of so many lists one must have been opened before the others are taken to be like those that are known.
const KNOWN: usize = 10;

/// How far a run is. Changed once a page or less.
#[derive(Debug)]
pub struct Progress(Mutex<State>);

#[derive(Debug)]
struct State {
    began: Instant,
    streams: PerStream<Option<StreamFigures>>,
    /// Jobs that lead to others and are not done: while there are any, nobody knows how much there is.
    leading: u64,
    /// Jobs of one request, most of them, that are not done.
    short: u64,
    /// Long lists that have not begun.
    waiting: usize,
    /// Long lists that are read, by the numbers of their jobs.
    lists: HashMap<u64, List>,
    /// Long lists that were read, and the requests that they took.
    finished: (usize, f64),
}

/// A long list that is read.
#[derive(Debug, Default)]
struct List {
    sent: f64,
    /// Requests that are still to come, about; [`None`] before its first page.
    remains: Option<f64>,
}

/// What a job is to the progress.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Size {
    /// It leads to other jobs.
    Leads,
    /// One request, mostly.
    #[default]
    Short,
    /// As long as its list.
    Long,
}

impl Default for Progress {
    fn default() -> Self {
        Self(Mutex::new(State {
            began: Instant::now(),
            streams: PerStream::default(),
            leading: 0,
            short: 0,
            waiting: 0,
            lists: HashMap::new(),
            finished: (0, 0.0),
        }))
    }
}

impl Progress {
    /// A thread that panicked has left it as it was.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn each(&self, streams: StreamSet, change: impl Fn(&mut StreamFigures)) {
        let mut state = self.state();
        state.streams.values_of_mut(streams).flatten().for_each(change);
    }

    fn one(&self, stream: &'static Stream, change: impl Fn(&mut StreamFigures)) {
        self.each(StreamSet::default().with(stream), change);
    }

    /// A stream is to be read.
    pub(super) fn begin(&self, stream: &'static Stream) {
        let figures = StreamFigures {
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
            waits: None,
            took: None,
        };
        self.state().streams[stream] = Some(figures);
    }

    /// Records were told.
    pub(super) fn records(&self, records: &Records) {
        let (count, (changed, deleted)) = (records.len() as u64, records.changes());
        self.one(records.stream(), |figures| {
            figures.records += count;
            figures.changed += changed;
            figures.deleted += deleted;
        });
    }

    /// So many of these records, the last ones, were not written, and their stream is not done.
    pub(super) fn cut(&self, records: &Records, left: usize) {
        let (left, all, (changed, deleted)) = (left as u64, records.len() as u64, records.changes());
        self.one(records.stream(), |figures| {
            figures.records -= left;
            // Which of them tell of a change is not known.
            figures.changed -= changed * left / all;
            figures.deleted -= deleted * left / all;
            figures.phase = Phase::Reading;
            figures.took = None;
        });
    }

    /// How many records of a stream were told.
    pub fn count(&self, stream: &Stream) -> u64 {
        self.state().streams[stream].as_ref().map_or(0, |figures| figures.records)
    }

    /// Graph holds the stream up.
    pub(super) fn waits(&self, stream: &'static Stream, until: DateTime<Utc>) {
        self.one(stream, |figures| figures.waits = Some(until));
    }

    /// The stream has come to its end.
    pub fn end(&self, stream: &'static Stream, outcome: &Outcome) {
        let (took, is_complete) = (self.state().began.elapsed(), matches!(outcome, Outcome::Complete));
        self.one(stream, |figures| {
            figures.phase = if is_complete { Phase::Complete } else { Phase::Incomplete };
            figures.took.get_or_insert(took);
        });
    }

    /// So many parents of a stream were refused or missing by now.
    pub fn skipped(&self, stream: &'static Stream, parents: u64) {
        self.one(stream, |figures| figures.skipped = parents);
    }

    /// A job is known, which reads a parent for those streams.
    pub fn job(&self, size: Size, parent_of: StreamSet) {
        match size {
            Size::Leads => self.state().leading += 1,
            Size::Short => self.state().short += 1,
            Size::Long => self.state().waiting += 1,
        }
        self.each(parent_of, |figures| figures.parents += 1);
    }

    /// The job of that number begins.
    pub fn job_begins(&self, job: u64, size: Size, feeds: StreamSet) {
        if size == Size::Long {
            let mut state = self.state();
            state.waiting = state.waiting.saturating_sub(1);
            state.lists.insert(job, List::default());
        }
        self.each(feeds, |figures| {
            if figures.phase == Phase::Waiting {
                figures.phase = Phase::Reading;
            }
        });
    }

    /// The job of that number is done.
    pub fn job_ends(&self, job: u64, size: Size, parent_of: StreamSet) {
        let mut state = self.state();
        match size {
            Size::Leads => state.leading = state.leading.saturating_sub(1),
            Size::Short => state.short = state.short.saturating_sub(1),
            Size::Long => {
                if let Some(list) = state.lists.remove(&job) {
                    state.finished.0 += 1;
                    state.finished.1 += list.sent;
                }
            }
        }
        drop(state);
        self.each(parent_of, |figures| figures.done += 1);
    }

    /// The job of that number has so many requests ahead, about.
    pub fn remains(&self, job: u64, requests: f64) {
        if let Some(list) = self.state().lists.get_mut(&job) {
            list.remains = Some(requests);
        }
    }

    /// A request was sent for the job of that number, which feeds those streams.
    pub fn sent(&self, job: u64, feeds: StreamSet) {
        if let Some(list) = self.state().lists.get_mut(&job) {
            list.sent += 1.0;
        }
        self.alone(feeds, |figures| figures.requests += 1);
    }

    /// Graph has refused a request for those streams, since its limits are reached.
    pub fn throttled(&self, feeds: StreamSet) {
        self.alone(feeds, |figures| figures.throttled += 1);
    }

    /// What is done for several streams is no single one's.
    fn alone(&self, feeds: StreamSet, change: impl Fn(&mut StreamFigures)) {
        if feeds.iter().count() == 1 {
            self.each(feeds, change);
        }
    }

    /// How far the run is now, with what was asked of Graph.
    pub fn figures(&self, requests: Counts) -> Figures {
        let state = self.state();
        let elapsed = state.began.elapsed();
        Figures {
            streams: state.streams.values().flatten().cloned().collect(),
            requests,
            elapsed,
            discovers: state.leading > 0,
            ahead: state.ahead().filter(|_| elapsed >= TOO_EARLY),
        }
    }
}

impl State {
    /// What is still to be read; [`None`] while that would be a guess.
    fn ahead(&self) -> Option<Ahead> {
        let opened = || self.lists.values().filter_map(|list| Some((list.sent, list.remains?)));
        let under_way: f64 = opened().map(|(_, remains)| remains).sum();
        let longest = opened().map(|(_, remains)| remains).fold(0.0, f64::max);
        let known = self.finished.0 + opened().count();
        let unknown = self.waiting + self.lists.len() - opened().count();
        if self.leading > 0 || known * KNOWN < known + unknown {
            return None;
        }
        let sent: f64 = opened().map(|(sent, _)| sent).sum();
        let usual = (self.finished.1 + sent + under_way) / known.max(1) as f64;
        Some(Ahead { requests: under_way + unknown as f64 * usual + self.short as f64, longest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{MEMBERS, MESSAGES};

    fn ahead(progress: &Progress) -> Option<(f64, f64)> {
        progress.state().ahead().map(|ahead| (ahead.requests, ahead.longest))
    }

    #[test]
    fn what_is_ahead_is_told_once_all_is_found_and_enough_of_it_was_opened() {
        let (progress, messages) = (Progress::default(), StreamSet::default().with(&MESSAGES));
        progress.job(Size::Leads, StreamSet::default());
        for _ in 0..20 {
            progress.job(Size::Long, messages);
        }
        progress.job_begins(1, Size::Long, messages);
        progress.sent(1, messages);
        progress.remains(1, 9.0);
        assert_eq!(ahead(&progress), None);
        progress.job_ends(0, Size::Leads, StreamSet::default());
        assert_eq!(ahead(&progress), None, "one of twenty tells little");
        progress.job_begins(2, Size::Long, messages);
        assert_eq!(ahead(&progress), None);
        progress.sent(2, messages);
        progress.remains(2, 29.0);
        assert_eq!(ahead(&progress), Some((38.0 + 18.0 * 20.0, 29.0)));
        progress.job_ends(2, Size::Long, messages);
        progress.job(Size::Short, StreamSet::default().with(&MEMBERS));
        assert_eq!(ahead(&progress), Some((9.0 + 18.0 * (1.0 + 1.0 + 9.0) / 2.0 + 1.0, 9.0)));
        let early = progress.figures(Counts::default());
        assert_eq!((early.ahead, early.discovers), (None, false), "nobody can tell in the first seconds");
    }

    #[test]
    fn requests_for_several_streams_are_no_single_one_s() {
        let progress = Progress::default();
        progress.begin(&MESSAGES);
        progress.begin(&MEMBERS);
        let messages = StreamSet::default().with(&MESSAGES);
        progress.sent(1, messages);
        progress.throttled(messages);
        progress.sent(2, messages.with(&MEMBERS));
        let figures = progress.figures(Counts::default());
        let of: Vec<_> = figures.streams.iter().map(|of| (of.stream.name, of.requests, of.throttled)).collect();
        assert_eq!(of, [("members", 0, 0), ("messages", 1, 1)]);
    }
}
