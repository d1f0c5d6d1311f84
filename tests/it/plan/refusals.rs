//! Plans of runs that would skip something or fail, and plans that fail themselves.

use graph_sim::{Block, Class, Fault, Rule, TenantSpec};
use serde_json::{Value, json};

use super::{BOTH, Planned, joined, planned, requests};
use crate::support::Tap;

#[test]
fn a_refused_team_is_reported_and_the_rest_is_planned() {
    let mut planned = planned(TenantSpec::uniform(3, 2, 5).replies(1, 0));
    let team = planned.sim.read_tenant(|tenant| tenant.team_ids().remove(1));
    planned.sim.with_tenant(|tenant| tenant.block_team(&team, Block::forbidden())).unwrap();
    let plan = planned.plan();
    let refused = plan["refused"].as_array().unwrap();
    assert!(!refused.is_empty() && refused.iter().all(|error| error.as_str().unwrap().contains(&team)), "{refused:?}");
    assert_eq!((plan["failed"].clone(), requests(&plan, "messages")), (json!([]), 4));
    assert_eq!(requests(&plan, "total"), planned.read().total);
    assert!(planned.execute(&[]).stdout.contains("A run would skip:\n- cannot list the "));
}

#[test]
fn a_refused_channel_is_reported() {
    let mut planned = planned(TenantSpec::uniform(1, 3, 5).replies(1, 0));
    let channel = planned.sim.read_tenant(|tenant| tenant.all_channel_ids().remove(1));
    planned.sim.with_tenant(|tenant| tenant.block_channel(&channel, Block::forbidden())).unwrap();
    let plan = planned.plan();
    assert!(plan["refused"][0].as_str().unwrap().contains(&channel), "{}", plan["refused"]);
    assert_eq!(requests(&plan, "total"), planned.read().total);
}

#[test]
fn a_plan_fails_if_nothing_can_be_read() {
    let planned = planned(TenantSpec::uniform(2, 2, 5).replies(1, 0));
    planned.sim.inject(Rule::new(Fault::graph(403, "Authorization_RequestDenied", "Insufficient privileges")).class(Class::Groups));
    let finished = planned.execute(&[]);
    assert_eq!(finished.status, Some(1));
    let table = joined(&finished.stdout);
    let all = "teams, channels, members, messages, message_replies would fail: cannot list the teams in the tenant";
    assert!(table.contains(&format!("A run would fail: - {all}")) && !table.contains("would skip"), "{table}");
    assert!(finished.stdout.contains("GroupMember.Read.All"));
}

const NO_CHANNEL: &str = "19:doesnotexist@thread.tacv2";

/// A tenant of two teams, and the ids of a team, one of its channels, and a message in it.
fn two_teams() -> (Planned, [String; 3]) {
    let planned = planned(TenantSpec::uniform(2, 2, 5).replies(1, 0));
    let truth = planned.sim.truth();
    let (team, channel) = truth.channels.keys().last().unwrap().clone();
    let message = truth.messages.keys().find(|(of, _)| *of == channel).unwrap().1.to_string();
    (planned, [team, channel, message])
}

