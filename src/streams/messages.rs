//! `messages`: the root messages in each channel (graph.md 2.5).

use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::{MessageKind, Read, Stream};
use crate::{
    graph::{Class, Permission, Request},
    level::{CHANNEL, Partition},
    record::{OpenObject, json_schema},
};

/// Graph's maximum page size for messages and replies.
pub const MAX_TOP: u64 = 50;

pub static CHANNEL_MESSAGE_READ: Permission = Permission::new(&["ChannelMessage.Read.All", "Group.Read.All", "Group.ReadWrite.All"]);

pub static MESSAGES: Stream = Stream {
    name: "messages",
    description: "Root messages in the selected channels, including system events and deleted messages.",
    primary_key: &["channel_id", "id"],
    cursor: Some("lastModifiedDateTime"),
    is_default: true,
    parent_level: Some(&CHANNEL),
    discovers: None,
    permissions: &[&CHANNEL_MESSAGE_READ],
    max_page_size: MAX_TOP,
    read: Read::Walk(MessageKind::Roots),
    make_schema: json_schema::<Message>,
};

/// Requests the messages in a channel with up to 200 replies each, ordered by latest activity, newest first.
pub fn messages_with_replies(team: &str, channel: &str, top: u64) -> Request {
    root_messages(team, channel, top).query("$expand", "replies")
}

/// Requests the messages in a channel in the same order, but without replies, for channels where Graph refuses to expand them.
pub fn root_messages(team: &str, channel: &str, top: u64) -> Request {
    Request::get(&Class::MESSAGES, &Partition::channel(team, channel), ["messages"]).query("$top", top)
}

pub fn message(team: &str, channel: &str, message: &str) -> Request {
    Request::get(&Class::MESSAGES, &Partition::thread(team, channel, message), [])
}

/// The first request of a delta query for changes since a given time (graph.md 4.2). It has no `$top`, which Graph does not reliably accept here.
pub fn delta(team: &str, channel: &str, since: DateTime<Utc>) -> Request {
    let since = since.to_rfc3339_opts(SecondsFormat::Millis, true);
    let request = Request::get(&Class::MESSAGES, &Partition::channel(team, channel), ["messages", "delta"]);
    request.query("$filter", format!("lastModifiedDateTime gt {since}"))
}

/// A root message in a channel.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Id of the message: its creation time in milliseconds since 1970, unique only within the channel (Graph: chatMessage/id).
    pub id: String,
    /// Id of the team.
    #[serde(rename = "team_id")]
    pub team_id: String,
    /// Id of the channel.
    #[serde(rename = "channel_id")]
    pub channel_id: String,
    /// Id of the root message of the thread; null for a root message (Graph: chatMessage/replyToId).
    pub reply_to_id: Option<String>,
    /// Id of the chat; null in channels (Graph: chatMessage/chatId).
    pub chat_id: Option<String>,
    /// Version number of the message (Graph: chatMessage/etag).
    pub etag: Option<String>,
    /// Type of the message, such as message or systemEventMessage (Graph: chatMessage/messageType).
    pub message_type: Option<String>,
    /// When the message was created (Graph: chatMessage/createdDateTime).
    pub created_date_time: Option<DateTime<Utc>>,
    /// When the message was created, last edited, or last reacted to; replies do not change it (Graph: chatMessage/lastModifiedDateTime).
    pub last_modified_date_time: Option<DateTime<Utc>>,
    /// When the text was last edited in Teams; null if never (Graph: chatMessage/lastEditedDateTime).
    pub last_edited_date_time: Option<DateTime<Utc>>,
    /// When the message was deleted; null if it was not (Graph: chatMessage/deletedDateTime).
    pub deleted_date_time: Option<DateTime<Utc>>,
    /// Subject, in plain text (Graph: chatMessage/subject).
    pub subject: Option<String>,
    /// Summary for notifications and for clients that cannot show cards (Graph: chatMessage/summary).
    pub summary: Option<String>,
    /// Importance: normal, high or urgent (Graph: chatMessage/importance).
    pub importance: Option<String>,
    /// Locale of the message; always en-us (Graph: chatMessage/locale).
    pub locale: Option<String>,
    /// Link to the message in Teams (Graph: chatMessage/webUrl).
    pub web_url: Option<String>,
    /// Sender: user, application or device; null for system events and deleted senders (Graph: chatMessage/from).
    pub from: Option<OpenObject>,
    /// Content of the message (Graph: chatMessage/body).
    pub body: Option<Body>,
    /// Attached files, cards, tabs and forwarded messages (Graph: chatMessage/attachments).
    pub attachments: Option<Vec<Option<OpenObject>>>,
    /// Mentioned users, teams, channels, tags and bots (Graph: chatMessage/mentions).
    pub mentions: Option<Vec<Option<OpenObject>>>,
    /// Reactions, one entry per user and type (Graph: chatMessage/reactions).
    pub reactions: Option<Vec<Option<OpenObject>>>,
    /// Team and channel that the message was posted in (Graph: chatMessage/channelIdentity).
    pub channel_identity: Option<OpenObject>,
    /// Action taken by a data loss prevention policy (Graph: chatMessage/policyViolation).
    pub policy_violation: Option<OpenObject>,
    /// Details of the event if messageType is systemEventMessage; @odata.type is the type of event (Graph: chatMessage/eventDetail).
    pub event_detail: Option<OpenObject>,
    /// History of the message's reactions (Graph: chatMessage/messageHistory).
    pub message_history: Option<Vec<Option<OpenObject>>>,
    /// True if Graph reported the message as removed (@removed), in which case only the ids and lastModifiedDateTime are set; otherwise null.
    #[serde(rename = "is_removed")]
    pub is_removed: Option<bool>,
    /// Properties that are not in this schema, and values of an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<OpenObject>,
}

/// Content of a message.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// Format of the content: text or html (Graph: itemBody/contentType).
    pub content_type: Option<String>,
    /// Text or HTML; in HTML, mentions and attachments are `<at>` and `<attachment>` elements (Graph: itemBody/content).
    pub content: Option<String>,
}
