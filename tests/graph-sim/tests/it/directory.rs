//! Groups, teams, channels, members.

use graph_sim::TenantSpec;
use serde_json::json;

use crate::client::{Sim, ids};

/// graph.md 2.1: groups with the filter page by `$top`; a group without a team answers 404.
#[test]
fn groups_page_and_may_have_no_team() {
    let sim = Sim::new(TenantSpec::uniform(5, 1, 0));
    let filter = "$filter=resourceProvisioningOptions/Any(x:x%20eq%20'Team')&$select=id,displayName,visibility";
    let (groups, pages) = sim.all(&format!("/v1.0/groups?{filter}&$top=2"));
    assert_eq!((groups.len(), pages), (6, 3));
    assert!(groups.iter().all(|group| group.as_object().unwrap().len() == 3), "each page has the selection of the first: {groups:?}");
    let answers: Vec<u16> = ids(&groups).iter().map(|id| sim.get(&format!("/v1.0/teams/{id}")).status).collect();
    assert_eq!(answers.iter().filter(|status| **status == 404).count(), 1);
    let missing = ids(&groups)[answers.iter().position(|status| *status == 404).unwrap()].to_owned();
    let error = sim.get(&format!("/v1.0/teams/{missing}")).error();
    assert_eq!(error, ("ItemNotFound".to_owned(), format!("No team found with Group Id {missing}")));
}

/// graph.md 2.1: teams whose groups are not marked are in no list of groups, and exist.
#[test]
fn a_team_that_is_not_marked_is_not_listed_and_exists() {
    let sim = Sim::new(TenantSpec::uniform(2, 2, 0));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    sim.with_tenant(|tenant| tenant.mark_team(&team, false)).unwrap();
    let filter = "$filter=resourceProvisioningOptions/Any(x:x%20eq%20'Team')";
    let (groups, _) = sim.all(&format!("/v1.0/groups?{filter}"));
    assert_eq!((groups.len(), ids(&groups).contains(&team.as_str())), (2, false));
    assert_eq!(sim.get(&format!("/v1.0/teams/{team}")).status, 200);
}

/// graph.md 2.3: a channel may be missing in the list of its team, and exist.
#[test]
fn a_channel_that_is_not_listed_exists() {
    let sim = Sim::new(TenantSpec::uniform(1, 2, 0));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[1].clone());
    sim.with_tenant(|tenant| tenant.list_channel(&channel, false)).unwrap();
    assert_eq!(sim.all(&format!("/v1.0/teams/{team}/channels")).0.len(), 1);
    assert_eq!(sim.get(&sim.path(&team, &channel, "")).status, 200);
}

/// A group says `Public`, its team `public`.
#[test]
fn group_and_team_spell_visibility_differently() {
    let sim = Sim::new(TenantSpec::uniform(6, 1, 0));
    for (id, team) in sim.truth().teams {
        let group = sim.get(&format!("/v1.0/groups/{id}")).json();
        let (of_group, of_team) = (group["visibility"].as_str().unwrap(), team["visibility"].as_str().unwrap());
        assert_ne!(of_group, of_team);
        assert!(of_group.eq_ignore_ascii_case(of_team));
    }
}

/// graph.md 2.1: `/teams` fills three properties only.
#[test]
fn the_list_of_teams_is_thin() {
    let sim = Sim::new(TenantSpec::uniform(3, 1, 0));
    let (teams, _) = sim.all("/v1.0/teams?$top=2");
    assert_eq!(teams.len(), 3);
    assert_eq!(teams[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "displayName", "description"]);
}

/// graph.md 2.3: the list of channels takes no `$top`; shared channels need the `Prefer` header.
#[test]
fn channels_refuse_top_and_hide_shared_ones_type() {
    let sim = Sim::new(TenantSpec::uniform(1, 30, 0));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let path = format!("/v1.0/teams/{team}/channels");
    let refused = sim.get(&format!("{path}?$top=5"));
    assert_eq!((refused.status, refused.error().0.as_str()), (400, "BadRequest"));
    let types = |reply: serde_json::Value| -> Vec<String> {
        reply["value"].as_array().unwrap().iter().map(|channel| channel["membershipType"].as_str().unwrap().to_owned()).collect()
    };
    let told = types(sim.get(&path).json());
    let untold = types(sim.get_with(&path, &[]).unwrap().json());
    assert!(told.iter().any(|kind| kind == "shared"));
    for (told, untold) in told.iter().zip(&untold) {
        assert_eq!(untold, if told == "shared" { "unknownFutureValue" } else { told });
    }
}

/// graph.md 2.4: members page by 100, up to 999; every subtype has its own properties.
#[test]
fn members_page_and_have_subtypes() {
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

/// graph.md 5.2: a team id that is no GUID is 400, a verb that is not GET is 405, what Graph does not have 404.
#[test]
fn bad_paths_are_refused() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 0));
    assert_eq!(sim.get("/v1.0/teams/General/channels").error().1, "teamId needs to be a valid GUID");
    let unknown = ("NotFound".to_owned(), "Requested API is not supported. Please check the path.".to_owned());
    let reply = sim.get("/v1.0/zebras");
    assert_eq!((reply.status, reply.error()), (404, unknown));
    let authorization = format!("Bearer {}", sim.token);
    let post = crate::client::send("POST", &format!("{}/v1.0/groups", sim.graph_url()), &[("Authorization", &authorization)], "").unwrap();
    assert_eq!((post.status, post.error().0.as_str()), (405, "Request_BadRequest"));
}
