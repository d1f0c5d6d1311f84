//! `message_replies`: the replies in each channel (graph.md 2.6).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    messages::{CHANNEL_MESSAGE_READ, MAX_TOP, Message},
    stream::{MessageKind, Read, Stream},
};
use crate::{
    graph::{Class, Request},
    level::{MESSAGE, Partition},
    record::json_schema,
};

pub static MESSAGE_REPLIES: Stream = Stream {
    name: "message_replies",
    description: "Replies to messages in the selected channels.",
    primary_key: &["channel_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    is_default: true,
    parent_level: Some(&MESSAGE),
    discovers: None,
    permissions: &[&CHANNEL_MESSAGE_READ],
    max_page_size: MAX_TOP,
    read: Read::Walk(MessageKind::Replies),
    make_schema: json_schema::<Reply>,
};

/// Requests the replies to one root message.
pub fn replies(team: &str, channel: &str, message: &str, top: u64) -> Request {
    Request::get(&Class::OTHER, &Partition::thread(team, channel, message), ["replies"]).query("$top", top)
}

/// A reply: a message with the id of its root message.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Reply {
    #[serde(flatten)]
    pub message: Message,
    /// Id of the root message of the thread.
    pub parent_message_id: String,
}
