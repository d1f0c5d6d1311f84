//! A job: one piece of reading that ends by itself, feeds streams, and may lead to further jobs.

use std::collections::BTreeMap;

use super::{context::Context, place::Facts};
use crate::{
    emit::{Closed, Records, Size},
    error::Error,
    graph::{Item, Pages, Urgency},
    streams::{Stream, StreamSet, TEAMS},
};

/// One piece of reading.
#[derive(Debug)]
pub(crate) struct Job {
    /// The streams that are not complete without it.
    pub(crate) feeds: StreamSet,
    pub(crate) work: Work,
}

/// What is read.
#[derive(Debug)]
pub(crate) enum Work {
    /// The next page of the groups that are teams.
    Groups(Groups),
    /// One team, which completes what its group has told.
    Team { team: String, of_group: Vec<(String, String)> },
    /// One list of a team.
    List(List),
    /// The messages and replies of a channel.
    Channel { team: String, channel: String, facts: Facts, maybe_elsewhere: bool },
    /// One thread of a channel.
    Thread { team: String, channel: String, message: String, maybe_elsewhere: bool },
    /// A team that the list of all teams does not have; and whether this shows that the list is not complete, if it exists.
    UnlistedTeam { team: String, is_awaited: bool },
    /// A channel that the list of its team does not have.
    UnlistedChannel { team: String, channel: String },
}

impl Work {
    /// The team that it is about.
    pub(crate) fn team(&self) -> Option<&str> {
        match self {
            Self::Groups(_) => None,
            Self::List(list) => Some(list.team()),
            Self::Team { team, .. } | Self::UnlistedTeam { team, .. } => Some(team),
            Self::Channel { team, .. } | Self::Thread { team, .. } | Self::UnlistedChannel { team, .. } => Some(team),
        }
    }

    /// The team or channel that it reads.
    pub(crate) fn parent(&self) -> Option<&str> {
        match self {
            Self::Channel { channel, .. } | Self::Thread { channel, .. } | Self::UnlistedChannel { channel, .. } => Some(channel),
            work => work.team(),
        }
    }

    /// About how many bytes of Graph's answers it holds.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Team { of_group, .. } => of_group.iter().map(|(name, value)| name.len() + value.len()).sum(),
            _ => 0,
        }
    }

    /// How urgent it is to begin with. What leads nowhere fills the gaps: a team has four requests a second for everything.
    pub(crate) fn urgency(&self) -> Urgency {
        match self {
            Self::Groups(_) | Self::UnlistedTeam { .. } | Self::UnlistedChannel { .. } => Urgency::Leads,
            Self::List(list) if list.leads_on() => Urgency::Leads,
            Self::Channel { .. } | Self::Thread { .. } => Urgency::Opens,
            Self::List(_) | Self::Team { .. } => Urgency::Remains(0.0),
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

/// The list of the groups that are teams.
#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) pages: Pages,
    pub(crate) of_all_teams: StreamSet,
    /// The teams that are named, each with the streams that it is named for.
    pub(crate) named: BTreeMap<String, StreamSet>,
    /// The teams that the list should have, each with the streams that it is listed for; those that a page had are taken out.
    pub(crate) awaited: BTreeMap<String, StreamSet>,
}

impl Groups {
    pub(crate) fn new(
        pages: Pages,
        of_all_teams: StreamSet,
        named: BTreeMap<String, StreamSet>,
        awaited: BTreeMap<String, StreamSet>,
    ) -> Self {
        Self { pages, of_all_teams, named, awaited }
    }
}

/// One list of a team.
#[derive(Debug)]
pub(crate) struct List {
    /// The stream whose list it is, selected or not.
    pub(crate) stream: &'static Stream,
    pub(crate) team: String,
    /// The team was not named but found: its group need not have a team.
    pub(crate) found: bool,
    pub(crate) top: Option<u64>,
    /// The streams that read every channel of the list.
    pub(crate) of_all_channels: StreamSet,
    /// The channels that are named, each with the streams that it is named for.
    pub(crate) named: BTreeMap<String, StreamSet>,
}

impl List {
    pub(crate) fn new(stream: &'static Stream, team: &str, found: bool, top: Option<u64>) -> Self {
        Self { stream, team: team.to_owned(), found, top, of_all_channels: StreamSet::default(), named: BTreeMap::new() }
    }

    /// Leads to the channels of the list, for these streams.
    pub(crate) fn leading_to(self, of_all_channels: StreamSet, named: BTreeMap<String, StreamSet>) -> Self {
        Self { of_all_channels, named, ..self }
    }

    /// The stream whose list it is.
    pub(crate) fn stream(&self) -> &'static Stream {
        self.stream
    }

    /// The team whose list it is.
    pub(crate) fn team(&self) -> &str {
        &self.team
    }

    /// Whether it is the list of that stream.
    pub(crate) fn is_of(&self, stream: &Stream) -> bool {
        self.stream.name == stream.name
    }

    /// Whether there is something to be read behind it.
    pub(crate) fn leads_on(&self) -> bool {
        !self.of_all_channels.is_empty() || !self.named.is_empty()
    }
}

/// What a job came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What is to be read next.
    pub(crate) jobs: Vec<Job>,
    /// The streams that read a parent of theirs to its end.
    pub(crate) read: StreamSet,
    /// An id that was looked for in several places, and is here.
    pub(crate) found: Vec<String>,
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
    /// The streams that it reads a parent for.
    pub(crate) fn parent_of(&self) -> StreamSet {
        match &self.work {
            Work::Groups(_) | Work::UnlistedTeam { .. } | Work::UnlistedChannel { .. } => StreamSet::default(),
            Work::Team { .. } => self.feeds.filter(|stream| stream.name == TEAMS.name),
            Work::List(list) => self.feeds.filter(|stream| list.is_of(stream)),
            Work::Channel { .. } | Work::Thread { .. } => self.feeds,
        }
    }

    pub(crate) fn new(feeds: StreamSet, work: Work) -> Self {
        Self { feeds, work }
    }
}
