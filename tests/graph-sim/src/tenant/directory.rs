//! Groups, teams and channels, and their JSON. There are few of them, so building JSON values is fast enough.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Chains, LogEntry,
    block::{Block, DeltaSupport},
    channel_members::{self, ChannelMember},
    members::Member,
};
use crate::{encode::percent_encode, rng::Draw, switches::BasicTeam, time::Time};

/// A Microsoft 365 group, and its team if it has one.
#[derive(Clone, Debug)]
pub struct Team {
    pub id: String,
    pub display_name: String,
    pub description: Option<String>,
    /// `public`, `private` or `hiddenMembership`, as in a team. In a group it is capitalized.
    pub visibility: String,
    pub archived: bool,
    pub(crate) tenant_id: String,
    pub(crate) seed: u64,
    pub(crate) created: Time,
    /// False for a group that matches the filter for teams but has no team (graph.md 2.1).
    pub(crate) provisioned: bool,
    pub(crate) gone: bool,
    /// Its group is not marked as a team, so the list of teams omits it.
    pub(crate) unmarked: bool,
    pub(crate) block: Option<Block>,
    pub(crate) channels: Vec<Channel>,
    pub(crate) members: Vec<Member>,
    /// Properties that are added to the JSON of the team or replaced in it.
    pub(crate) extra: Map<String, Value>,
}

impl Team {
    /// The existing channels, in list order.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().filter(|channel| !channel.gone)
    }

    pub fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn new(id: String, name: String, tenant_id: String, seed: u64, created: Time) -> Team {
        let mut rng = Rng::with_seed(seed);
        let visibility = ["public", "private", "private", "public", "hiddenMembership"][rng.usize(..5)].to_owned();
        let description = (!rng.chance(15)).then(|| format!("All about {name} – Grüße, 日本"));
        Team {
            id,
            display_name: name,
            description,
            visibility,
            archived: rng.chance(8),
            tenant_id,
            seed,
            created,
            provisioned: true,
            gone: false,
            unmarked: false,
            block: None,
            channels: Vec::new(),
            members: Vec::new(),
            extra: Map::new(),
        }
    }

    fn classification(&self) -> Value {
        [Value::Null, json!("Confidential"), Value::Null, json!("")][(self.seed % 4) as usize].clone()
    }

    /// The group as in `GET /groups` without `$select`.
    pub fn group_json(&self) -> Value {
        let mut visibility = self.visibility.clone();
        if let Some(first) = visibility.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        json!({
            "id": self.id,
            "deletedDateTime": null,
            "classification": self.classification(),
            "createdDateTime": self.created.to_string(),
            "creationOptions": ["Team"],
            "description": self.description,
            "displayName": self.display_name,
            "expirationDateTime": null,
            "groupTypes": ["Unified"],
            "isAssignableToRole": null,
            "mail": format!("team-{:x}@contoso.example", self.seed & 0xffff),
            "mailEnabled": true,
            "mailNickname": format!("team-{:x}", self.seed & 0xffff),
            "membershipRule": null,
            "onPremisesSyncEnabled": null,
            "preferredLanguage": null,
            "proxyAddresses": [],
            "renewedDateTime": self.created.to_string(),
            "resourceBehaviorOptions": ["HideGroupInOutlook"],
            "resourceProvisioningOptions": ["Team"],
            "securityEnabled": false,
            "securityIdentifier": format!("S-1-12-1-{}", self.seed & 0xffff_ffff),
            "theme": null,
            "visibility": visibility,
            "onPremisesProvisioningErrors": [],
        })
    }

    /// The team as in `GET /teams`, which has these properties only (graph.md 2.1).
    pub fn listed_json(&self) -> Value {
        json!({ "id": self.id, "displayName": self.display_name, "description": self.description })
    }

    /// The team as in `GET /teams/{id}` with all permissions.
    pub fn json(&self) -> Value {
        self.json_for(BasicTeam::Full)
    }

    pub(crate) fn json_for(&self, settings: BasicTeam) -> Value {
        let bit = |n: u64| self.seed >> n & 1 == 1;
        let specialization = ["none", "educationClass", "none", "none", "healthcareStandard"][(self.seed % 5) as usize];
        let mut team = json!({
            "id": self.id,
            "createdDateTime": self.created.to_string(),
            "displayName": self.display_name,
            "description": self.description,
            "internalId": general_id(self),
            "classification": self.classification(),
            "specialization": specialization,
            "visibility": self.visibility,
            "webUrl": format!("https://teams.microsoft.com/l/team/{}/conversations?groupId={}&tenantId={}", percent_encode(&general_id(self)), self.id, self.tenant_id),
            "isArchived": self.archived,
            "tenantId": self.tenant_id,
            "isMembershipLimitedToOwners": false,
            "memberSettings": {
                "allowCreateUpdateChannels": bit(1), "allowCreatePrivateChannels": bit(2), "allowDeleteChannels": bit(3),
                "allowAddRemoveApps": true, "allowCreateUpdateRemoveTabs": true, "allowCreateUpdateRemoveConnectors": bit(4)
            },
            "guestSettings": { "allowCreateUpdateChannels": bit(5), "allowDeleteChannels": false },
            "messagingSettings": {
                "allowUserEditMessages": true, "allowUserDeleteMessages": bit(6), "allowOwnerDeleteMessages": true,
                "allowTeamMentions": true, "allowChannelMentions": bit(7)
            },
            "funSettings": { "allowGiphy": bit(8), "giphyContentRating": if bit(9) { "moderate" } else { "strict" }, "allowStickersAndMemes": true, "allowCustomMemes": bit(10) },
            "discoverySettings": { "showInTeamsSearchAndSuggestions": bit(11) },
            "summary": self.summary(),
        });
        let absent: &[&str] = if bit(12) { &["summary", "discoverySettings", "isMembershipLimitedToOwners"] } else { &[] };
        if let Value::Object(properties) = &mut team {
            absent.iter().for_each(|name| drop(properties.remove(*name)));
            for name in ["memberSettings", "guestSettings", "messagingSettings", "funSettings"] {
                match settings {
                    BasicTeam::Full => {}
                    BasicTeam::Null => drop(properties.insert(name.to_owned(), Value::Null)),
                    BasicTeam::Absent => drop(properties.remove(name)),
                }
            }
            properties.extend(self.extra.clone());
        }
        team
    }

    fn summary(&self) -> Value {
        let with = |role: &str| self.members.iter().filter(|member| member.roles.iter().any(|have| have == role)).count();
        let (owners, guests) = (with("owner"), with("guest"));
        json!({ "ownersCount": owners, "membersCount": self.members.len() - owners - guests, "guestsCount": guests })
    }
}

