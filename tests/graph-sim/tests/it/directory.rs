//! Groups, teams, channels and members.

use graph_sim::TenantSpec;
use serde_json::json;

use crate::client::{Sim, ids};

/// graph.md 2.1: the team of a group without a team returns 404.
#[test]
fn groups_are_paged_and_may_have_no_team() {
    let sim = Sim::new(TenantSpec::uniform(5, 1, 0));
    let filter = "$filter=resourceProvisioningOptions/Any(x:x%20eq%20'Team')&$select=id,displayName,visibility";
    let (groups, pages) = sim.all(&format!("/v1.0/groups?{filter}&$top=2"));
    assert_eq!((groups.len(), pages), (6, 3));
    assert!(
        groups.iter().all(|group| group.as_object().unwrap().len() == 3),
        "all pages must have the selected properties only: {groups:?}"
    );
    let statuses: Vec<u16> = ids(&groups).iter().map(|id| sim.get(&format!("/v1.0/teams/{id}")).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 1);
    let missing = ids(&groups)[statuses.iter().position(|status| *status == 404).unwrap()].to_owned();
    let error = sim.get(&format!("/v1.0/teams/{missing}")).error();
    assert_eq!(error, ("ItemNotFound".to_owned(), format!("No team found with Group Id {missing}")));
}

/// graph.md 2.1: the list of groups omits groups that are not marked as teams, though their teams exist.
#[test]
fn a_team_that_is_not_marked_exists_but_is_not_listed() {
    let sim = Sim::new(TenantSpec::uniform(2, 2, 0));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    sim.with_tenant(|tenant| tenant.mark_team(&team, false)).unwrap();
    let filter = "$filter=resourceProvisioningOptions/Any(x:x%20eq%20'Team')";
    let (groups, _) = sim.all(&format!("/v1.0/groups?{filter}"));
    assert_eq!((groups.len(), ids(&groups).contains(&team.as_str())), (2, false));
    assert_eq!(sim.get(&format!("/v1.0/teams/{team}")).status, 200);
}

/// graph.md 2.3: the list of a team may omit an existing channel.
#[test]
fn a_channel_can_exist_without_being_listed() {
    let sim = Sim::new(TenantSpec::uniform(1, 2, 0));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[1].clone());
    sim.with_tenant(|tenant| tenant.list_channel(&channel, false)).unwrap();
    assert_eq!(sim.all(&format!("/v1.0/teams/{team}/channels")).0.len(), 1);
    assert_eq!(sim.get(&sim.path(&team, &channel, "")).status, 200);
}

#[test]
fn the_visibility_of_a_group_is_capitalized_and_that_of_a_team_is_not() {
    let sim = Sim::new(TenantSpec::uniform(6, 1, 0));
    for (id, team) in sim.truth().teams {
        let group = sim.get(&format!("/v1.0/groups/{id}")).json();
        let (group_visibility, team_visibility) = (group["visibility"].as_str().unwrap(), team["visibility"].as_str().unwrap());
        assert_ne!(group_visibility, team_visibility);
        assert!(group_visibility.eq_ignore_ascii_case(team_visibility));
    }
}

/// graph.md 2.1
#[test]
fn the_list_of_teams_has_three_properties_only() {
    let sim = Sim::new(TenantSpec::uniform(3, 1, 0));
    let (teams, _) = sim.all("/v1.0/teams?$top=2");
    assert_eq!(teams.len(), 3);
    assert_eq!(teams[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "displayName", "description"]);
}

/// graph.md 2.3: without the `Prefer` header, the type of shared channels is `unknownFutureValue`.
#[test]
fn channels_do_not_accept_top_and_hide_the_type_of_shared_channels() {
    let sim = Sim::new(TenantSpec::uniform(1, 30, 0));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let path = format!("/v1.0/teams/{team}/channels");
    let refused = sim.get(&format!("{path}?$top=5"));
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "BadRequest"));
    let types = |reply: serde_json::Value| -> Vec<String> {
        reply["value"].as_array().unwrap().iter().map(|channel| channel["membershipType"].as_str().unwrap().to_owned()).collect()
    };
    let preferred = types(sim.get(&path).json());
    let default = types(sim.get_with(&path, &[]).unwrap().json());
    assert!(preferred.iter().any(|kind| kind == "shared"));
    for (preferred, default) in preferred.iter().zip(&default) {
        assert_eq!(default, if preferred == "shared" { "unknownFutureValue" } else { preferred });
    }
}

/// graph.md 2.4: pages have 100 members by default and 999 at most.
#[test]
fn members_are_paged_and_have_subtypes() {
    let spec = TenantSpec { members: 150, ..TenantSpec::uniform(1, 1, 0) };
    let sim = Sim::new(spec);
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let path = format!("/v1.0/teams/{team}/members");
    let (members, pages) = sim.all(&path);
    assert_eq!((members.len(), pages), (150, 2));
    assert_eq!(sim.all(&format!("{path}?$top=999")).1, 1);
    assert_eq!(sim.get(&format!("{path}?$skip=10")).status, 400);
    let kinds: std::collections::HashSet<&str> = members.iter().map(|member| member["@odata.type"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    assert_eq!(members[0]["roles"], json!(["owner"]));
}

/// graph.md 5.2: 400 if the team id is not a GUID, 405 if the method is not GET, 404 for unknown paths.
#[test]
fn invalid_requests_are_refused() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 0));
    assert_eq!(sim.get("/v1.0/teams/General/channels").error().1, "teamId needs to be a valid GUID");
    let unknown = ("NotFound".to_owned(), "Requested API is not supported. Please check the path.".to_owned());
    let reply = sim.get("/v1.0/zebras");
    assert_eq!((reply.status, reply.error()), (404, unknown));
    let authorization = format!("Bearer {}", sim.token);
    let post = crate::client::send("POST", &format!("{}/v1.0/groups", sim.graph_url()), &[("Authorization", &authorization)], "").unwrap();
    assert_eq!((post.status, post.error().0.as_str()), (405, "Request_BadRequest"));
}
