//! `channels`: the channels of each team, including private and shared ones (graph.md 2.3).

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::{DiscoveredParents, List, Read, Stream};
use crate::{
    graph::{Class, Permission, Request},
    level::{CHANNEL, Partition, TEAM},
    record::{OpenObject, json_schema},
};

pub static CHANNEL_READ: Permission = Permission::new(&[
    "Channel.ReadBasic.All",
    "ChannelSettings.Read.All",
    "ChannelSettings.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
]);

/// The channels in this list are also the parents of other streams.
pub static CHANNELS: Stream = Stream {
    name: "channels",
    description: "Standard, private and shared channels in the selected teams.",
    primary_key: &["id"],
    cursor: None,
    is_default: true,
    parent_level: Some(&TEAM),
    discovers: Some(DiscoveredParents {
        level: &CHANNEL,
        request: |partition| channel(partition.id(&TEAM), partition.id(&CHANNEL)),
        permission: &CHANNEL_READ,
    }),
    permissions: &[&CHANNEL_READ],
    max_page_size: 999,
    // Graph rejects $top here. Every team has a channel named General, but Graph sometimes returns empty lists (graph.md 2.3).
    read: Read::List(List { request: |team, _| Request::get(&Class::CHANNELS, team, ["channels"]), never_empty: true }),
    make_schema: json_schema::<Channel>,
};

pub fn channel(team: &str, channel: &str) -> Request {
    Request::get(&Class::CHANNEL, &Partition::channel(team, channel), [])
}

/// A standard, private or shared channel of a team.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Id of the channel, such as 19:...@thread.tacv2 (Graph: channel/id).
    pub id: String,
    /// Id of the team in which the channel was listed.
    #[serde(rename = "team_id")]
    pub team_id: String,
    /// Name of the channel, at most 50 characters (Graph: channel/displayName).
    pub display_name: Option<String>,
    /// Description of the channel (Graph: channel/description).
    pub description: Option<String>,
    /// Type of the channel: standard, private or shared (Graph: channel/membershipType).
    pub membership_type: Option<String>,
    /// Email address of the channel; empty until a user requests it in Teams (Graph: channel/email).
    pub email: Option<String>,
    /// Link to the channel in Teams (Graph: channel/webUrl).
    pub web_url: Option<String>,
    /// When the channel was created (Graph: channel/createdDateTime).
    pub created_date_time: Option<DateTime<Utc>>,
    /// Whether the channel is shown to every member of the team (Graph: channel/isFavoriteByDefault).
    pub is_favorite_by_default: Option<bool>,
    /// Whether the channel is archived (Graph: channel/isArchived).
    pub is_archived: Option<bool>,
    /// Id of the Microsoft Entra tenant that owns the channel (Graph: channel/tenantId).
    pub tenant_id: Option<String>,
    /// Layout of the messages: post or chat (Graph: channel/layoutType).
    pub layout_type: Option<String>,
    /// Migration status: inProgress or completed; null if the channel was never in migration mode (Graph: channel/migrationMode).
    pub migration_mode: Option<String>,
    /// Original creation time of the channel; null if it was never in migration mode (Graph: channel/originalCreatedDateTime).
    pub original_created_date_time: Option<DateTime<Utc>>,
    /// Properties that are not in this schema, and values of an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<OpenObject>,
}