fn general_id(team: &Team) -> String {
    team.channels.first().map_or_else(|| format!("19:{:032x}@thread.tacv2", team.seed), |channel| channel.id.clone())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    #[default]
    Standard,
    Private,
    /// Graph returns `unknownFutureValue` for it without the `Prefer` header (graph.md 2.3).
    Shared,
}

#[derive(Clone, Debug)]
pub struct Channel {
    pub id: String,
    pub display_name: String,
    pub description: Option<String>,
    pub membership: Membership,
    pub archived: bool,
    pub(crate) seed: u64,
    pub(crate) created: Time,
    pub(crate) gone: bool,
    /// The list of its team omits it.
    pub(crate) unlisted: bool,
    pub(crate) block: Option<Block>,
    pub(crate) delta: DeltaSupport,
    /// The serial number of the oldest valid delta token.
    pub(crate) first_good_delta: u64,
    pub(crate) chains: Chains,
    /// The members of a private or shared channel. A standard channel has the members of its team.
    pub(crate) members: Vec<ChannelMember>,
    /// The changes that delta can report, in order.
    pub(crate) log: Vec<LogEntry>,
    pub(crate) extra: Map<String, Value>,
}

impl Channel {
    /// `team` are the members of its team, from whom its own members are drawn.
    pub(crate) fn new(id: String, name: String, membership: Membership, team: &[Member], seed: u64, created: Time) -> Channel {
        let mut rng = Rng::with_seed(seed);
        let description = (!rng.chance(30)).then(|| format!("Channel {name}: \"quoted\", back\\slash, tab\there"));
        Channel {
            id,
            display_name: name,
            description,
            membership,
            archived: rng.chance(6),
            seed,
            created,
            gone: false,
            unlisted: false,
            block: None,
            delta: DeltaSupport::Supported,
            first_good_delta: 0,
            chains: Chains::default(),
            members: channel_members::draw(membership, team, seed),
            log: Vec::new(),
            extra: Map::new(),
        }
    }

    pub fn root_count(&self) -> usize {
        self.chains.len()
    }

    /// The number of replies of each root, in no particular order.
    pub fn reply_counts(&self) -> impl Iterator<Item = usize> {
        self.chains.reply_counts()
    }

    /// The channel as in the list of its team. `unknown_members`: with `Prefer: include-unknown-enum-members`.
    pub fn json(&self, team: &Team, unknown_members: bool) -> Value {
        let membership = match self.membership {
            Membership::Standard => "standard",
            Membership::Private => "private",
            Membership::Shared if unknown_members => "shared",
            Membership::Shared => "unknownFutureValue",
        };
        let email = match self.seed % 3 {
            0 => Value::Null,
            1 => json!(""),
            _ => json!(format!("{:08x}.contoso.example@emea.teams.ms", self.seed as u32)),
        };
        let favorite = [Value::Null, json!(true), json!(false)][(self.seed >> 8) as usize % 3].clone();
        let name = percent_encode(&self.display_name);
        let mut channel = json!({
            "id": self.id,
            "createdDateTime": self.created.to_string(),
            "displayName": self.display_name,
            "description": self.description,
            "isFavoriteByDefault": favorite,
            "email": email,
            "tenantId": team.tenant_id,
            "webUrl": format!("https://teams.microsoft.com/l/channel/{}/{name}?groupId={}&tenantId={}&allowXTenantAccess=False", percent_encode(&self.id), team.id, team.tenant_id),
            "membershipType": membership,
            "isArchived": self.archived,
        });
        if let Value::Object(properties) = &mut channel {
            match self.seed >> 16 & 7 {
                0 => drop(properties.insert("layoutType".to_owned(), json!("chat"))),
                1 | 2 => drop(properties.insert("layoutType".to_owned(), json!("post"))),
                3 => drop(properties.remove("isArchived")),
                4 => properties.extend([("migrationMode".to_owned(), Value::Null), ("originalCreatedDateTime".to_owned(), Value::Null)]),
                _ => {}
            }
            properties.extend(self.extra.clone());
        }
        channel
    }
}
