//! The members of a team and their JSON (graph.md 2.4).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Team, Tenant};
use crate::{
    content::people,
    encode::{base64, guid},
};

/// The subtypes of conversationMember (graph.md 2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberKind {
    #[default]
    AadUser,
    AnonymousGuest,
    AzureCommunicationServicesUser,
    MicrosoftAccountUser,
    PhoneUser,
    SkypeForBusinessUser,
    SkypeUser,
}

impl MemberKind {
    pub const ALL: [MemberKind; 7] = [
        MemberKind::AadUser,
        MemberKind::AnonymousGuest,
        MemberKind::AzureCommunicationServicesUser,
        MemberKind::MicrosoftAccountUser,
        MemberKind::PhoneUser,
        MemberKind::SkypeForBusinessUser,
        MemberKind::SkypeUser,
    ];
}

#[derive(Clone, Debug)]
pub struct Member {
    pub kind: MemberKind,
    pub roles: Vec<String>,
    /// The number of the user in [`people`].
    pub(crate) user: u32,
}

impl Member {
    /// The membership id: base64 of `{teamId}##{userId}` (graph.md 2.4).
    pub fn id(&self, tenant: &Tenant, team: &Team) -> String {
        base64(format!("{}##{}", team.id, people::id(tenant.seed, self.user)).as_bytes())
    }

    pub fn json(&self, tenant: &Tenant, team: &Team) -> Value {
        let user = people::id(tenant.seed, self.user).to_string();
        let (name, own) = match self.kind {
            MemberKind::AadUser => ("aadUser", json!({ "userId": user, "email": people::email(self.user), "tenantId": tenant.id })),
            MemberKind::AnonymousGuest => ("anonymousGuest", json!({ "anonymousGuestId": format!("guest-{user}") })),
            MemberKind::AzureCommunicationServicesUser => {
                ("azureCommunicationServicesUser", json!({ "azureCommunicationServicesId": format!("8:acs:{user}") }))
            }
            MemberKind::MicrosoftAccountUser => ("microsoftAccountUser", json!({ "userId": user })),
            MemberKind::PhoneUser => ("phoneUser", json!({ "phoneNumber": format!("+49 30 {:07}", self.user) })),
            MemberKind::SkypeForBusinessUser => {
                ("skypeForBusinessUser", json!({ "userId": user, "tenantId": guid(7, u64::from(self.user)).to_string() }))
            }
            MemberKind::SkypeUser => ("skypeUser", json!({ "skypeId": format!("live:{:x}", self.user) })),
        };
        let mut member = json!({
            "@odata.type": format!("#microsoft.graph.{name}ConversationMember"),
            "id": self.id(tenant, team),
            "roles": self.roles,
            "displayName": people::name(self.user),
            "visibleHistoryStartDateTime": if self.user.is_multiple_of(3) { json!("0001-01-01T00:00:00Z") } else { json!(team.created.to_string()) },
        });
        if let (Value::Object(properties), Value::Object(own)) = (&mut member, own) {
            properties.extend(own);
            // These are sometimes missing (graph.md 2.4).
            match self.user % 11 {
                3 => drop(properties.remove("displayName")),
                5 => drop(properties.insert("displayName".to_owned(), Value::Null)),
                7 if properties.contains_key("email") => drop(properties.insert("email".to_owned(), Value::Null)),
                _ => {}
            }
        }
        member
    }
}
