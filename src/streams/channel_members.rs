//! `channel_members`: who can read each channel, people of other teams and tenants that it is shared with included (graph.md 2.4).

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::{Read, Stream};
use crate::{
    graph::{Class, Permission, Request},
    level::CHANNEL,
    record::{Open, json_schema},
};

/// What lets the members of a channel be listed.
static LISTS_CHANNEL_MEMBERS: Permission = Permission::new(&["ChannelMember.Read.All", "ChannelMember.ReadWrite.All"]);

/// The members of channels, direct and indirect.
pub static CHANNEL_MEMBERS: Stream = Stream {
    name: "channel_members",
    description: "Members of the channels that are read, also of teams and tenants that a channel is shared with.",
    primary_key: &["channel_id", "id"],
    cursor: None,
    is_default: false,
    below: Some(&CHANNEL),
    finds: None,
    permissions: &[&LISTS_CHANNEL_MEMBERS],
    page: 999,
    // Graph takes no $top here.
    read: Read::list(|channel, _| Request::get(&Class::OTHER, channel, ["allMembers"])),
    make_schema: json_schema::<ChannelMember>,
};

/// A member of a channel: owner, member or guest, of this tenant or of another.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelMember {
    /// Id of the membership, opaque; not the id of the user (Graph: conversationMember/id).
    pub id: String,
    /// Id of the team that the channel was listed under.
    #[serde(rename = "team_id")]
    pub team_id: String,
    /// Id of the channel that the member was listed under.
    #[serde(rename = "channel_id")]
    pub channel_id: String,
    /// Owner, Member or Guest, in capitals here; may be empty for a plain member (Graph: conversationMember/roles).
    pub roles: Option<Vec<Option<String>>>,
    /// Name of the member (Graph: conversationMember/displayName).
    pub display_name: Option<String>,
    /// Id of the user in Microsoft Entra, of the tenant of the member (Graph: aadUserConversationMember/userId).
    pub user_id: Option<String>,
    /// Mail address of the member (Graph: aadUserConversationMember/email).
    pub email: Option<String>,
    /// Since when the member sees the history; null means all of it (Graph: conversationMember/visibleHistoryStartDateTime).
    pub visible_history_start_date_time: Option<DateTime<Utc>>,
    /// Id of the Microsoft Entra tenant of the member (Graph: aadUserConversationMember/tenantId).
    pub tenant_id: Option<String>,
    /// Properties that Graph sent and this schema does not know, and values of an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<Open>,
}
