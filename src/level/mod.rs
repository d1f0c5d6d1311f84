//! The levels of parents that streams are read from: teams, channels, messages. Options, partitions, state keys, paths and messages derive
//! from these declarations.

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
    pub name: &'static str,
    pub plural: &'static str,
    /// The segment before its id in Graph's paths.
    pub segment: &'static str,
    /// The list below one parent that is read page by page, if a state may store a link into it.
    pub list: Option<&'static str>,
    /// The option that selects some parents, and the column with the id in each record below them.
    pub id: &'static str,
    /// The option that selects all parents.
    pub all: &'static str,
    pub id_form: IdForm,
    /// Graph's limit of requests per second for one parent, over all kinds of requests.
    pub per_second: Option<f64>,
    /// The level of its own parents; [`None`]: the tenant.
    pub above: Option<&'static Level>,
    /// Whether Graph's paths start at this level, without the ids of the levels above.
    pub is_rooted: bool,
    /// Whether the option `exclude` accepts its ids.
    pub is_excludable: bool,
    /// Titles of the options [`id`](Self::id) and [`all`](Self::all) in forms.
    pub titles: [&'static str; 2],
    /// Descriptions of these two options.
    pub descriptions: [&'static str; 2],
    /// An example of an id.
    pub example: &'static str,
    /// The menu item in Teams that copies a link to one.
    pub copied_with: &'static str,
    /// Another possible cause if an id is not found.
    pub not_found_hint: &'static str,
}

/// The names in the path of a partition in Graph: one before each id, then the name of the list.
pub type Trail = Arc<[&'static str]>;

/// The format of a level's ids.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IdForm {
    /// A GUID. Links copied from Teams contain it in this parameter, if there are such links.
    Guid(Option<&'static str>),
    /// `19:…@thread.tacv2`.
    Thread,
    /// Milliseconds since 1970.
    Message,
}

pub static TEAM: Level = Level {
    name: "team",
    plural: "teams",
    segment: "teams",
    list: None,
    id: "team_id",
    all: "fetch_all_teams",
    id_form: IdForm::Guid(Some("groupId")),
    per_second: Some(4.0),
    above: None,
    is_rooted: true,
    is_excludable: true,
    titles: ["Teams", "Fetch all teams"],
    descriptions: [
        "Teams to read: ids or links copied from Teams, separated by commas.",
        "Read all teams in the tenant. Overrides team_id. Does not select channels.",
    ],
    example: "02bd9fd6-8f93-4758-87c3-1fb73740a315",
    copied_with: "Get link to team",
    not_found_hint: "the team may have been deleted",
};

pub static CHANNEL: Level = Level {
    name: "channel",
    plural: "channels",
    segment: "channels",
    list: Some("messages"),
    id: "channel_id",
    all: "fetch_all_channels",
    id_form: IdForm::Thread,
    per_second: Some(1.0),
    above: Some(&TEAM),
    is_rooted: false,
    is_excludable: true,
    titles: ["Channels", "Fetch all channels"],
    descriptions: [
        "Channels to read: ids or links copied from Teams, separated by commas.",
        "Read all channels in the selected teams. Overrides channel_id.",
    ],
    example: "19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2",
    copied_with: "Get link to channel",
    not_found_hint: "the channel must belong to the configured team",
};

/// Root messages in a channel.
pub static MESSAGE: Level = Level {
    name: "message",
    plural: "messages",
    segment: "messages",
    list: Some("replies"),
    id: "message_id",
    all: "fetch_all_messages",
    id_form: IdForm::Message,
    per_second: None,
    above: Some(&CHANNEL),
    is_rooted: false,
    is_excludable: false,
    titles: ["Threads", "Fetch all replies"],
    descriptions: [
        "Root messages whose replies are read: ids or links copied from Teams, separated by commas.",
        "Read the replies to all messages in the selected channels. Overrides message_id.",
    ],
    example: "1616963377068",
    copied_with: "Copy link",
    not_found_hint: "the message must be the first of its thread",
};

/// All levels, parents first.
pub static LEVELS: &[&Level] = &[&TEAM, &CHANNEL, &MESSAGE];

impl Level {
    /// The levels from the top down to this one, included.
    pub fn path(&'static self) -> Vec<&'static Self> {
        let mut path: Vec<_> = std::iter::successors(Some(self), |level| level.above).collect();
        path.reverse();
        path
    }

    pub fn trail(&'static self) -> Trail {
        let path = self.path();
        let root = path.iter().rposition(|level| level.is_rooted).unwrap_or_default();
        path[root..].iter().map(|level| level.segment).chain(self.list).collect()
    }

    /// Its index in [`LEVELS`].
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
    fn parents_precede_children() {
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
