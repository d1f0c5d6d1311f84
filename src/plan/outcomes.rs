//! How the streams of a run would end: what a run would skip, and what would make it fail.

use crate::{
    error::Error,
    read::{
        context::Context,
        job::JobReport,
        outcome::{self, Problem},
    },
    streams::{Stream, StreamSet},
};

/// The refusals and failures so far.
#[derive(Debug)]
pub(super) struct Outcomes {
    outcomes: outcome::Outcomes,
    /// The streams of which only some parents were sampled.
    sampled: StreamSet,
    refused: Vec<String>,
    /// Missing permissions that were reported, each with its streams: one may be missing for every parent.
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

    /// Notes that not all parents of these streams are sampled.
    pub(super) fn sample(&mut self, streams: StreamSet) {
        self.sampled = self.sampled.union(streams);
    }

    /// Notes the result of a job.
    pub(super) fn note(&mut self, streams: StreamSet, result: Result<JobReport, Error>) {
        for Problem { streams, error, is_refusal, .. } in self.outcomes.note(streams, result) {
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

    /// What a run would skip, and what would make it fail.
    pub(super) fn messages(mut self, streams: StreamSet) -> (Vec<String>, Vec<String>) {
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

    /// Why a stream cannot be read at all, and the error of one of its parents. Parents outside the sample may be readable, unless a permission
    /// is missing.
    fn refusal_of_all(&mut self, stream: &'static Stream) -> Option<(String, String)> {
        let is_sampled = self.sampled.contains(stream);
        if !is_sampled {
            let not_found = self.outcomes.stream_mut(stream).take_not_found(stream);
            not_found.iter().for_each(|error| self.refuse(StreamSet::default().with(stream), error));
        }
        let outcome = self.outcomes.stream(stream);
        let one = outcome.refusal_of_all().filter(|error| !is_sampled || error.is_forbidden())?;
        // The number of parents is unknown if only a sample was read.
        let error = if is_sampled { one.to_string() } else { outcome.no_parent()?.to_string() };
        Some((error, one.to_string()))
    }
}
