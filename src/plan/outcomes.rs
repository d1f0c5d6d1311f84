//! How the streams of a run would end, by what a plan has met: what a run would leave out, and what would make it fail.

use crate::{
    error::Error,
    read::{
        context::Context,
        job::JobReport,
        outcome::{self, Problem},
    },
    streams::{Stream, StreamSet},
};

/// What was met.
#[derive(Debug)]
pub(super) struct Outcomes {
    outcomes: outcome::Outcomes,
    /// The streams of whose parents only some were looked at.
    sampled: StreamSet,
    refused: Vec<String>,
    /// Permissions that are missing, each with the streams for which that was noted: it may be for all parents.
    lacking: Vec<(StreamSet, &'static str)>,
    failed: Vec<String>,
}

impl Outcomes {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            outcomes: outcome::Outcomes::new(context),
            sampled: StreamSet::default(),
            refused: Vec::new(),
            lacking: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Not all parents of these streams are looked at.
    pub(super) fn sample(&mut self, streams: StreamSet) {
        self.sampled = self.sampled.union(streams);
    }

    /// Takes note of what a job came to.
    pub(super) fn note(&mut self, feeds: StreamSet, result: Result<JobReport, Error>) {
        for Problem { streams, error, is_refusal, .. } in self.outcomes.note(feeds, result) {
            if is_refusal { self.refuse(streams, &error) } else { self.failed.push(error.to_string()) }
        }
    }

    fn refuse(&mut self, streams: StreamSet, error: &Error) {
        let lacks = error.missing_permission().map(|permission| (streams, permission));
        if !lacks.is_some_and(|lacks| self.lacking.contains(&lacks)) {
            self.refused.push(error.to_string());
            self.lacking.extend(lacks);
        }
    }

    /// What a run would leave out, and what would make it fail.
    pub(super) fn sentences(mut self, streams: StreamSet) -> (Vec<String>, Vec<String>) {
        let (mut failing, mut reported) = (Vec::<(String, Vec<&str>)>::new(), Vec::new());
        for stream in streams.iter() {
            let (without_any, one) = self.refusal_of_all(stream).unzip();
            reported.extend(one);
            let incomplete = self.outcomes.stream(stream).incomplete_list().map(|error| error.to_string());
            for error in without_any.into_iter().chain(incomplete) {
                match failing.iter_mut().find(|(known, _)| *known == error) {
                    Some((_, streams)) => streams.push(stream.name),
                    None => failing.push((error, vec![stream.name])),
                }
            }
        }
        self.refused.retain(|refused| !reported.contains(refused));
        let failing = failing.into_iter().map(|(error, streams)| format!("{} would fail: {error}", streams.join(", ")));
        (self.refused, failing.chain(self.failed).collect())
    }

    /// Why nothing can be read of a stream, and what is reported of one of its parents. What was not looked at may be there; only a permission
    /// is missing everywhere.
    fn refusal_of_all(&mut self, stream: &'static Stream) -> Option<(String, String)> {
        let is_sampled = self.sampled.contains(stream);
        if !is_sampled {
            let not_found = self.outcomes.stream_mut(stream).take_not_found(stream);
            not_found.iter().for_each(|error| self.refuse(StreamSet::default().with(stream), error));
        }
        let outcome = self.outcomes.stream(stream);
        let one = outcome.refusal_of_all().filter(|error| !is_sampled || error.is_forbidden())?;
        // Of a sample it is not known how many there are.
        let error = if is_sampled { one.to_string() } else { outcome.no_parent()?.to_string() };
        Some((error, one.to_string()))
    }
}
