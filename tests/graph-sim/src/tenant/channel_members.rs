//! The members of a channel (graph.md 2.4): those of its team, its own, or those of teams that it is shared with.

use std::borrow::Cow;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Channel, Member, MemberKind, Membership, Team, Tenant};
use crate::{
    content::people,
    encode::{base64, guid, percent_encode},
    rng::Draw,
};

#[derive(Clone, Debug)]
pub struct ChannelMember {
    pub(crate) member: Member,
    home: Home,
    is_indirect: bool,
}

/// The tenant of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    /// The tenant of the channel.
    Same,
    Other,
}

/// Draws the members of a new channel. A private channel has some members of its team; a shared channel also has members of other teams and
/// tenants. A standard channel has no members of its own.
pub(crate) fn draw(membership: Membership, team: &[Member], seed: u64) -> Vec<ChannelMember> {
    if membership == Membership::Standard {
        return Vec::new();
    }
    let mut rng = Rng::with_seed(seed ^ 0x6d65_6d62);
    let users: Vec<&Member> = team.iter().filter(|member| member.kind == MemberKind::AadUser).collect();
    let owner = (!users.is_empty()).then(|| rng.usize(..users.len()));
    let chosen = users.into_iter().enumerate().filter(|(index, _)| Some(*index) == owner || rng.chance(40));
    let mut members: Vec<ChannelMember> = chosen.map(|(index, member)| ChannelMember::from_team(member, Some(index) == owner)).collect();
    if membership == Membership::Shared {
        let first = 10_000 + rng.u32(..1_000);
        let others = [(Home::Other, false), (Home::Other, false), (Home::Same, true), (Home::Other, true), (Home::Same, true)];
        members.extend((first..).zip(others).map(|(user, (home, is_indirect))| ChannelMember::external(user, home, is_indirect)));
    }
    members
}

impl ChannelMember {
    fn from_team(member: &Member, is_owner: bool) -> ChannelMember {
        let mut member = member.clone();
        member.roles.retain(|role| role != "owner");
        if is_owner {
            member.roles = vec!["owner".to_owned()];
        }
        ChannelMember { member, home: Home::Same, is_indirect: false }
    }

    fn external(user: u32, home: Home, is_indirect: bool) -> ChannelMember {
        // Graph reports direct members of other tenants as owners.
        let is_owner = home == Home::Other && !is_indirect;
        let roles = is_owner.then(|| "owner".to_owned()).into_iter().collect();
        ChannelMember { member: Member { kind: MemberKind::AadUser, roles, user }, home, is_indirect }
    }

    pub(crate) fn direct(user: u32, roles: &[&str]) -> ChannelMember {
        let roles = roles.iter().map(|&role| role.to_owned()).collect();
        ChannelMember { member: Member { kind: MemberKind::AadUser, roles, user }, home: Home::Same, is_indirect: false }
    }

    /// False for members of a team that the channel is shared with.
    pub fn is_direct(&self) -> bool {
        !self.is_indirect
    }

    /// Whether the member belongs to another tenant than the channel.
    pub fn is_of_other_tenant(&self) -> bool {
        self.home == Home::Other
    }

    /// The membership id. In standard channels it is the membership id of the team, which is the same for all channels of the team.
    pub fn id(&self, tenant: &Tenant, team: &Team, channel: &Channel) -> String {
        match channel.membership {
            Membership::Standard => self.member.id(tenant, team),
            Membership::Private | Membership::Shared => {
                base64(format!("{}##{}##{}", tenant.id, channel.id, self.user_id(tenant)).as_bytes())
            }
        }
    }

    /// The member as in `…/allMembers`.
    pub fn json(&self, tenant: &Tenant, team: &Team, channel: &Channel) -> Value {
        let mut json = self.member.json(tenant, team);
        json["id"] = self.id(tenant, team, channel).into();
        json["roles"] = self.roles();
        if self.home == Home::Other {
            json["displayName"] = people::name(self.member.user).into();
            json["userId"] = self.user_id(tenant).to_string().into();
            json["email"] = format!("user{}@fabrikam.example", self.member.user).into();
            json["tenantId"] = self.tenant_id(tenant).into();
        }
        if channel.membership == Membership::Shared {
            json["@microsoft.graph.originalSourceMembershipUrl"] = self.source_url(tenant, team, channel).into();
        }
        json
    }

    /// Capitalized, unlike the roles of a team's members. Plain members have either of the two forms in Microsoft's examples.
    fn roles(&self) -> Value {
        match self.member.roles.first() {
            Some(role) => json!([capitalized(role)]),
            None if self.member.user.is_multiple_of(2) => json!(["Member"]),
            None => json!([]),
        }
    }

    fn user_id(&self, tenant: &Tenant) -> uuid::Uuid {
        match self.home {
            Home::Same => people::id(tenant.seed, self.member.user),
            Home::Other => guid(tenant.seed ^ 0x006f_7468_6572, u64::from(self.member.user)),
        }
    }

    fn tenant_id(&self, tenant: &Tenant) -> String {
        match self.home {
            Home::Same => tenant.id.clone(),
            Home::Other => guid(tenant.seed ^ 0x7465_6e61, u64::from(self.member.user % 2)).to_string(),
        }
    }

    /// The URL of the membership in the shared channel or in a team that it is shared with.
    fn source_url(&self, tenant: &Tenant, team: &Team, channel: &Channel) -> String {
        let tenant_id = self.tenant_id(tenant);
        let base = "https://graph.microsoft.com/v1.0/tenants";
        if self.is_indirect {
            let source = guid(channel.seed, u64::from(self.home == Home::Other));
            let id = base64(format!("0##1##{tenant_id}##{source}##{}", self.user_id(tenant)).as_bytes());
            return format!("{base}/{tenant_id}/teams/{source}/members/{id}");
        }
        let id = self.id(tenant, team, channel);
        format!("{base}/{}/teams/{}/channels/{}/members/{id}", tenant.id, team.id, percent_encode(&channel.id))
    }
}

impl Channel {
    /// Everyone who can read the channel.
    pub fn all_members<'c>(&'c self, team: &'c Team) -> impl Iterator<Item = Cow<'c, ChannelMember>> {
        let team_members = if self.membership == Membership::Standard { team.members() } else { &[] };
        let standard =
            team_members.iter().map(|member| Cow::Owned(ChannelMember { member: member.clone(), home: Home::Same, is_indirect: false }));
        standard.chain(self.members.iter().map(Cow::Borrowed))
    }
}

fn capitalized(role: &str) -> String {
    let mut role = role.to_owned();
    if let Some(first) = role.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    role
}
