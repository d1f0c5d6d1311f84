//! What is known of each selected stream while it is read: what is pending, what was refused, what failed.

use std::collections::{BTreeSet, HashMap};

use tracing::{debug, warn};

use crate::{
    emit::Outcome,
    error::Error,
    read::{
        context::Context,
        job::Report,
        outcome::{Outcomes, Problem, StreamOutcome},
    },
    streams::{PerStream, Stream, StreamSet},
};

/// The streams of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    outcomes: Outcomes,
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
        Self {
            outcomes: Outcomes::new(context),
            pending: PerStream::default(),
            without_team: BTreeSet::new(),
            list: StreamOutcome::default(),
            lacking: HashMap::new(),
        }
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
    pub(super) fn note(&mut self, feeds: StreamSet, mut result: Result<Report, Error>) {
        if let Ok(report) = &mut result {
            report.unlisted.iter().for_each(|team| self.list.miss_in_list(team));
            if let Some(team) = report.without_team.take().filter(|team| self.without_team.insert(team.clone())) {
                warn!("group {team} is marked as a team but Graph has no team for it; skipped");
            }
        }
        for problem in self.outcomes.note(feeds, result) {
            if problem.is_refusal { self.report_refusal(&problem) } else { report_failure(&problem) }
        }
    }

    fn report_refusal(&mut self, Problem { streams, error, .. }: &Problem) {
        match error.lacks() {
            None => warn!("{error}"),
            // It may be thousands of parents, for one reason.
            Some(permission) => {
                let reported = self.lacking.entry(permission).or_default();
                let names: Vec<_> = streams.without(*reported).iter().map(|stream| stream.name).collect();
                *reported = reported.union(*streams);
                if names.is_empty() { debug!("{error}") } else { warn!("{error} (reported once for {})", names.join(", ")) }
            }
        }
    }

    /// That the list of teams is not complete, if that is so.
    pub(super) fn incomplete_list(&self) -> Option<Error> {
        self.list.incomplete_list()
    }

    /// How many parents of the stream were refused or missing by now.
    pub(super) fn refused(&self, stream: &Stream) -> u64 {
        self.outcomes.of(stream).refused()
    }

    /// How a stream ended that has no job left, and how many of its parents were refused.
    pub(super) fn outcome(&mut self, stream: &'static Stream) -> (Outcome, u64) {
        let entry = self.outcomes.of_mut(stream);
        entry.give_up_wanted(stream).iter().for_each(|error| warn!("{error}"));
        let outcome = entry.error().map_or(Outcome::Complete, Outcome::Incomplete);
        (outcome, entry.refused())
    }
}

fn report_failure(Problem { error, had_failed, .. }: &Problem) {
    // What was not even asked for may be thousands of channels, for one reason that was reported.
    if error.is_unasked() && *had_failed { debug!("{error}") } else { warn!("{error}") }
}
