//! Collects the outcome of each stream: the number of its parents that were read or refused, the ids that were not found, and the first
//! failure.

use std::{collections::BTreeSet, sync::Arc};

use super::{context::Context, job::JobReport, wanted::ids_to_find};
use crate::{
    error::Error,
    graph::FailureAction,
    streams::{PerStream, Stream, StreamSet},
};

#[derive(Debug)]
pub(crate) struct Outcomes(PerStream<StreamOutcome>);

/// A problem of a job that is to be reported.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) streams: StreamSet,
    pub(crate) error: Arc<Error>,
    /// Whether only a parent is skipped; otherwise the streams are incomplete.
    pub(crate) is_refusal: bool,
    /// Whether all of the streams had failed before.
    pub(crate) had_failed: bool,
}

impl Outcomes {
    pub(crate) fn new(context: &Context) -> Self {
        Self(PerStream::from_fn(|stream| StreamOutcome::new(context, stream)))
    }

    pub(crate) fn stream(&self, stream: &Stream) -> &StreamOutcome {
        &self.0[stream]
    }

    pub(crate) fn stream_mut(&mut self, stream: &Stream) -> &mut StreamOutcome {
        &mut self.0[stream]
    }

    /// Notes the result of a job. Returns the problems to report.
    pub(crate) fn note(&mut self, streams: StreamSet, result: Result<JobReport, Error>) -> Vec<Problem> {
        let report = match result {
            Ok(report) => report,
            Err(error) => return vec![self.stop(streams, error)],
        };
        self.0.values_mut(report.completed).for_each(StreamOutcome::note_read);
        for id in &report.found_ids {
            self.0.values_mut(streams).for_each(|stream| stream.note_found(id));
        }
        if let Some(team) = report.unlisted {
            self.0.values_mut(streams.filter(depends_on_team_list)).for_each(|stream| stream.note_unlisted(&team));
        }
        let mut problems: Vec<_> = report.refused.into_iter().map(|(streams, error)| self.refuse(streams, error)).collect();
        problems.extend(report.failed.into_iter().chain(report.skipped).map(|error| self.fail(streams, error)));
        problems
    }

    /// Notes a job that failed.
    fn stop(&mut self, streams: StreamSet, error: Error) -> Problem {
        match error.action() {
            FailureAction::SkipParent | FailureAction::RetryOnce => self.refuse(streams, error),
            FailureAction::Retry | FailureAction::RefreshToken | FailureAction::FailStream | FailureAction::FailRun => {
                self.fail(streams, error)
            }
        }
    }

    fn refuse(&mut self, streams: StreamSet, error: Error) -> Problem {
        let error = Arc::new(error);
        self.0.values_mut(streams).for_each(|stream| stream.refuse(&error));
        Problem { streams, error, is_refusal: true, had_failed: false }
    }

    fn fail(&mut self, streams: StreamSet, error: Error) -> Problem {
        let error = Arc::new(error);
        let had_failed = streams.iter().all(|stream| self.0[stream].has_failed());
        self.0.values_mut(streams).for_each(|stream| stream.fail(&error));
        Problem { streams, error, is_refusal: false, had_failed }
    }
}

/// Reported if no group is marked as a team.
pub(crate) const NO_TEAMS: &str = "Graph returned no teams for this tenant; hint: if the tenant has teams, check `tenant_id` and the permissions \
    of the application, and run again";

/// The outcome of a stream.
#[derive(Debug, Default)]
pub(crate) struct StreamOutcome {
    /// Number of parents that were read to their end.
    read: u64,
    refused: u64,
    /// The refusal to show if there is no other error: preferably one for a missing permission, else the first.
    refusal: Option<Arc<Error>>,
    failure: Option<Arc<Error>>,
    /// The number of existing teams that Graph does not list, and one of them.
    unlisted: Option<(u64, String)>,
    missing_ids: BTreeSet<String>,
}

impl StreamOutcome {
    fn new(context: &Context, stream: &'static Stream) -> Self {
        Self { missing_ids: ids_to_find(context, stream).into_iter().collect(), ..Self::default() }
    }

    fn note_read(&mut self) {
        self.read += 1;
    }

    fn note_found(&mut self, id: &str) {
        self.missing_ids.remove(id);
    }

    fn refuse(&mut self, error: &Arc<Error>) {
        self.refused += 1;
        let is_more_informative = self.refusal.as_ref().is_none_or(|known| error.is_forbidden() && !known.is_forbidden());
        if is_more_informative {
            self.refusal = Some(error.clone());
        }
    }

    fn fail(&mut self, error: &Arc<Error>) {
        self.failure.get_or_insert_with(|| error.clone());
    }

    /// The number of parents that were refused or missing.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Returns an error for each configured id that was not found. To be called when nothing more can be found.
    pub(crate) fn take_not_found(&mut self, stream: &'static Stream) -> Vec<Arc<Error>> {
        let missing_ids = std::mem::take(&mut self.missing_ids);
        if self.failure.is_some() {
            return Vec::new();
        }
        let errors: Vec<_> = missing_ids.into_iter().map(|id| Arc::new(Error::NotFound { id, stream: stream.name })).collect();
        errors.iter().for_each(|error| self.refuse(error));
        errors
    }

    /// If every parent was refused or missing: the most informative refusal.
    pub(crate) fn refusal_of_all(&self) -> Option<&Arc<Error>> {
        self.refusal.as_ref().filter(|_| self.read == 0)
    }

    /// The same, together with the number of parents.
    pub(crate) fn no_parent(&self) -> Option<Arc<Error>> {
        let one = self.refusal_of_all()?;
        Some(if self.refused > 1 { Arc::new(Error::NoParentReadable { count: self.refused, example: one.clone() }) } else { one.clone() })
    }

    /// Notes a team that exists but that Graph does not list.
    pub(crate) fn note_unlisted(&mut self, team: &str) {
        let (count, _) = self.unlisted.get_or_insert_with(|| (0, team.to_owned()));
        *count += 1;
    }

    /// The error for an incomplete list of teams, if it is incomplete.
    pub(crate) fn incomplete_list(&self) -> Option<Error> {
        self.unlisted.clone().map(|(count, team)| Error::TeamsNotListed { count, team })
    }

    /// Why the stream is incomplete.
    pub(crate) fn error(&self) -> Option<Arc<Error>> {
        self.failure.clone().or_else(|| self.incomplete_list().map(Arc::new)).or_else(|| self.no_parent())
    }
}

/// Whether a stream is only as complete as the list of teams. Messages are read from every known channel.
fn depends_on_team_list(stream: &Stream) -> bool {
    stream.cursor.is_none()
}