/// The exit codes of a plan and of a run with these settings, and the refusals and failures in the plan.
fn both(sim: graph_sim::GraphSim, settings: Value) -> (Option<i32>, Option<i32>, Vec<String>, Vec<String>) {
    let planned = Planned::of(sim, settings).streams(&BOTH);
    let finished = planned.execute(&["--format", "json"]);
    let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
    let texts = |key: &str| plan[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    (finished.status, crate::support::incremental::read(&planned.tap, &planned.streams, None).status, texts("refused"), texts("failed"))
}

#[test]
fn a_plan_fails_like_the_run_if_no_configured_id_exists() {
    for settings in [
        json!({"fetch_all_channels": false, "channel_id": NO_CHANNEL}),
        json!({"fetch_all_channels": false, "channel_id": NO_CHANNEL, "fetch_all_teams": false, "team_id": "TEAM"}),
        json!({"fetch_all_teams": false, "team_id": "11111111-2222-3333-4444-555555555555"}),
        json!({"fetch_all_messages": false, "message_id": "1616963377068"}),
    ] {
        let (planned, [team, ..]) = two_teams();
        let settings: Value = serde_json::from_str(&settings.to_string().replace("TEAM", &team)).unwrap();
        let (plan, run, refused, failed) = both(planned.sim, settings.clone());
        assert_eq!((plan, run), (Some(1), Some(1)), "{settings}");
        assert!(!failed.is_empty() && failed.iter().all(|error| error.contains(" would fail: ")), "{settings}: {failed:?}");
        assert!(refused.is_empty(), "reported once: {refused:?}");
    }
}

#[test]
fn a_plan_reports_missing_ids_without_failing_if_others_exist() {
    let (planned, [_, channel, _]) = two_teams();
    let settings = json!({"fetch_all_channels": false, "channel_id": [channel, NO_CHANNEL]});
    let (plan, run, refused, failed) = both(planned.sim, settings);
    assert_eq!((plan, run, failed), (Some(0), Some(0), Vec::new()));
    let not_found = |stream: &str| {
        format!("{NO_CHANNEL} was not found in any of the teams and channels that are read for {stream}; hint: check the id")
    };
    assert_eq!(refused, BOTH.map(not_found));

    let (planned, [.., message]) = two_teams();
    let (plan, run, refused, failed) = both(planned.sim, json!({"fetch_all_messages": false, "message_id": [message, "1616963377068"]}));
    assert_eq!((plan, run, failed), (Some(0), Some(0), Vec::new()));
    assert!(refused.len() == 1 && refused[0].starts_with("1616963377068 was not found in any"), "{refused:?}");
}

#[test]
fn the_table_contains_the_failure_of_a_stream() {
    let (planned, _) = two_teams();
    let planned = Planned::of(planned.sim, json!({"fetch_all_channels": false, "channel_id": NO_CHANNEL}));
    let finished = planned.execute(&[]);
    assert_eq!(finished.status, Some(1));
    let table = joined(&finished.stdout);
    assert!(table.contains(&format!("A run would fail: - messages would fail: {NO_CHANNEL} was not found in any of the teams")), "{table}");
}

#[test]
fn a_permission_missing_for_the_whole_sample_makes_the_plan_fail() {
    let planned = planned(TenantSpec::uniform(7, 1, 1).replies(1, 0)).streams(&["teams", "members"]);
    planned.sim.set_roles(&["GroupMember.Read.All", "Team.ReadBasic.All", "TeamSettings.Read.All"]);
    let finished = planned.execute(&[]);
    assert_eq!(finished.status, Some(1));
    let table = joined(&finished.stdout);
    assert!(table.contains("A run would fail: - members would fail: cannot list the members of team"), "{table}");
}

#[test]
fn missing_teams_in_a_sample_do_not_make_the_plan_fail() {
    let (planned, [team, ..]) = two_teams();
    let nowhere = |number: usize| format!("11111111-2222-3333-4444-{number:012}");
    let teams: Vec<_> = (0..30).map(nowhere).chain([team]).collect();
    let planned = Planned::of(planned.sim, json!({"fetch_all_teams": false, "team_id": teams})).streams(&["members"]);
    assert_eq!(planned.execute(&[]).status, Some(0));
}

#[test]
fn groups_without_a_team_are_counted_separately() {
    let planned = planned(TenantSpec::uniform(1, 1, 5).replies(1, 0));
    planned.sim.with_tenant(|tenant| tenant.create_group_without_team("No team yet"));
    let table = joined(&planned.execute(&[]).stdout);
    assert!(table.contains("reads 1 team (1 other group has no team) and 1 channel."), "{table}");
    assert!(table.contains("(1 of 1 team, 1 of 1 channel)"), "{table}");
    assert_eq!(planned.plan()["groups_without_team"], 1);
}

#[test]
fn a_failing_channel_makes_the_plan_fail_and_the_others_are_planned() {
    let planned = planned(TenantSpec::uniform(1, 3, 5).replies(1, 0));
    let channel = planned.sim.read_tenant(|tenant| tenant.all_channel_ids().remove(1));
    planned.sim.inject(Rule::new(Fault::graph(503, "serviceNotAvailable", "later")).channel(&channel));
    let finished = planned.execute(&["--format", "json"]);
    assert_eq!(finished.status, Some(1));
    let plan: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert!(plan["failed"][0].as_str().unwrap().contains(&channel));
    assert_eq!(plan["longest"].as_array().unwrap().len(), 2);
}

#[test]
fn a_selected_stream_that_is_not_configured_makes_the_plan_fail() {
    let planned = Planned::with(TenantSpec::uniform(1, 1, 5), json!({"fetch_all_channels": false}));
    let finished = planned.execute(&["--format", "json"]);
    assert_eq!(finished.status, Some(1));
    let plan: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert!(plan["failed"][0].as_str().unwrap().contains("messages needs `channel_id` or `fetch_all_channels`"), "{}", plan["failed"]);
    assert_eq!(plan["streams"].as_array().unwrap().len(), 3);
}

#[test]
fn an_unknown_stream_makes_the_plan_fail() {
    let planned = planned(TenantSpec::uniform(1, 1, 5).replies(1, 0)).streams(&["teams", "chats"]);
    let finished = planned.execute(&["--format", "json"]);
    assert_eq!(finished.status, Some(1));
    let plan: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert!(
        plan["failed"][0].as_str().unwrap().starts_with("unknown stream chats in the catalog; known streams: teams"),
        "{}",
        plan["failed"]
    );
    assert_eq!(plan["streams"].as_array().unwrap().len(), 1);
}

#[test]
fn errors_are_the_same_as_in_other_commands() {
    let planned = planned(TenantSpec::uniform(1, 1, 5).replies(1, 0));
    let mut wrong = crate::support::config(&planned.sim, json!({}));
    wrong["client_secret"] = "of another application".into();
    let tap = Tap::new(&wrong);
    let finished = tap.execute(&["plan", "--config", "config.json"], &[]);
    assert_eq!((finished.status, finished.stdout.as_str()), (Some(1), ""));
    assert!(finished.stderr.contains("cannot sign in") && finished.stderr.contains("hint: `client_secret`"), "{}", finished.stderr);
    for (arguments, status, said) in [
        (&["plan", "--config", "none.json"][..], 1, "none.json"),
        (&["plan", "--config", "config.json", "--state", "none.json"], 1, "none.json"),
        (&["plan", "--config", "config.json", "--catalog", "none.json"], 1, "none.json"),
        (&["plan", "--config", "config.json", "--format", "pdf"], 2, "pdf"),
    ] {
        let finished = tap.execute(arguments, &[]);
        assert_eq!(finished.status, Some(status), "{arguments:?}");
        assert!(finished.stdout.is_empty() && finished.stderr.contains(said), "{}", finished.stderr);
    }
}
