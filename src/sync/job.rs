//! A job: one piece of reading that ends by itself, feeds streams, and may lead to further jobs.

use super::{
    channel,
    context::Context,
    groups::{self, Groups},
    known,
    list::List,
    place::{Facts, Place},
    thread,
};
use crate::{
    emit::{Closed, Records, Size},
    error::Error,
    graph::{Item, Urgency},
    streams::{StreamSet, TEAMS},
};

/// One piece of reading.
#[derive(Debug)]
pub(super) struct Job {
    /// The streams that are not complete without it.
    pub(super) feeds: StreamSet,
    pub(super) work: Work,
}

/// What is read.
#[derive(Debug)]
pub(super) enum Work {
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
    pub(super) fn team(&self) -> Option<&str> {
        match self {
            Self::Groups(_) => None,
            Self::List(list) => Some(list.team()),
            Self::Team { team, .. } | Self::UnlistedTeam { team, .. } => Some(team),
            Self::Channel { team, .. } | Self::Thread { team, .. } | Self::UnlistedChannel { team, .. } => Some(team),
        }
    }

    /// The team or channel that it reads.
    fn parent(&self) -> Option<&str> {
        match self {
            Self::Channel { channel, .. } | Self::Thread { channel, .. } | Self::UnlistedChannel { channel, .. } => Some(channel),
            work => work.team(),
        }
    }

    /// About how many bytes of Graph's answers it holds.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Team { of_group, .. } => of_group.iter().map(|(name, value)| name.len() + value.len()).sum(),
            _ => 0,
        }
    }

    /// How urgent it is to begin with. What leads nowhere fills the gaps: a team has four requests a second for everything.
    pub(super) fn urgency(&self) -> Urgency {
        match self {
            Self::Groups(_) | Self::UnlistedTeam { .. } | Self::UnlistedChannel { .. } => Urgency::Leads,
            Self::List(list) if list.leads_on() => Urgency::Leads,
            Self::Channel { .. } | Self::Thread { .. } => Urgency::Opens,
            Self::List(_) | Self::Team { .. } => Urgency::Remains(0.0),
        }
    }

    /// How long it is.
    pub(super) fn size(&self) -> Size {
        match self.urgency() {
            Urgency::Leads => Size::Leads,
            Urgency::Opens => Size::Long,
            Urgency::Remains(_) => Size::Short,
        }
    }
}

/// What a job came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// What is to be read next.
    pub(super) jobs: Vec<Job>,
    /// The streams that read a parent of theirs to its end.
    pub(super) read: StreamSet,
    /// An id that was looked for in several places, and is here.
    pub(super) found: Vec<String>,
    /// A team that the list of all teams leaves out, and that exists.
    pub(super) unlisted: Option<String>,
    /// A group that was found, and has no team.
    pub(super) without_team: Option<String>,
    /// Refusals of parents, for those streams.
    pub(super) refused: Vec<(StreamSet, Error)>,
    /// What could not be read though its parent could.
    pub(super) damage: Option<Error>,
    /// Why a parent was read in part only.
    pub(super) failed: Option<Error>,
}

/// What could not be read of a parent that could be read.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// Items that no record can be made of.
    pub(super) items: u64,
    /// Records that are larger than is allowed.
    pub(super) too_large: u64,
    /// A thread that Graph refuses to give, the first of them.
    pub(super) thread: Option<Error>,
    /// Why what is older than all that was read is missing.
    pub(super) older: Option<Error>,
}

impl Damage {
    /// Adds the record of an item of a list. One that is larger than is allowed is left out, and counts if no run has reported it.
    pub(super) fn push(&mut self, context: &Context, records: &mut Records, item: Item<'_>, write: impl FnOnce(&mut Vec<u8>)) {
        let mut fits = true;
        let keep = |record: &[u8]| {
            fits = record.len() <= context.max_record;
            fits
        };
        records.push(write, keep);
        self.too_large += u64::from(!fits && context.marks.is_new(StreamSet::default().with(records.stream()), item));
    }

    /// As one error, if there is any.
    pub(super) fn into_error(self, context: &Context, task: impl FnOnce() -> String) -> Option<Error> {
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
pub(super) enum Stop {
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
    pub(super) fn read(streams: StreamSet, damage: Option<Error>) -> Self {
        Self { read: streams, damage, ..Self::default() }
    }
}

impl Job {
    /// The streams that it reads a parent for.
    pub(super) fn parent_of(&self) -> StreamSet {
        match &self.work {
            Work::Groups(_) | Work::UnlistedTeam { .. } | Work::UnlistedChannel { .. } => StreamSet::default(),
            Work::Team { .. } => self.feeds.filter(|stream| stream.name == TEAMS.name),
            Work::List(list) => self.feeds.filter(|stream| list.is_of(stream)),
            Work::Channel { .. } | Work::Thread { .. } => self.feeds,
        }
    }

    pub(super) fn new(feeds: StreamSet, work: Work) -> Self {
        Self { feeds, work }
    }

    pub(super) async fn run(self, context: &Context) -> Result<Report, Stop> {
        let parent = self.work.parent().map(str::to_owned);
        let leave_out = |error: Error| match &parent {
            Some(parent) => error.or_leave_out(parent),
            None => error,
        };
        match self.read(context).await {
            Ok(mut report) => {
                report.damage = report.damage.map(leave_out);
                Ok(report)
            }
            Err(Stop::Failed(error)) => Err(Stop::Failed(leave_out(error))),
            Err(Stop::Closed) => Err(Stop::Closed),
        }
    }

    async fn read(self, context: &Context) -> Result<Report, Stop> {
        match self.work {
            Work::Groups(groups) => groups.page(context).await,
            Work::Team { team, of_group } => groups::team(context, &team, &of_group).await,
            Work::List(list) => list.read(context, self.feeds).await,
            Work::Channel { team, channel, facts, maybe_elsewhere } => {
                channel::read(context, self.feeds, Place { team: &team, channel: &channel, facts }, maybe_elsewhere).await
            }
            Work::Thread { team, channel, message, maybe_elsewhere } => {
                thread::replies(context, &team, &channel, &message, maybe_elsewhere).await
            }
            Work::UnlistedTeam { team, is_awaited } => known::team(context, self.feeds, &team, is_awaited).await,
            Work::UnlistedChannel { team, channel } => known::channel(context, self.feeds, &team, &channel).await,
        }
    }
}
