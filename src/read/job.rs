//! A job: one piece of reading that can run on its own and may find parents for further jobs.

use super::{
    context::Context,
    found::{FoundParent, Origin, ParentDetails},
    wanted::WantedParents,
};
use crate::{
    emit::{Closed, JobSize, Records},
    error::Error,
    graph::{Item, Pages, Priority},
    level::Partition,
    streams::{Read, Stream, StreamSet},
};

#[derive(Debug)]
pub(crate) struct Job {
    /// The streams that are incomplete without it.
    pub(crate) streams: StreamSet,
    pub(crate) input: JobInput,
}

/// The input of a job: one stream of one parent, or of the tenant.
#[derive(Debug)]
pub(crate) struct JobInput {
    /// The stream. It may not be selected, if other streams need the parents that it finds.
    pub(crate) stream: &'static Stream,
    pub(crate) parent: Partition,
    pub(crate) origin: Origin,
    pub(crate) details: ParentDetails,
    /// The parents to find.
    pub(crate) wanted: WantedParents,
    /// The list, if earlier jobs have read its first pages.
    pub(crate) pages: Option<Pages>,
}

impl JobInput {
    pub(crate) fn new(stream: &'static Stream, parent: Partition, origin: Origin) -> Self {
        Self { stream, parent, origin, details: ParentDetails::default(), wanted: WantedParents::default(), pages: None }
    }

    /// Whether the job only finds parents, or only checks whether one exists.
    fn finds_only(&self) -> bool {
        matches!(self.origin, Origin::Unlisted { .. }) || self.is_list_of_teams()
    }

    fn is_list_of_teams(&self) -> bool {
        matches!(self.stream.read, Read::Teams) && self.parent.level().is_none()
    }

    /// The id with which `exclude` can skip this parent.
    pub(crate) fn excludable(&self) -> Option<&str> {
        self.parent.excludable()
    }

    /// Approximate size in bytes of the parts of responses that are kept for the job.
    pub(crate) fn bytes(&self) -> usize {
        self.details.group_properties.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// The priority of the first request. Jobs that lead to no others fill the gaps: a team has four requests per second for everything.
    pub(crate) fn priority(&self) -> Priority {
        match self.stream.read {
            _ if self.finds_only() || !self.wanted.is_empty() => Priority::Discovery,
            Read::Walk(_) => Priority::FirstPage,
            Read::Teams | Read::List(_) | Read::Report(_) => Priority::NextPage(0.0),
        }
    }

    pub(crate) fn size(&self) -> JobSize {
        match self.priority() {
            Priority::Discovery => JobSize::Discovery,
            Priority::FirstPage => JobSize::Long,
            Priority::NextPage(_) => JobSize::Short,
        }
    }
}

/// The result of a job: the parents that it found, and how reading went.
#[derive(Debug, Default)]
pub(crate) struct JobReport {
    /// Parents for further jobs.
    pub(crate) found: Vec<FoundParent>,
    /// A job for the next page.
    pub(crate) next_page: Option<Job>,
    /// The streams for which a parent was read to its end.
    pub(crate) completed: StreamSet,
    /// Configured ids that were searched for under several parents and found here.
    pub(crate) found_ids: Vec<String>,
    /// A team that exists although the list of all teams does not contain it.
    pub(crate) unlisted: Option<String>,
    /// A group that is marked as a team but has none.
    pub(crate) without_team: Option<String>,
    /// Refused parents, with the streams that need them.
    pub(crate) refused: Vec<(StreamSet, Error)>,
    /// The error for items that were skipped in a parent that was otherwise read.
    pub(crate) skipped: Option<Error>,
    /// Why a parent was read only in part.
    pub(crate) failed: Option<Error>,
}

/// The items, records and messages that are skipped in a parent that is otherwise readable.
#[derive(Debug, Default)]
pub(crate) struct Skipped {
    /// Number of items that cannot be made into a record.
    pub(crate) items: u64,
    /// Number of records that are too large.
    pub(crate) too_large: u64,
    /// The error of the first thread that Graph refused.
    pub(crate) thread: Option<Error>,
    /// The error that kept older messages from being read.
    pub(crate) older_error: Option<Error>,
}

impl Skipped {
    /// Adds the record of an item of a list. A record that is too large is skipped, and counted if no earlier run has reported it.
    pub(crate) fn push(&mut self, context: &Context, records: &mut Records, item: Item<'_>, write: impl FnOnce(&mut Vec<u8>)) {
        let mut fits = true;
        let keep = |record: &[u8]| {
            fits = record.len() <= context.max_record;
            fits
        };
        records.push(write, keep);
        self.too_large += u64::from(!fits && context.skipped_items.note(StreamSet::default().with(records.stream()), item));
    }

    pub(crate) fn into_error(self, context: &Context, task: impl FnOnce() -> String) -> Option<Error> {
        let Self { items, too_large, thread, older_error } = self;
        match (older_error.or(thread), items, too_large) {
            (Some(error), ..) => Some(error),
            (None, 0, 0) => None,
            (None, 0, count) => Some(Error::TooLarge { task: task(), count, limit: context.max_record }),
            (None, count, _) => Some(Error::MalformedItems { task: task(), count }),
        }
    }
}

/// Why a job ended early.
#[derive(Debug)]
pub(crate) enum JobError {
    /// The output is closed.
    Closed,
    Failed(Error),
}

impl From<Closed> for JobError {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl JobReport {
    /// The report of a job that has read a parent to its end for these streams. `skipped`: the error for items that were skipped in it.
    pub(crate) fn completed(streams: StreamSet, skipped: Option<Error>) -> Self {
        Self { completed: streams, skipped, ..Self::default() }
    }
}

impl Job {
    pub(crate) fn new(streams: StreamSet, input: JobInput) -> Self {
        Self { streams, input }
    }

    /// The streams for which the job reads a parent.
    pub(crate) fn reads_parent_for(&self) -> StreamSet {
        match self.input.stream.read {
            _ if self.input.finds_only() => StreamSet::default(),
            Read::Walk(_) => self.streams,
            Read::Teams | Read::List(_) | Read::Report(_) => self.streams.filter(|stream| stream.name == self.input.stream.name),
        }
    }
}
