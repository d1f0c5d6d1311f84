//! `messages`: the root messages of each channel (graph.md 2.5).

use super::{ParentKind, Source, Stream, columns, schema};
use crate::{graph::Request, record::Message};

/// The root messages of channels.
pub static MESSAGES: Stream = Stream {
    name: "messages",
    description: "Root messages of the channels that are read, system events and deleted messages included.",
    primary_key: &["channel_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    parents: ParentKind::Channel,
    permissions: &["ChannelMessage.Read.All"],
    source: Source::Roots,
    schema: schema::<Message>(),
    columns: columns::<Message>(),
};

/// The chains of a channel, newest activity first, with up to 200 replies each.
pub fn walk(team: &str, channel: &str, top: u64) -> Request {
    Request::get(["teams", team, "channels", channel, "messages"]).query("$top", top).query("$expand", "replies")
}
