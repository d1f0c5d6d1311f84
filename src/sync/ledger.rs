//! The state of each selected stream during a run: pending jobs, refused parents, failures.

use std::collections::{BTreeSet, HashMap};

use tracing::{debug, warn};

use crate::{
    emit::Outcome,
    error::Error,
    read::{
        context::Context,
        job::JobReport,
        outcome::{Outcomes, Problem, StreamOutcome},
    },
    streams::{PerStream, Stream, StreamSet},
};

#[derive(Debug)]
pub(super) struct Ledger {
    outcomes: Outcomes,
    /// Number of jobs that have not ended.
    pending: PerStream<usize>,
    /// Groups that are marked as teams but have none; each is reported once.
    without_team: BTreeSet<String>,
    /// The outcome of the list of teams, regardless of the streams for which it is read.
    list: StreamOutcome,
    /// Missing permissions, each with the streams for which it was reported.
    missing_permissions: HashMap<&'static str, StreamSet>,
}

impl Ledger {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            outcomes: Outcomes::new(context),
            pending: PerStream::default(),
            without_team: BTreeSet::new(),
            list: StreamOutcome::default(),
            missing_permissions: HashMap::new(),
        }
    }

    /// Adds a job for these streams.
    pub(super) fn begin(&mut self, streams: StreamSet) {
        self.pending.values_mut(streams).for_each(|pending| *pending += 1);
    }

    /// Ends a job; the jobs that follow from it must have been added. Returns the streams that have no jobs left.
    pub(super) fn end(&mut self, streams: StreamSet) -> StreamSet {
        self.pending.values_mut(streams).for_each(|pending| *pending -= 1);
        streams.filter(|stream| self.pending[stream] == 0)
    }

    /// Notes the result of a job.
    pub(super) fn note(&mut self, streams: StreamSet, mut result: Result<JobReport, Error>) {
        if let Ok(report) = &mut result {
            report.unlisted.iter().for_each(|team| self.list.note_unlisted(team));
            if let Some(team) = report.without_team.take().filter(|team| self.without_team.insert(team.clone())) {
                warn!("group {team} is marked as a team but Graph has no team for it; skipped");
            }
        }
        for problem in self.outcomes.note(streams, result) {
            if problem.is_refusal { self.report_refusal(&problem) } else { report_failure(&problem) }
        }
    }

    fn report_refusal(&mut self, Problem { streams, error, .. }: &Problem) {
        match error.missing_permission() {
            None => warn!("{error}"),
            // There may be thousands of such parents, all for the same reason.
            Some(permission) => {
                let reported = self.missing_permissions.entry(permission).or_default();
                let names: Vec<_> = streams.without(*reported).iter().map(|stream| stream.name).collect();
                *reported = reported.union(*streams);
                if names.is_empty() { debug!("{error}") } else { warn!("{error} (reported once for {})", names.join(", ")) }
            }
        }
    }

    /// The error for an incomplete list of teams, if it is incomplete.
    pub(super) fn incomplete_list(&self) -> Option<Error> {
        self.list.incomplete_list()
    }

    /// The number of parents of the stream that were refused or missing so far.
    pub(super) fn refused(&self, stream: &Stream) -> u64 {
        self.outcomes.stream(stream).refused()
    }

    /// The outcome of a stream that has no jobs left, and the number of its parents that were refused.
    pub(super) fn outcome(&mut self, stream: &'static Stream) -> (Outcome, u64) {
        let entry = self.outcomes.stream_mut(stream);
        entry.take_not_found(stream).iter().for_each(|error| warn!("{error}"));
        let outcome = entry.error().map_or(Outcome::Complete, Outcome::Incomplete);
        (outcome, entry.refused())
    }
}

fn report_failure(Problem { error, had_failed, .. }: &Problem) {
    // There may be thousands of channels that were not even requested, all for a reason that was reported.
    if error.was_skipped() && *had_failed { debug!("{error}") } else { warn!("{error}") }
}
