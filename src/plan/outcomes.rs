//! How the streams of a run would end, by what a plan has met: what a run would leave out, and what would make it fail.

use std::sync::Arc;

use crate::{
    error::Error,
    graph::Verdict,
    read::{
        context::Context,
        job::Report,
        outcome::{StreamOutcome, is_listed},
    },
    streams::{PerStream, Stream, StreamSet},
};

/// What was met.
#[derive(Debug)]
pub(super) struct Outcomes {
    entries: PerStream<StreamOutcome>,
    /// The streams of whose parents only some were looked at.
    sampled: StreamSet,
    refused: Vec<Refusals>,
    failed: Vec<String>,
}

/// Parents that are refused alike.
#[derive(Debug)]
struct Refusals {
    /// What would be said of the first.
    first: String,
    count: u64,
    /// The streams, and the permission that is missing, if it is that.
    feeds: StreamSet,
    lacks: Option<&'static str>,
}

impl Outcomes {
    pub(super) fn new(context: &Context) -> Self {
        let entries = PerStream::from_fn(|stream| StreamOutcome::new(context, stream));
        Self { entries, sampled: StreamSet::default(), refused: Vec::new(), failed: Vec::new() }
    }

    /// Not all parents of these streams are looked at.
    pub(super) fn sample(&mut self, streams: StreamSet) {
        self.sampled = self.sampled.union(streams);
    }

    /// Takes note of what a job came to.
    pub(super) fn note(&mut self, feeds: StreamSet, report: Report) {
        self.entries(report.read).for_each(StreamOutcome::read);
        report.here.iter().for_each(|id| self.find(feeds, id));
        if let Some(team) = &report.unlisted {
            self.entries(feeds.filter(is_listed)).for_each(|entry| entry.miss_in_list(team));
        }
        report.refused.into_iter().for_each(|(streams, error)| self.note_error(streams, error));
        self.failed.extend(report.damage.map(|error| error.to_string()));
        report.failed.into_iter().for_each(|error| self.note_error(feeds, error));
    }

    /// A channel or a thread can be read.
    pub(super) fn read(&mut self, feeds: StreamSet, id: &str) {
        self.entries(feeds).for_each(StreamOutcome::read);
        self.find(feeds, id);
    }

    /// Takes note of what a run would say and go on.
    pub(super) fn note_error(&mut self, feeds: StreamSet, error: Error) {
        let error = Arc::new(error);
        match error.verdict() {
            Verdict::SkipParent | Verdict::RetryOnce => {
                self.entries(feeds).for_each(|entry| entry.refuse(&error));
                self.refuse(feeds, &error);
            }
            Verdict::Retry | Verdict::RefreshToken | Verdict::FailStream | Verdict::FailRun => {
                self.entries(feeds).for_each(|entry| entry.fail(&error));
                self.failed.push(error.to_string());
            }
        }
    }

    /// What a run would leave out, and what would make it fail: whatever is said of one stream only, or of several at once.
    pub(super) fn told(mut self, streams: StreamSet) -> (Vec<String>, Vec<String>) {
        let (mut without_any, mut said): (Vec<(String, Vec<&str>)>, Vec<String>) = (Vec::new(), Vec::new());
        for stream in streams.iter() {
            let Some((error, one)) = self.refusal_of_all(stream) else { continue };
            said.push(one);
            match without_any.iter_mut().find(|(known, _)| *known == error) {
                Some((_, streams)) => streams.push(stream.name),
                None => without_any.push((error, vec![stream.name])),
            }
        }
        self.refused.retain(|refused| !said.contains(&refused.first));
        let mut not_listed: Vec<(String, Vec<&str>)> = Vec::new();
        for stream in streams.iter() {
            let Some(error) = self.entries[stream].incomplete_list().map(|error| error.to_string()) else { continue };
            match not_listed.iter_mut().find(|(known, _)| *known == error) {
                Some((_, streams)) => streams.push(stream.name),
                None => not_listed.push((error, vec![stream.name])),
            }
        }
        let would_fail =
            without_any.into_iter().chain(not_listed).map(|(error, streams)| format!("{} would fail: {error}", streams.join(", ")));
        (self.refused.into_iter().map(Refusals::into_text).collect(), would_fail.chain(self.failed).collect())
    }

    /// Why nothing can be read of a stream, and what is said of one of its parents. What was not looked at may be there; only a permission
    /// is wanting everywhere.
    fn refusal_of_all(&mut self, stream: &'static Stream) -> Option<(String, String)> {
        let (entry, is_sampled) = (&mut self.entries[stream], self.sampled.contains(stream));
        if !is_sampled {
            let unfound = entry.give_up_wanted(stream);
            unfound.iter().for_each(|error| self.refuse(StreamSet::default().with(stream), error));
        }
        let entry = &self.entries[stream];
        let one = entry.refusal_of_all().filter(|error| !is_sampled || error.is_forbidden())?;
        // Of a sample it is not known how many there are.
        let error = if is_sampled { one.to_string() } else { entry.no_parent()?.to_string() };
        Some((error, one.to_string()))
    }

    fn refuse(&mut self, feeds: StreamSet, error: &Error) {
        let lacks = error.lacks();
        match self.refused.iter_mut().find(|known| lacks.is_some() && known.lacks == lacks && known.feeds == feeds) {
            Some(known) => known.count += 1,
            None => self.refused.push(Refusals { first: error.to_string(), count: 1, feeds, lacks }),
        }
    }

    fn find(&mut self, feeds: StreamSet, id: &str) {
        self.entries(feeds).for_each(|entry| entry.find(id));
    }

    fn entries(&mut self, streams: StreamSet) -> impl Iterator<Item = &mut StreamOutcome> {
        self.entries.of_mut(streams)
    }
}

impl Refusals {
    fn into_text(self) -> String {
        match self.count {
            1 => self.first,
            count => format!("{count} parents alike, the first: {}", self.first),
        }
    }
}
