//! `members`: the members of each team (graph.md 2.4).

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::{Read, Stream};
use crate::{
    graph::{Class, Permission, Request},
    level::TEAM,
    record::{Open, json_schema},
};

/// What lets the members of a team be listed.
static LISTS_MEMBERS: Permission = Permission::new(&["TeamMember.Read.All", "TeamMember.ReadWrite.All"]);

/// The members of teams.
pub static MEMBERS: Stream = Stream {
    name: "members",
    description: "Members of the teams that are read: owners, members and guests.",
    primary_key: &["team_id", "id"],
    cursor: None,
    is_default: true,
    below: Some(&TEAM),
    finds: None,
    permissions: &[&LISTS_MEMBERS],
    page: 999,
    read: Read::list(|team, top| Request::get(&Class::MEMBERS, team, ["members"]).query("$top", top)),
    make_schema: json_schema::<Member>,
};

/// A member of a team: owner, member or guest, of this tenant or of another.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// Id of the membership, opaque; not the id of the user (Graph: conversationMember/id).
    pub id: String,
    /// Id of the team that the member was listed under.
    #[serde(rename = "team_id")]
    pub team_id: String,
    /// owner or guest; empty for a plain member (Graph: conversationMember/roles).
    pub roles: Option<Vec<Option<String>>>,
    /// Name of the member (Graph: conversationMember/displayName).
    pub display_name: Option<String>,
    /// Id of the user in Microsoft Entra (Graph: aadUserConversationMember/userId).
    pub user_id: Option<String>,
    /// Mail address of the member (Graph: aadUserConversationMember/email).
    pub email: Option<String>,
    /// From when on the member sees the history; null means all of it (Graph: conversationMember/visibleHistoryStartDateTime).
    pub visible_history_start_date_time: Option<DateTime<Utc>>,
    /// Id of the Microsoft Entra tenant of the member (Graph: aadUserConversationMember/tenantId).
    pub tenant_id: Option<String>,
    /// Properties that Graph sent and this schema does not know, and values of an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<Open>,
}
