//! `message_replies`: the replies in the threads of each channel (graph.md 2.6).

use super::{ParentKind, READS_MESSAGES, Source, Stream, columns, schema};
use crate::{graph::Request, record::Reply};

/// The replies in threads.
pub static MESSAGE_REPLIES: Stream = Stream {
    name: "message_replies",
    description: "Replies in the threads of the channels that are read.",
    primary_key: &["channel_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    parents: ParentKind::Message,
    permissions: &[&READS_MESSAGES],
    source: Source::Replies,
    schema: schema::<Reply>(),
    columns: columns::<Reply>(),
};

/// The replies of one root message.
pub fn thread(team: &str, channel: &str, message: &str, top: u64) -> Request {
    Request::get(["teams", team, "channels", channel, "messages", message, "replies"]).query("$top", top)
}
