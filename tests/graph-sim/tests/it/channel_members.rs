//! `…/channels/{id}/allMembers` and `…/members`.

use std::collections::{BTreeMap, HashSet};

use graph_sim::{ChangeError, Membership, TenantSpec};
use serde_json::{Value, json};

use crate::client::{Sim, ids, new_token};

/// A team of 24 members with a channel of this membership type. Returns the ids of the team and the channel.
fn channel(membership: Membership) -> (Sim, String, String) {
    let sim = Sim::new(TenantSpec { members: 24, ..TenantSpec::uniform(1, 1, 0) });
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.with_tenant(|tenant| tenant.create_channel(&team, "Crane", membership)).unwrap();
    (sim, team, channel)
}

fn members(sim: &Sim, team: &str, channel: &str, list: &str) -> Vec<Value> {
    sim.all(&sim.path(team, channel, list)).0
}

fn has_role(member: &Value, role: &str) -> bool {
    member["roles"].as_array().unwrap().contains(&json!(role))
}

#[test]
fn all_members_are_those_of_the_truth() {
    let sim = Sim::new(TenantSpec { members: 24, ..TenantSpec::uniform(3, 12, 0) });
    let truth = sim.truth();
    let mut served = BTreeMap::new();
    for (team, channel) in truth.channels.keys() {
        for member in members(&sim, team, channel, "/allMembers") {
            served.insert((team.clone(), channel.clone(), member["id"].as_str().unwrap().to_owned()), member);
        }
    }
    assert_eq!(served, truth.channel_members);
}

/// graph.md 2.4: the membership ids are the same in all standard channels of a team, and roles are capitalized.
#[test]
fn a_standard_channel_has_the_members_of_its_team() {
    let (sim, team, channel) = channel(Membership::Standard);
    let team_members = sim.all(&format!("/v1.0/teams/{team}/members")).0;
    let channel_members = members(&sim, &team, &channel, "/allMembers");
    assert_eq!(ids(&channel_members), ids(&team_members));
    for (team_member, channel_member) in team_members.iter().zip(&channel_members) {
        assert_eq!(has_role(team_member, "owner"), has_role(channel_member, "Owner"));
        assert_eq!(has_role(team_member, "guest"), has_role(channel_member, "Guest"));
    }
    let roles: HashSet<String> = channel_members.iter().map(|member| member["roles"].to_string()).collect();
    assert_eq!(roles, HashSet::from([r#"["Owner"]"#, r#"["Guest"]"#, r#"["Member"]"#, "[]"].map(str::to_owned)));
}

/// graph.md 2.4: a private channel has its own owner and membership ids.
#[test]
fn a_private_channel_has_some_members_of_its_team() {
    let (sim, team, channel) = channel(Membership::Private);
    let users = |members: &[Value]| -> HashSet<String> {
        members.iter().map(|member| member["userId"].as_str().unwrap_or("").to_owned()).collect()
    };
    let team_members = sim.all(&format!("/v1.0/teams/{team}/members")).0;
    let channel_members = members(&sim, &team, &channel, "/allMembers");
    assert!(!channel_members.is_empty() && channel_members.len() < team_members.len());
    assert!(users(&channel_members).is_subset(&users(&team_members)));
    assert_eq!(channel_members.iter().filter(|member| has_role(member, "Owner")).count(), 1);
    assert!(ids(&channel_members).iter().all(|id| !ids(&team_members).contains(id)));
    assert_eq!(members(&sim, &team, &channel, "/members"), channel_members);
}

/// graph.md 2.4: a shared channel has members of other tenants and of teams that it is shared with. `members` omits the latter.
#[test]
fn a_shared_channel_has_members_from_elsewhere() {
    let (sim, team, channel) = channel(Membership::Shared);
    let all = members(&sim, &team, &channel, "/allMembers");
    let channel_url = format!("/teams/{team}/channels/");
    let is_direct = |member: &Value| member["@microsoft.graph.originalSourceMembershipUrl"].as_str().unwrap().contains(&channel_url);
    let is_foreign = |member: &Value| member["tenantId"] != sim.credentials().tenant_id.as_str();
    for (foreign, direct) in [(false, true), (false, false), (true, true), (true, false)] {
        assert!(all.iter().any(|member| (is_foreign(member), is_direct(member)) == (foreign, direct)), "{foreign} {direct}: {all:#?}");
    }
    for member in all.iter().filter(|member| is_foreign(member)) {
        assert_eq!(has_role(member, "Owner"), is_direct(member));
        assert!(["userId", "email", "displayName"].iter().all(|name| member[*name].is_string()), "{member}");
    }
    assert_eq!(members(&sim, &team, &channel, "/members"), all.into_iter().filter(is_direct).collect::<Vec<_>>());
}

/// graph.md 2.4: `$filter` and `$select` are supported, `$top` is not.
#[test]
fn all_members_has_pages_but_no_top() {
    let (sim, team, channel) = channel(Membership::Standard);
    let path = sim.path(&team, &channel, "/allMembers");
    let whole = sim.all(&path).0;
    sim.switches(|switches| switches.all_members_page = 10);
    assert_eq!(sim.all(&path), (whole.clone(), 3));
    assert_eq!(sim.get(&format!("{path}?$top=5")).error().1, "Parameter 'Top' not supported for this request.");
    let (selected, pages) = sim.all(&format!("{path}?$select=id,roles"));
    assert_eq!((selected.len(), pages), (24, 3));
    assert!(selected.iter().all(|member| member.as_object().unwrap().len() == 2));
    let user = whole[3]["userId"].as_str().unwrap();
    let filtered = sim.all(&format!("{path}?$filter=(microsoft.graph.aadUserConversationMember/userId%20eq%20'{user}')")).0;
    assert_eq!(filtered, [whole[3].clone()]);
    assert_eq!(sim.get(&format!("{path}?$filter=roles%20eq%20'owner'")).status, 400);
}

/// graph.md 2.4: both lists require the same permission, which the permissions for teams do not include.
#[test]
fn members_of_channels_require_their_own_permission() {
    let (mut sim, team, channel) = channel(Membership::Standard);
    let statuses = |sim: &Sim| ["/allMembers", "/members"].map(|list| sim.get(&sim.path(&team, &channel, list)).status);
    sim.set_roles(&["ChannelMember.Read.All"]);
    sim.token = new_token(&sim);
    assert_eq!(statuses(&sim), [200, 200]);
    sim.set_roles(&["TeamMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
    sim.token = new_token(&sim);
    assert_eq!(statuses(&sim), [403, 403]);
}

/// Members who leave a team also leave its private channels.
#[test]
fn members_of_channels_can_change() {
    let (sim, team, channel) = channel(Membership::Private);
    let count = || members(&sim, &team, &channel, "/allMembers").len();
    let before = count();
    let added = sim.with_tenant(|tenant| tenant.add_channel_member(&channel, &["owner"])).unwrap();
    assert!(ids(&members(&sim, &team, &channel, "/allMembers")).contains(&added.as_str()));
    sim.with_tenant(|tenant| tenant.remove_channel_member(&channel, &added)).unwrap();
    assert_eq!(count(), before);
    let team_members: Vec<String> = ids(&sim.all(&format!("/v1.0/teams/{team}/members")).0).iter().map(|&id| id.to_owned()).collect();
    sim.with_tenant(|tenant| team_members.iter().try_for_each(|member| tenant.remove_member(&team, member))).unwrap();
    assert_eq!(count(), 0);
    let general = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
    assert_eq!(sim.with_tenant(|tenant| tenant.add_channel_member(&general, &[])), Err(ChangeError::Standard(general.clone())));
}
