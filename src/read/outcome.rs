//! What a stream comes to while its parents are read: how many were read or refused, what was looked for, what failed.

use std::{collections::BTreeSet, sync::Arc};

use super::{context::Context, job::Report, wanted::looked_for};
use crate::{
    error::Error,
    graph::Verdict,
    streams::{PerStream, Stream, StreamSet},
};

/// What is known of each stream.
#[derive(Debug)]
pub(crate) struct Outcomes(PerStream<StreamOutcome>);

/// What a job met that is to be reported.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) streams: StreamSet,
    pub(crate) error: Arc<Error>,
    /// Whether a parent is left out; else the streams are not complete.
    pub(crate) is_refusal: bool,
    /// Whether each of the streams had failed before.
    pub(crate) had_failed: bool,
}

impl Outcomes {
    pub(crate) fn new(context: &Context) -> Self {
        Self(PerStream::from_fn(|stream| StreamOutcome::new(context, stream)))
    }

    pub(crate) fn of(&self, stream: &Stream) -> &StreamOutcome {
        &self.0[stream]
    }

    pub(crate) fn of_mut(&mut self, stream: &Stream) -> &mut StreamOutcome {
        &mut self.0[stream]
    }

    /// Takes note of what a job came to. Gives what is to be reported of it.
    pub(crate) fn note(&mut self, feeds: StreamSet, result: Result<Report, Error>) -> Vec<Problem> {
        let report = match result {
            Ok(report) => report,
            Err(error) => return vec![self.stop(feeds, error)],
        };
        self.0.of_mut(report.read).for_each(StreamOutcome::read);
        for id in &report.here {
            self.0.of_mut(feeds).for_each(|stream| stream.find(id));
        }
        if let Some(team) = report.unlisted {
            self.0.of_mut(feeds.filter(is_listed)).for_each(|stream| stream.miss_in_list(&team));
        }
        let mut problems: Vec<_> = report.refused.into_iter().map(|(streams, error)| self.refuse(streams, error)).collect();
        problems.extend(report.failed.into_iter().chain(report.damage).map(|error| self.fail(feeds, error)));
        problems
    }

    /// A job did not come to its end.
    fn stop(&mut self, feeds: StreamSet, error: Error) -> Problem {
        match error.verdict() {
            Verdict::SkipParent | Verdict::RetryOnce => self.refuse(feeds, error),
            Verdict::Retry | Verdict::RefreshToken | Verdict::FailStream | Verdict::FailRun => self.fail(feeds, error),
        }
    }

    fn refuse(&mut self, streams: StreamSet, error: Error) -> Problem {
        let error = Arc::new(error);
        self.0.of_mut(streams).for_each(|stream| stream.refuse(&error));
        Problem { streams, error, is_refusal: true, had_failed: false }
    }

    fn fail(&mut self, streams: StreamSet, error: Error) -> Problem {
        let error = Arc::new(error);
        let had_failed = streams.iter().all(|stream| self.0[stream].has_failed());
        self.0.of_mut(streams).for_each(|stream| stream.fail(&error));
        Problem { streams, error, is_refusal: false, had_failed }
    }
}

/// What people should know if no group is marked as a team.
pub(crate) const NO_TEAMS: &str = "Graph returned no teams for this tenant; hint: if the tenant has teams, check `tenant_id` and the permissions \
    of the application, and run again";

/// What is known of a stream.
#[derive(Debug, Default)]
pub(crate) struct StreamOutcome {
    /// Parents that were read to their end.
    read: u64,
    refused: u64,
    /// The refusal to be shown if there is nothing else: one for want of a permission, or the first.
    refusal: Option<Arc<Error>>,
    failure: Option<Arc<Error>>,
    /// Teams that exist and that Graph does not list: how many, and one of them.
    unlisted: Option<(u64, String)>,
    wanted: BTreeSet<String>,
}

impl StreamOutcome {
    fn new(context: &Context, stream: &'static Stream) -> Self {
        Self { wanted: looked_for(context, stream).into_iter().collect(), ..Self::default() }
    }

    /// A parent was read to its end.
    fn read(&mut self) {
        self.read += 1;
    }

    /// An id that was looked for was found.
    fn find(&mut self, id: &str) {
        self.wanted.remove(id);
    }

    fn refuse(&mut self, error: &Arc<Error>) {
        self.refused += 1;
        let says_more = self.refusal.as_ref().is_none_or(|known| error.is_forbidden() && !known.is_forbidden());
        if says_more {
            self.refusal = Some(error.clone());
        }
    }

    fn fail(&mut self, error: &Arc<Error>) {
        self.failure.get_or_insert_with(|| error.clone());
    }

    /// How many parents were refused or missing.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Nothing more can be found: gives what is said of the ids that were not.
    pub(crate) fn give_up_wanted(&mut self, stream: &'static Stream) -> Vec<Arc<Error>> {
        let wanted = std::mem::take(&mut self.wanted);
        if self.failure.is_some() {
            return Vec::new();
        }
        let errors: Vec<_> = wanted.into_iter().map(|id| Arc::new(Error::NotFound { id, stream: stream.name })).collect();
        errors.iter().for_each(|error| self.refuse(error));
        errors
    }

    /// Why every parent was refused or missing, if that is so: the refusal that says most.
    pub(crate) fn refusal_of_all(&self) -> Option<&Arc<Error>> {
        self.refusal.as_ref().filter(|_| self.read == 0)
    }

    /// The same, with how many parents there are.
    pub(crate) fn no_parent(&self) -> Option<Arc<Error>> {
        let one = self.refusal_of_all()?;
        Some(if self.refused > 1 { Arc::new(Error::NoParent { count: self.refused, one: one.clone() }) } else { one.clone() })
    }

    /// Graph does not list this team, which exists.
    pub(crate) fn miss_in_list(&mut self, team: &str) {
        let (count, _) = self.unlisted.get_or_insert_with(|| (0, team.to_owned()));
        *count += 1;
    }

    /// That the list of teams is not complete, if that is so.
    pub(crate) fn incomplete_list(&self) -> Option<Error> {
        self.unlisted.clone().map(|(count, team)| Error::TeamsNotListed { count, team })
    }

    /// Why the stream is not complete.
    pub(crate) fn error(&self) -> Option<Arc<Error>> {
        self.failure.clone().or_else(|| self.incomplete_list().map(Arc::new)).or_else(|| self.no_parent())
    }
}

/// Whether a stream is no more complete than the list of teams. Messages are read of every channel that is known.
fn is_listed(stream: &Stream) -> bool {
    stream.cursor.is_none()
}
