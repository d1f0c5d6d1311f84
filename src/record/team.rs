//! A team, as the stream `teams` has it.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{JsonText, Open};

/// A team of the tenant: the Microsoft 365 group behind it and Graph's `team`, in one record.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Team {
    /// Id of the team, equal to the id of its Microsoft 365 group (Graph: team/id).
    pub id: String,
    /// Name of the team (Graph: team/displayName).
    pub display_name: Option<String>,
    /// Description of the team, at most 1,024 characters (Graph: team/description).
    pub description: Option<String>,
    /// private, public or hiddenMembership (Graph: team/visibility, else group/visibility in lower case).
    pub visibility: Option<String>,
    /// Whether the team is archived, that is read-only (Graph: team/isArchived).
    pub is_archived: Option<bool>,
    /// When the team was created (Graph: team/createdDateTime, else group/createdDateTime).
    pub created_date_time: Option<DateTime<Utc>>,
    /// What members may do, JSON in a string (Graph: team/memberSettings).
    pub member_settings: Option<JsonText>,
    /// What guests may do, JSON in a string (Graph: team/guestSettings).
    pub guest_settings: Option<JsonText>,
    /// What may be done with messages, JSON in a string (Graph: team/messagingSettings).
    pub messaging_settings: Option<JsonText>,
    /// Use of Giphy, memes and stickers, JSON in a string (Graph: team/funSettings).
    pub fun_settings: Option<JsonText>,
    /// Classification label of the team (Graph: team/classification).
    pub classification: Option<String>,
    /// Kind of team in education and health care, otherwise none (Graph: team/specialization).
    pub specialization: Option<String>,
    /// Link to the team in the Teams client (Graph: team/webUrl).
    pub web_url: Option<String>,
    /// Internal id of the team, as audit logs have it (Graph: team/internalId).
    pub internal_id: Option<String>,
    /// Id of the Microsoft Entra tenant (Graph: team/tenantId).
    pub tenant_id: Option<String>,
    /// Properties that Graph sent and this schema does not know, and values of an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<Open>,
}
