//! What is known of each selected stream while it is read: what is pending, what was refused, what failed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use tracing::{debug, warn};

use super::{context::Context, job::Report, parents::wanted};
use crate::{
    emit::Outcome,
    error::Error,
    graph::Verdict,
    streams::{ParentKind, PerStream, Stream, StreamSet},
};

/// The streams of a run.
#[derive(Debug)]
pub(super) struct Ledger {
    entries: PerStream<Entry>,
    /// Groups that were found and have no team, each said once.
    without_team: BTreeSet<String>,
    /// What is known of the list of teams, whatever streams it feeds.
    list: Entry,
    /// Permissions that are missing, each with the streams for which that was reported.
    lacking: HashMap<&'static str, StreamSet>,
}

/// What is known of a stream.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Jobs that are not done.
    pending: usize,
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

impl Entry {
    pub(super) fn new(context: &Context, stream: &'static Stream) -> Self {
        Self { wanted: wanted(context, stream).into_iter().collect(), ..Self::default() }
    }

    /// A parent was read to its end.
    pub(super) fn read(&mut self) {
        self.read += 1;
    }

    /// An id that was looked for was found.
    pub(super) fn find(&mut self, id: &str) {
        self.wanted.remove(id);
    }

    pub(super) fn refuse(&mut self, error: &Arc<Error>) {
        self.refused += 1;
        let says_more = self.refusal.as_ref().is_none_or(|known| error.is_forbidden() && !known.is_forbidden());
        if says_more {
            self.refusal = Some(error.clone());
        }
    }

    pub(super) fn fail(&mut self, error: &Arc<Error>) {
        self.failure.get_or_insert_with(|| error.clone());
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Nothing more can be found: gives what is said of the ids that were not.
    pub(super) fn give_up_wanted(&mut self, stream: &'static Stream) -> Vec<Arc<Error>> {
        let wanted = std::mem::take(&mut self.wanted);
        if self.failure.is_some() {
            return Vec::new();
        }
        let errors: Vec<_> = wanted.into_iter().map(|id| Arc::new(Error::NotFound { id, stream: stream.name })).collect();
        errors.iter().for_each(|error| self.refuse(error));
        errors
    }

    /// Why every parent was refused or missing, if that is so: the refusal that says most.
    pub(super) fn refusal_of_all(&self) -> Option<&Arc<Error>> {
        self.refusal.as_ref().filter(|_| self.read == 0)
    }

    /// The same, with how many parents there are.
    pub(super) fn no_parent(&self) -> Option<Arc<Error>> {
        let one = self.refusal_of_all()?;
        Some(if self.refused > 1 { Arc::new(Error::NoParent { count: self.refused, one: one.clone() }) } else { one.clone() })
    }

    /// Graph does not list this team, which exists.
    pub(super) fn miss_in_list(&mut self, team: &str) {
        let (count, _) = self.unlisted.get_or_insert_with(|| (0, team.to_owned()));
        *count += 1;
    }

    /// That the list of teams is not complete, if that is so.
    pub(super) fn incomplete_list(&self) -> Option<Error> {
        self.unlisted.clone().map(|(count, team)| Error::TeamsNotListed { count, team })
    }

    /// Why the stream is not complete.
    fn error(&self) -> Option<Arc<Error>> {
        self.failure.clone().or_else(|| self.incomplete_list().map(Arc::new)).or_else(|| self.no_parent())
    }
}

impl Ledger {
    pub(super) fn new(context: &Context) -> Self {
        let entries = PerStream::from_fn(|stream| Entry::new(context, stream));
        Self { entries, without_team: BTreeSet::new(), list: Entry::default(), lacking: HashMap::new() }
    }

    fn entries(&mut self, streams: StreamSet) -> impl Iterator<Item = &mut Entry> {
        self.entries.of_mut(streams)
    }

    /// A job is to be done for these streams.
    pub(super) fn begin(&mut self, feeds: StreamSet) {
        self.entries(feeds).for_each(|entry| entry.pending += 1);
    }

    /// A job is done; the jobs that it leads to must have begun. Gives the streams that have no job left.
    pub(super) fn end(&mut self, feeds: StreamSet) -> StreamSet {
        self.entries(feeds).for_each(|entry| entry.pending -= 1);
        feeds.filter(|stream| self.entries[stream].pending == 0)
    }

    /// What a job came to.
    pub(super) fn note(&mut self, feeds: StreamSet, report: Report) {
        self.entries(report.read).for_each(Entry::read);
        for id in &report.found {
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
        self.entries[stream].refused
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
        (outcome, entry.refused)
    }
}

/// Whether a stream is no more complete than the list of teams. Messages are read of every channel that is known.
pub(super) fn is_listed(stream: &Stream) -> bool {
    stream.parents < ParentKind::Channel
}
