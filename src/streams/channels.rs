//! `channels`: the channels of each team, private and shared ones included (graph.md 2.3).

use super::{ParentKind, Source, Stream, columns, schema};
use crate::{
    graph::{Permission, Request},
    record::Channel,
};

/// What lets the channels of a team be listed.
pub static LISTS_CHANNELS: Permission = Permission::new(&[
    "Channel.ReadBasic.All",
    "ChannelSettings.Read.All",
    "ChannelSettings.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
]);

/// The channels of teams; their list also tells which channels there are to be read.
pub static CHANNELS: Stream = Stream {
    name: "channels",
    description: "Channels of the teams that are read: standard, private and shared.",
    primary_key: &["id"],
    cursor: None,
    parents: ParentKind::Team,
    permissions: &[&LISTS_CHANNELS],
    // Graph refuses $top here. Every team has its General; an empty list was seen by others (graph.md 2.3).
    source: Source::ListOfTeam { request: |team, _| Request::get(["teams", team, "channels"]), never_empty: true },
    schema: schema::<Channel>(),
    columns: columns::<Channel>(),
};

/// One channel.
pub fn channel(team: &str, channel: &str) -> Request {
    Request::get(["teams", team, "channels", channel])
}
