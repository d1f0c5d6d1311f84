//! What the records of a stream can hang below: teams, channels, messages. Declared facts only, from which options, partitions, keys of the
//! state, paths and sentences derive.

mod key;
mod partition;

use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::Arc,
};

pub use key::{ids, join, key, split};
pub use partition::Partition;

/// A kind of parent.
pub struct Level {
    /// One of them, for people.
    pub name: &'static str,
    /// Several of them, for people.
    pub plural: &'static str,
    /// The segment before its id in Graph's paths.
    pub segment: &'static str,
    /// The list of one of them that is read page by page, so that a state may keep a link of it.
    pub list: Option<&'static str>,
    /// The option that names some of them, and the column that has the id in each record below.
    pub id: &'static str,
    /// The option that reads all of them.
    pub all: &'static str,
    /// What its ids look like.
    pub form: IdForm,
    /// Requests a second that Graph allows on one of them, whatever they ask.
    pub per_second: Option<f64>,
    /// The level that it is found below; [`None`]: the tenant.
    pub above: Option<&'static Level>,
    /// Whether Graph's paths name one without those above it.
    pub is_rooted: bool,
    /// Whether the option `exclude` can name one.
    pub is_excludable: bool,
    /// What a form calls the option that names some, and the one that reads all.
    pub titles: [&'static str; 2],
    /// What these two options mean.
    pub meanings: [&'static str; 2],
    /// An id, as an example.
    pub example: &'static str,
    /// The entry of a menu of Teams that copies a link to one.
    pub copied_with: &'static str,
    /// What else may be wrong with an id that is not found.
    pub pitfall: &'static str,
}

/// The names in Graph's paths that lead to the partitions of a stream: one before each id, then that of the list.
pub type Trail = Arc<[&'static str]>;

/// What the ids of a level look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IdForm {
    /// A GUID; the parameter by which a link of Teams has it, if there are such links.
    Guid(Option<&'static str>),
    /// `19:…@thread.tacv2`.
    Thread,
    /// Milliseconds since 1970.
    Message,
}

/// Teams of the tenant.
pub static TEAM: Level = Level {
    name: "team",
    plural: "teams",
    segment: "teams",
    list: None,
    id: "team_id",
    all: "fetch_all_teams",
    form: IdForm::Guid(Some("groupId")),
    per_second: Some(4.0),
    above: None,
    is_rooted: true,
    is_excludable: true,
    titles: ["Teams", "Fetch all teams"],
    meanings: [
        "The team to read; several ids are separated by commas. A link that Teams copies works too.",
        "Read every team of the tenant. Comes before team_id. Implies nothing about channels.",
    ],
    example: "02bd9fd6-8f93-4758-87c3-1fb73740a315",
    copied_with: "Get link to team",
    pitfall: "a team that was deleted is not found either",
};

/// Channels of a team.
pub static CHANNEL: Level = Level {
    name: "channel",
    plural: "channels",
    segment: "channels",
    list: Some("messages"),
    id: "channel_id",
    all: "fetch_all_channels",
    form: IdForm::Thread,
    per_second: Some(1.0),
    above: Some(&TEAM),
    is_rooted: false,
    is_excludable: true,
    titles: ["Channels", "Fetch all channels"],
    meanings: [
        "The channel to read; several ids are separated by commas. A link that Teams copies works too.",
        "Read every channel of the teams that are read. Comes before channel_id.",
    ],
    example: "19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2",
    copied_with: "Get link to channel",
    pitfall: "the team must be its own",
};

/// Root messages of a channel.
pub static MESSAGE: Level = Level {
    name: "message",
    plural: "messages",
    segment: "messages",
    list: Some("replies"),
    id: "message_id",
    all: "fetch_all_messages",
    form: IdForm::Message,
    per_second: None,
    above: Some(&CHANNEL),
    is_rooted: false,
    is_excludable: false,
    titles: ["Threads", "Fetch all replies"],
    meanings: [
        "The root message whose replies are read; several ids are separated by commas. A link that Teams copies works too.",
        "Read the replies of every message of the channels that are read. Comes before message_id.",
    ],
    example: "1616963377068",
    copied_with: "Copy link",
    pitfall: "it must be the first of a thread",
};

/// All levels, parents first.
pub static LEVELS: &[&Level] = &[&TEAM, &CHANNEL, &MESSAGE];

impl Level {
    /// The levels from the top down to this one.
    pub fn path(&'static self) -> Vec<&'static Self> {
        let mut path: Vec<_> = std::iter::successors(Some(self), |level| level.above).collect();
        path.reverse();
        path
    }

    /// The names in Graph's paths that lead to one of them: one before each id, then that of its list.
    pub fn trail(&'static self) -> Trail {
        let path = self.path();
        let root = path.iter().rposition(|level| level.is_rooted).unwrap_or_default();
        path[root..].iter().map(|level| level.segment).chain(self.list).collect()
    }

    /// Its place in [`LEVELS`].
    pub fn position(&self) -> usize {
        LEVELS.iter().position(|level| *level == self).unwrap_or_default()
    }
}

impl PartialEq for Level {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Level {}

impl Hash for Level {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_come_after_those_above_them() {
        for (at, level) in LEVELS.iter().enumerate() {
            assert_eq!(level.position(), at);
            assert!(level.path().iter().all(|above| above.position() <= at), "{level:?}");
        }
        assert_eq!(MESSAGE.path(), [&TEAM, &CHANNEL, &MESSAGE]);
        assert_eq!(
            [&TEAM, &CHANNEL, &MESSAGE].map(|level| level.trail().join(" ")),
            ["teams", "teams channels messages", "teams channels messages replies"]
        );
    }
}
