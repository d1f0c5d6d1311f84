//! A job: one piece of reading that ends by itself, feeds streams, and may find what further jobs read.

use super::{
    context::Context,
    found::{Found, Origin, Said},
    wanted::Wanted,
};
use crate::{
    emit::{Closed, Records, Size},
    error::Error,
    graph::{Item, Pages, Urgency},
    level::Partition,
    streams::{Read, Stream, StreamSet},
};

/// One piece of reading.
#[derive(Debug)]
pub(crate) struct Job {
    /// The streams that are not complete without it.
    pub(crate) feeds: StreamSet,
    pub(crate) work: Work,
}

/// What is read: one stream of one parent, or of the tenant.
#[derive(Debug)]
pub(crate) struct Work {
    /// The stream, selected or not: others need what it finds.
    pub(crate) stream: &'static Stream,
    pub(crate) of: Partition,
    pub(crate) origin: Origin,
    /// What a list said of the parent.
    pub(crate) said: Said,
    /// What is wanted of the parents that it finds.
    pub(crate) wanted: Wanted,
    /// The list, if earlier jobs have read its first pages.
    pub(crate) pages: Option<Pages>,
}

impl Work {
    pub(crate) fn new(stream: &'static Stream, of: Partition, origin: Origin) -> Self {
        Self { stream, of, origin, said: Said::default(), wanted: Wanted::default(), pages: None }
    }

    /// Whether it finds parents and reads nothing of them, or only asks whether there is one.
    fn finds_only(&self) -> bool {
        matches!(self.origin, Origin::Known { .. }) || self.is_list_of_teams()
    }

    fn is_list_of_teams(&self) -> bool {
        matches!(self.stream.read, Read::Teams) && self.of.level().is_none()
    }

    /// The id that `exclude` would leave it out by.
    pub(crate) fn excludable(&self) -> Option<&str> {
        self.of.excludable()
    }

    /// About how many bytes of Graph's answers it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.said.of_group.iter().map(|(name, value)| name.len() + value.len()).sum()
    }

    /// How urgent it is to begin with. What leads nowhere fills the gaps: a team has four requests a second for everything.
    pub(crate) fn urgency(&self) -> Urgency {
        match self.stream.read {
            _ if self.finds_only() || !self.wanted.is_empty() => Urgency::Leads,
            Read::Walk(_) => Urgency::Opens,
            Read::Teams | Read::List(_) | Read::Report(_) => Urgency::Remains(0.0),
        }
    }

    /// How long it is.
    pub(crate) fn size(&self) -> Size {
        match self.urgency() {
            Urgency::Leads => Size::Leads,
            Urgency::Opens => Size::Long,
            Urgency::Remains(_) => Size::Short,
        }
    }
}

/// What a job came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Parents that further jobs read.
    pub(crate) found: Vec<Found>,
    /// The same work from its next page on.
    pub(crate) more: Option<Job>,
    /// The streams that read a parent of theirs to its end.
    pub(crate) read: StreamSet,
    /// Ids that were looked for in several places, and are here.
    pub(crate) here: Vec<String>,
    /// A team that the list of all teams leaves out, and that exists.
    pub(crate) unlisted: Option<String>,
    /// A group that was found, and has no team.
    pub(crate) without_team: Option<String>,
    /// Refusals of parents, for those streams.
    pub(crate) refused: Vec<(StreamSet, Error)>,
    /// What could not be read though its parent could.
    pub(crate) damage: Option<Error>,
    /// Why a parent was read in part only.
    pub(crate) failed: Option<Error>,
}

/// What could not be read of a parent that could be read.
#[derive(Debug, Default)]
pub(crate) struct Damage {
    /// Items that no record can be made of.
    pub(crate) items: u64,
    /// Records that are larger than is allowed.
    pub(crate) too_large: u64,
    /// A thread that Graph refuses to give, the first of them.
    pub(crate) thread: Option<Error>,
    /// Why what is older than all that was read is missing.
    pub(crate) older: Option<Error>,
}

impl Damage {
    /// Adds the record of an item of a list. One that is larger than is allowed is left out, and counts if no run has reported it.
    pub(crate) fn push(&mut self, context: &Context, records: &mut Records, item: Item<'_>, write: impl FnOnce(&mut Vec<u8>)) {
        let mut fits = true;
        let keep = |record: &[u8]| {
            fits = record.len() <= context.max_record;
            fits
        };
        records.push(write, keep);
        self.too_large += u64::from(!fits && context.marks.is_new(StreamSet::default().with(records.stream()), item));
    }

    /// As one error, if there is any.
    pub(crate) fn into_error(self, context: &Context, task: impl FnOnce() -> String) -> Option<Error> {
        let Self { items, too_large, thread, older } = self;
        match (older.or(thread), items, too_large) {
            (Some(error), ..) => Some(error),
            (None, 0, 0) => None,
            (None, 0, count) => Some(Error::TooLarge { task: task(), count, limit: context.max_record }),
            (None, count, _) => Some(Error::Damaged { task: task(), count }),
        }
    }
}

/// Why a job did not come to its end.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody reads what is said.
    Closed,
    /// What it wanted cannot be had.
    Failed(Error),
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Report {
    /// Streams that read a parent to its end, with the damage met in it.
    pub(crate) fn read(streams: StreamSet, damage: Option<Error>) -> Self {
        Self { read: streams, damage, ..Self::default() }
    }
}

impl Job {
    pub(crate) fn new(feeds: StreamSet, work: Work) -> Self {
        Self { feeds, work }
    }

    /// The streams that it reads a parent for.
    pub(crate) fn parent_of(&self) -> StreamSet {
        match self.work.stream.read {
            _ if self.work.finds_only() => StreamSet::default(),
            Read::Walk(_) => self.feeds,
            Read::Teams | Read::List(_) | Read::Report(_) => self.feeds.filter(|stream| stream.name == self.work.stream.name),
        }
    }
}
