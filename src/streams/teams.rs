//! `teams`: the groups in the tenant that are teams, with the properties of both group and team (graph.md 2.1, 2.2).

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::{DiscoveredParents, Read, Stream};
use crate::{
    graph::{Class, Item, Permission, Request},
    level::{Partition, TEAM},
    record::{JsonText, OpenObject, json_schema},
};

/// Microsoft's newer documentation lists the second as the least privileged one, but only the first is available in every tenant.
pub static GROUP_READ: Permission = Permission::new(&[
    "GroupMember.Read.All",
    "Group.ReadBasic.All",
    "Group.Read.All",
    "Directory.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
]);

/// Reading the settings of a team may require `TeamSettings.Read.All` (graph.md 9, question 2).
pub static TEAM_READ: Permission = Permission::new(&[
    "Team.ReadBasic.All",
    "TeamSettings.Read.All",
    "TeamSettings.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
]);

pub static TEAMS: Stream = Stream {
    name: "teams",
    description: "Teams in the tenant, with their settings.",
    primary_key: &["id"],
    cursor: None,
    is_default: true,
    parent_level: None,
    discovers: Some(DiscoveredParents { level: &TEAM, request: |partition| team(partition.id(&TEAM)), permission: &TEAM_READ }),
    permissions: &[&GROUP_READ, &TEAM_READ],
    max_page_size: 999,
    read: Read::Teams,
    make_schema: json_schema::<Team>,
};

/// The properties of a group that are part of the record.
const GROUP_PROPERTIES: &str = "id,displayName,description,visibility,createdDateTime,classification";
const IS_TEAM: &str = "resourceProvisioningOptions/Any(x:x eq 'Team')";

/// Lists the groups that are teams, with the properties for records.
pub fn groups(top: Option<u64>) -> Request {
    list(GROUP_PROPERTIES, top)
}

pub fn group_ids(top: Option<u64>) -> Request {
    list("id", top)
}

pub fn group_names(top: Option<u64>) -> Request {
    list("id,displayName", top)
}

fn list(select: &str, top: Option<u64>) -> Request {
    Request::get(&Class::GROUPS, &Partition::default(), ["groups"])
        .query("$filter", IS_TEAM)
        .query("$select", select)
        .query("$top", top.unwrap_or(999))
}

pub fn team(id: &str) -> Request {
    Request::get(&Class::TEAM, &Partition::team(id), [])
}

/// The properties of a record: first the group's, then the team's, which take precedence.
pub(crate) fn properties<'p>(group: &'p [(String, String)], team: Item<'p>) -> impl Iterator<Item = (&'p str, &'p str)> {
    group.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(team.fields())
}

/// The properties of a group, with the visibility spelled as it is for teams: `Public` becomes `public`.
pub(crate) fn properties_of_group(group: Item<'_>) -> Vec<(String, String)> {
    let uncapitalize = |value: &str| match (value.get(..2), value.get(2..)) {
        (Some(first), Some(rest)) => first.to_ascii_lowercase() + rest,
        _ => value.to_owned(),
    };
    group
        .fields()
        .map(|(name, value)| (name.to_owned(), if name == "visibility" { uncapitalize(value) } else { value.to_owned() }))
        .collect()
}

/// A team, with properties of its Microsoft 365 group.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    /// Id of the team, which is also the id of its Microsoft 365 group (Graph: team/id).
    pub id: String,
    /// Name of the team (Graph: team/displayName).
    pub display_name: Option<String>,
    /// Description of the team, at most 1,024 characters (Graph: team/description).
    pub description: Option<String>,
    /// Visibility: private, public or hiddenMembership (Graph: team/visibility; falls back to group/visibility, converted to camel case).
    pub visibility: Option<String>,
    /// Whether the team is archived, and therefore read-only (Graph: team/isArchived).
    pub is_archived: Option<bool>,
    /// When the team was created (Graph: team/createdDateTime; falls back to group/createdDateTime).
    pub created_date_time: Option<DateTime<Utc>>,
    /// What members may do, as a JSON-encoded string (Graph: team/memberSettings).
    pub member_settings: Option<JsonText>,
    /// What guests may do, as a JSON-encoded string (Graph: team/guestSettings).
    pub guest_settings: Option<JsonText>,
    /// Which actions on messages are allowed, as a JSON-encoded string (Graph: team/messagingSettings).
    pub messaging_settings: Option<JsonText>,
    /// Whether Giphy, memes and stickers are allowed, as a JSON-encoded string (Graph: team/funSettings).
    pub fun_settings: Option<JsonText>,
    /// Classification label of the team (Graph: team/classification).
    pub classification: Option<String>,
    /// Specialization of the team, such as educationClass; for an ordinary team it is the string `none`, not null (Graph: team/specialization).
    pub specialization: Option<String>,
    /// Link to the team in Teams (Graph: team/webUrl).
    pub web_url: Option<String>,
    /// Internal id of the team, as used in audit logs (Graph: team/internalId).
    pub internal_id: Option<String>,
    /// Id of the Microsoft Entra tenant (Graph: team/tenantId).
    pub tenant_id: Option<String>,
    /// Number of owners, members and guests, as a JSON-encoded string (Graph: team/summary).
    pub summary: Option<JsonText>,
    /// Properties that are not in this schema, and values of an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<OpenObject>,
}
