//! What is known of each selected stream while it is read: what is pending, what was refused, what failed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use tracing::{debug, warn};

use crate::{
    emit::Outcome,
    error::Error,
    graph::Verdict,
    read::{
        context::Context,
        job::Report,
        outcome::{StreamOutcome, is_listed},
    },
    streams::{PerStream, Stream, StreamSet},
};

/// The streams of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    entries: PerStream<StreamOutcome>,
    /// Jobs that are not done.
    pending: PerStream<usize>,
    /// Groups that were found and have no team, each said once.
    without_team: BTreeSet<String>,
    /// What is known of the list of teams, whatever streams it feeds.
    list: StreamOutcome,
    /// Permissions that are missing, each with the streams for which that was reported.
    lacking: HashMap<&'static str, StreamSet>,
}

impl Ledger {
    pub(super) fn new(context: &Context) -> Self {
        let entries = PerStream::from_fn(|stream| StreamOutcome::new(context, stream));
        Self {
            entries,
            pending: PerStream::default(),
            without_team: BTreeSet::new(),
            list: StreamOutcome::default(),
            lacking: HashMap::new(),
        }
    }

    fn entries(&mut self, streams: StreamSet) -> impl Iterator<Item = &mut StreamOutcome> {
        self.entries.of_mut(streams)
    }

    /// A job is to be done for these streams.
    pub(super) fn begin(&mut self, feeds: StreamSet) {
        self.pending.of_mut(feeds).for_each(|pending| *pending += 1);
    }

    /// A job is done; the jobs that it leads to must have begun. Gives the streams that have no job left.
    pub(super) fn end(&mut self, feeds: StreamSet) -> StreamSet {
        self.pending.of_mut(feeds).for_each(|pending| *pending -= 1);
        feeds.filter(|stream| self.pending[stream] == 0)
    }

    /// What a job came to.
    pub(super) fn note(&mut self, feeds: StreamSet, report: Report) {
        self.entries(report.read).for_each(StreamOutcome::read);
        for id in &report.here {
            self.entries(feeds).for_each(|entry| entry.find(id));
        }
        if let Some(team) = report.without_team {
            if !self.without_team.contains(&team) {
                warn!("the group {team} is listed as a team and has none, or has none any more: it is left out");
            }
            self.without_team.insert(team);
        }
        if let Some(team) = report.unlisted {
            self.list.miss_in_list(&team);
            self.entries(feeds.filter(is_listed)).for_each(|entry| entry.miss_in_list(&team));
        }
        for (streams, error) in report.refused {
            self.refuse(streams, error);
        }
        for error in report.failed.into_iter().chain(report.damage) {
            self.fail(feeds, error);
        }
    }

    /// A job did not come to its end.
    pub(super) fn stop(&mut self, feeds: StreamSet, error: Error) {
        match error.verdict() {
            Verdict::SkipParent | Verdict::RetryOnce => self.refuse(feeds, error),
            Verdict::Retry | Verdict::RefreshToken | Verdict::FailStream | Verdict::FailRun => self.fail(feeds, error),
        }
    }

    fn refuse(&mut self, streams: StreamSet, error: Error) {
        match error.lacks() {
            None => warn!("{error}"),
            // It may be thousands of parents, for one reason.
            Some(permission) => {
                let reported = self.lacking.entry(permission).or_default();
                let names: Vec<_> = streams.without(*reported).iter().map(|stream| stream.name).collect();
                *reported = reported.union(streams);
                if names.is_empty() { debug!("{error}") } else { warn!("{error} (reported once for {})", names.join(", ")) }
            }
        }
        let error = Arc::new(error);
        self.entries(streams).for_each(|entry| entry.refuse(&error));
    }

    pub(super) fn fail(&mut self, streams: StreamSet, error: Error) {
        // What was not even asked for may be thousands of channels, for one reason that was said.
        if error.is_unasked() && streams.iter().all(|stream| self.has_failed(stream)) {
            debug!("{error}");
        } else {
            warn!("{error}");
        }
        let error = Arc::new(error);
        self.entries(streams).for_each(|entry| entry.fail(&error));
    }

    /// That the list of teams is not complete, if that is so.
    pub(super) fn incomplete_list(&self) -> Option<Error> {
        self.list.incomplete_list()
    }

    /// How many parents of the stream were refused or missing by now.
    pub(super) fn refused(&self, stream: &Stream) -> u64 {
        self.entries[stream].refused()
    }

    /// Whether something of the stream could not be read.
    pub(super) fn has_failed(&self, stream: &Stream) -> bool {
        self.entries[stream].has_failed()
    }

    /// How a stream ended that has no job left, and how many of its parents were refused.
    pub(super) fn outcome(&mut self, stream: &'static Stream) -> (Outcome, u64) {
        let entry = &mut self.entries[stream];
        entry.give_up_wanted(stream).iter().for_each(|error| warn!("{error}"));
        let outcome = entry.error().map_or(Outcome::Complete, Outcome::Incomplete);
        (outcome, entry.refused())
    }
}
