//! A channel, as the stream `channels` has it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Open;

/// A channel of a team, private and shared channels included.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Id of the channel, such as 19:...@thread.tacv2 (Graph: channel/id).
    pub id: String,
    /// Id of the team that the channel was listed under.
    #[serde(rename = "team_id")]
    pub team_id: String,
    /// Name of the channel, at most 50 characters (Graph: channel/displayName).
    pub display_name: Option<String>,
    /// Description of the channel (Graph: channel/description).
    pub description: Option<String>,
    /// standard, private or shared (Graph: channel/membershipType).
    pub membership_type: Option<String>,
    /// Address that posts to the channel, empty until somebody asks for it in Teams (Graph: channel/email).
    pub email: Option<String>,
    /// Link to the channel in the Teams client (Graph: channel/webUrl).
    pub web_url: Option<String>,
    /// When the channel was created (Graph: channel/createdDateTime).
    pub created_date_time: Option<DateTime<Utc>>,
    /// Whether the channel is shown to every member of the team (Graph: channel/isFavoriteByDefault).
    pub is_favorite_by_default: Option<bool>,
    /// Whether the channel is archived (Graph: channel/isArchived).
    pub is_archived: Option<bool>,
    /// Id of the Microsoft Entra tenant that owns the channel (Graph: channel/tenantId).
    pub tenant_id: Option<String>,
    /// Properties that Graph sent and this schema does not know, and values of an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<Open>,
}
