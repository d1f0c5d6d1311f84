//! `channel_members`: everyone who can read a channel, including members of other teams and tenants (graph.md 2.4).

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::{Read, Stream};
use crate::{
    graph::{Class, Permission, Request},
    level::CHANNEL,
    record::{OpenObject, json_schema},
};

static CHANNEL_MEMBER_READ: Permission = Permission::new(&["ChannelMember.Read.All", "ChannelMember.ReadWrite.All"]);

pub static CHANNEL_MEMBERS: Stream = Stream {
    name: "channel_members",
    description: "Members of the selected channels. For shared channels, members from other teams and tenants are included.",
    primary_key: &["channel_id", "id"],
    cursor: None,
    is_default: false,
    parent_level: Some(&CHANNEL),
    discovers: None,
    permissions: &[&CHANNEL_MEMBER_READ],
    max_page_size: 999,
    // Graph does not support $top here.
    read: Read::list(|channel, _| Request::get(&Class::OTHER, channel, ["allMembers"])),
    make_schema: json_schema::<ChannelMember>,
};

/// An owner, member or guest of a channel, from this tenant or another one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelMember {
    /// Opaque id of the membership; not the id of the user (Graph: conversationMember/id).
    pub id: String,
    /// Id of the team in which the channel was listed.
    #[serde(rename = "team_id")]
    pub team_id: String,
    /// Id of the channel.
    #[serde(rename = "channel_id")]
    pub channel_id: String,
    /// Roles: Owner, Member or Guest (capitalized, unlike in members); may be empty for a regular member (Graph: conversationMember/roles).
    pub roles: Option<Vec<Option<String>>>,
    /// Name of the member (Graph: conversationMember/displayName).
    pub display_name: Option<String>,
    /// Id of the user in the member's Microsoft Entra tenant (Graph: aadUserConversationMember/userId).
    pub user_id: Option<String>,
    /// Email address of the member (Graph: aadUserConversationMember/email).
    pub email: Option<String>,
    /// Start of the history that the member can see; null means all of it (Graph: conversationMember/visibleHistoryStartDateTime).
    pub visible_history_start_date_time: Option<DateTime<Utc>>,
    /// Id of the member's Microsoft Entra tenant (Graph: aadUserConversationMember/tenantId).
    pub tenant_id: Option<String>,
    /// Properties that are not in this schema, and values of an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<OpenObject>,
}
