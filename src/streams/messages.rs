//! `messages`: the root messages of each channel (graph.md 2.5).

use chrono::{DateTime, SecondsFormat, Utc};

use super::{ParentKind, Source, Stream, columns, schema};
use crate::{
    graph::{Permission, Request},
    record::Message,
};

/// The most that Graph gives a page of messages or replies.
pub const MAX_TOP: u64 = 50;

/// What lets the messages of a channel be read, and the replies to them.
pub static READS_MESSAGES: Permission = Permission::new(&["ChannelMessage.Read.All", "Group.Read.All", "Group.ReadWrite.All"]);

/// The root messages of channels.
pub static MESSAGES: Stream = Stream {
    name: "messages",
    description: "Root messages of the channels that are read, system events and deleted messages included.",
    primary_key: &["channel_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    parents: ParentKind::Channel,
    permissions: &[&READS_MESSAGES],
    source: Source::Roots,
    schema: schema::<Message>(),
    columns: columns::<Message>(),
};

/// The chains of a channel, newest activity first, with up to 200 replies each.
pub fn walk(team: &str, channel: &str, top: u64) -> Request {
    roots(team, channel, top).query("$expand", "replies")
}

/// The root messages of a channel alone, in the order of their chains' activity: where Graph refuses to expand replies.
pub fn roots(team: &str, channel: &str, top: u64) -> Request {
    Request::get(["teams", team, "channels", channel, "messages"]).query("$top", top)
}

/// One root message.
pub fn message(team: &str, channel: &str, message: &str) -> Request {
    Request::get(["teams", team, "channels", channel, "messages", message])
}

/// What changed in a channel since a time, as the first round of delta (graph.md 4.2). Nothing else is asked: Graph is fickle about `$top` here.
pub fn delta(team: &str, channel: &str, since: DateTime<Utc>) -> Request {
    let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
    Request::get(["teams", team, "channels", channel, "messages", "delta"]).query("$filter", format!("lastModifiedDateTime gt {since}"))
}
