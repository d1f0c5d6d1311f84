//! `members`: the members of each team (graph.md 2.4).

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::{Read, Stream};
use crate::{
    graph::{Class, Permission, Request},
    level::TEAM,
    record::{OpenObject, json_schema},
};

static TEAM_MEMBER_READ: Permission = Permission::new(&["TeamMember.Read.All", "TeamMember.ReadWrite.All"]);

pub static MEMBERS: Stream = Stream {
    name: "members",
    description: "Owners, members and guests of the selected teams.",
    primary_key: &["team_id", "id"],
    cursor: None,
    is_default: true,
    parent_level: Some(&TEAM),
    discovers: None,
    permissions: &[&TEAM_MEMBER_READ],
    max_page_size: 999,
    read: Read::list(|team, top| Request::get(&Class::MEMBERS, team, ["members"]).query("$top", top)),
    make_schema: json_schema::<Member>,
};

/// An owner, member or guest of a team, from this tenant or another one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Opaque id of the membership; not the id of the user (Graph: conversationMember/id).
    pub id: String,
    /// Id of the team.
    #[serde(rename = "team_id")]
    pub team_id: String,
    /// Roles: owner or guest; empty for a regular member (Graph: conversationMember/roles).
    pub roles: Option<Vec<Option<String>>>,
    /// Name of the member (Graph: conversationMember/displayName).
    pub display_name: Option<String>,
    /// Id of the user in Microsoft Entra (Graph: aadUserConversationMember/userId).
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
