//! `…/channels/{id}/allMembers` and `…/members`.

use std::collections::{BTreeMap, HashSet};

use graph_sim::{ChangeError, Membership, TenantSpec};
use serde_json::{Value, json};

use crate::client::{Sim, ids, new_token};

/// A team of 24 members with a channel of this membership: team and channel id.
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

/// What is served is what is true, of every channel of a tenant.
#[test]
fn all_members_are_the_truth() {
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

/// graph.md 2.4: a standard channel has its team's members, under the same ids in each; roles begin with a capital.
#[test]
fn a_standard_channel_has_its_teams_members() {
    let (sim, team, channel) = channel(Membership::Standard);
    let of_team = sim.all(&format!("/v1.0/teams/{team}/members")).0;
    let of_channel = members(&sim, &team, &channel, "/allMembers");
    assert_eq!(ids(&of_channel), ids(&of_team));
    for (of_team, of_channel) in of_team.iter().zip(&of_channel) {
        assert_eq!(has_role(of_team, "owner"), has_role(of_channel, "Owner"));
        assert_eq!(has_role(of_team, "guest"), has_role(of_channel, "Guest"));
    }
    let plain: HashSet<String> = of_channel.iter().map(|member| member["roles"].to_string()).collect();
    assert_eq!(plain, HashSet::from([r#"["Owner"]"#, r#"["Guest"]"#, r#"["Member"]"#, "[]"].map(str::to_owned)));
}

/// graph.md 2.4: a private channel has some of its team's members, an owner of its own, and membership ids of its own.
#[test]
fn a_private_channel_has_some_members_of_its_team() {
    let (sim, team, channel) = channel(Membership::Private);
    let users = |members: &[Value]| -> HashSet<String> {
        members.iter().map(|member| member["userId"].as_str().unwrap_or("").to_owned()).collect()
    };
    let of_team = sim.all(&format!("/v1.0/teams/{team}/members")).0;
    let of_channel = members(&sim, &team, &channel, "/allMembers");
    assert!(!of_channel.is_empty() && of_channel.len() < of_team.len());
    assert!(users(&of_channel).is_subset(&users(&of_team)));
    assert_eq!(of_channel.iter().filter(|member| has_role(member, "Owner")).count(), 1);
    assert!(ids(&of_channel).iter().all(|id| !ids(&of_team).contains(id)));
    assert_eq!(members(&sim, &team, &channel, "/members"), of_channel);
}

/// graph.md 2.4: a shared channel has people of other tenants, and those of teams that it is shared with; `members` lacks the latter.
#[test]
fn a_shared_channel_has_members_from_elsewhere() {
    let (sim, team, channel) = channel(Membership::Shared);
    let all = members(&sim, &team, &channel, "/allMembers");
    let of_channel = format!("/teams/{team}/channels/");
    let is_direct = |member: &Value| member["@microsoft.graph.originalSourceMembershipUrl"].as_str().unwrap().contains(&of_channel);
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

/// graph.md 2.4: `$filter` and `$select` are taken, `$top` is not; pages have links.
#[test]
fn all_members_page_without_top() {
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

/// graph.md 2.4: one permission opens both lists, and none of those of teams does.
#[test]
fn members_of_channels_need_a_permission_of_their_own() {
    let (mut sim, team, channel) = channel(Membership::Standard);
    let statuses = |sim: &Sim| ["/allMembers", "/members"].map(|list| sim.get(&sim.path(&team, &channel, list)).status);
    sim.set_roles(&["ChannelMember.Read.All"]);
    sim.token = new_token(&sim);
    assert_eq!(statuses(&sim), [200, 200]);
    sim.set_roles(&["TeamMember.Read.All", "Group.Read.All", "Directory.Read.All"]);
    sim.token = new_token(&sim);
    assert_eq!(statuses(&sim), [403, 403]);
}

/// The simulator itself: members of private channels come and go; those who leave the team are gone with it.
#[test]
fn members_of_channels_can_change() {
    let (sim, team, channel) = channel(Membership::Private);
    let count = || members(&sim, &team, &channel, "/allMembers").len();
    let before = count();
    let added = sim.with_tenant(|tenant| tenant.add_channel_member(&channel, &["owner"])).unwrap();
    assert!(ids(&members(&sim, &team, &channel, "/allMembers")).contains(&added.as_str()));
    sim.with_tenant(|tenant| tenant.remove_channel_member(&channel, &added)).unwrap();
    assert_eq!(count(), before);
    let of_team: Vec<String> = ids(&sim.all(&format!("/v1.0/teams/{team}/members")).0).iter().map(|&id| id.to_owned()).collect();
    sim.with_tenant(|tenant| of_team.iter().try_for_each(|member| tenant.remove_member(&team, member))).unwrap();
    assert_eq!(count(), 0);
    let general = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
    assert_eq!(sim.with_tenant(|tenant| tenant.add_channel_member(&general, &[])), Err(ChangeError::Standard(general.clone())));
}
