//! Plans of what cannot be read, or cannot be planned.

use graph_sim::{Block, Class, Fault, Rule, TenantSpec};
use serde_json::{Value, json};

use super::{BOTH, Planned, planned, requests};
use crate::support::Tap;

#[test]
fn a_refused_team_is_named_and_the_rest_is_planned() {
    let mut planned = planned(TenantSpec::uniform(3, 2, 5).replies(1, 0));
    let team = planned.sim.read_tenant(|tenant| tenant.team_ids().remove(1));
    planned.sim.with_tenant(|tenant| tenant.block_team(&team, Block::forbidden())).unwrap();
    let plan = planned.plan();
    let refused = plan["refused"].as_array().unwrap();
    assert!(!refused.is_empty() && refused.iter().all(|error| error.as_str().unwrap().contains(&team)), "{refused:?}");
    assert_eq!((plan["failed"].clone(), requests(&plan, "messages")), (json!([]), 4));
    assert_eq!(requests(&plan, "total"), planned.read().total);
    assert!(planned.execute(&[]).stdout.contains("A run would leave out:\n- cannot list the "));
}

#[test]
fn a_refused_channel_is_named() {
    let mut planned = planned(TenantSpec::uniform(1, 3, 5).replies(1, 0));
    let channel = planned.sim.read_tenant(|tenant| tenant.all_channel_ids().remove(1));
    planned.sim.with_tenant(|tenant| tenant.block_channel(&channel, Block::forbidden())).unwrap();
    let plan = planned.plan();
    assert!(plan["refused"][0].as_str().unwrap().contains(&channel), "{}", plan["refused"]);
    assert_eq!(requests(&plan, "total"), planned.read().total);
}

#[test]
fn where_nothing_can_be_read_the_plan_fails() {
    let planned = planned(TenantSpec::uniform(2, 2, 5).replies(1, 0));
    planned.sim.inject(Rule::new(Fault::graph(403, "Authorization_RequestDenied", "Insufficient privileges")).class(Class::Groups));
    let finished = planned.execute(&[]);
    assert_eq!(finished.status, Some(1));
    let said = joined(&finished.stdout);
    let all = "teams, channels, members, messages, message_replies would fail: cannot list the teams of the tenant";
    assert!(said.contains(&format!("A run would fail: - {all}")) && !said.contains("would leave out"), "{said}");
    assert!(finished.stdout.contains("GroupMember.Read.All"));
}

const NO_CHANNEL: &str = "19:doesnotexist@thread.tacv2";

/// Text without its lines.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A tenant of two teams, with the team and the id of one of its channels and a message in it.
fn two_teams() -> (Planned, [String; 3]) {
    let planned = planned(TenantSpec::uniform(2, 2, 5).replies(1, 0));
    let truth = planned.sim.truth();
    let (team, channel) = truth.channels.keys().last().unwrap().clone();
    let message = truth.messages.keys().find(|(of, _)| *of == channel).unwrap().1.to_string();
    (planned, [team, channel, message])
}

/// What a plan and a run come to with these settings: both codes, and what the plan would leave out and would fail for.
fn both(sim: graph_sim::GraphSim, settings: Value) -> (Option<i32>, Option<i32>, Vec<String>, Vec<String>) {
    let planned = Planned::of(sim, settings).streams(&BOTH);
    let finished = planned.execute(&["--format", "json"]);
    let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
    let texts = |key: &str| plan[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    (finished.status, crate::support::incremental::read(&planned.tap, &planned.streams, None).status, texts("refused"), texts("failed"))
}

#[test]
fn where_nothing_that_is_named_is_there_the_plan_fails_as_the_run_does() {
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
        assert!(refused.is_empty(), "said once: {refused:?}");
    }
}

#[test]
fn where_some_of_what_is_named_is_there_the_plan_names_the_rest_and_does_not_fail() {
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
fn what_makes_a_stream_fail_is_told_in_the_table() {
    let (planned, _) = two_teams();
    let planned = Planned::of(planned.sim, json!({"fetch_all_channels": false, "channel_id": NO_CHANNEL}));
    let finished = planned.execute(&[]);
    assert_eq!(finished.status, Some(1));
    let said = joined(&finished.stdout);
    assert!(said.contains(&format!("A run would fail: - messages would fail: {NO_CHANNEL} was not found in any of the teams")), "{said}");
}

#[test]
fn a_permission_that_is_wanting_for_all_that_was_sampled_makes_the_plan_fail() {
    let planned = planned(TenantSpec::uniform(7, 1, 1).replies(1, 0)).streams(&["teams", "members"]);
    planned.sim.set_roles(&["GroupMember.Read.All", "Team.ReadBasic.All", "TeamSettings.Read.All"]);
    let finished = planned.execute(&[]);
    assert_eq!(finished.status, Some(1));
    let said = joined(&finished.stdout);
    assert!(said.contains("A run would fail: - members would fail: cannot list the members of team"), "{said}");
}

#[test]
fn teams_of_a_sample_that_are_not_there_do_not_make_the_plan_fail() {
    let (planned, [team, ..]) = two_teams();
    let nowhere = |number: usize| format!("11111111-2222-3333-4444-{number:012}");
    let teams: Vec<_> = (0..30).map(nowhere).chain([team]).collect();
    let planned = Planned::of(planned.sim, json!({"fetch_all_teams": false, "team_id": teams})).streams(&["members"]);
    assert_eq!(planned.execute(&[]).status, Some(0));
}

#[test]
fn a_group_without_a_team_is_counted_apart() {
    let planned = planned(TenantSpec::uniform(1, 1, 5).replies(1, 0));
    planned.sim.with_tenant(|tenant| tenant.create_group_without_team("No team yet"));
    let said = joined(&planned.execute(&[]).stdout);
    assert!(said.contains("reads 1 team (1 more group has none) and 1 channel."), "{said}");
    assert!(said.contains("1 of 1 team and 1 of 1 channel were looked at"), "{said}");
    assert_eq!(planned.plan()["groups_without_team"], 1);
}

#[test]
fn a_channel_that_graph_does_not_answer_for_makes_the_plan_fail_and_the_others_are_planned() {
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
fn a_stream_whose_parents_are_not_configured_makes_the_plan_fail() {
    let planned = Planned::with(TenantSpec::uniform(1, 1, 5), json!({"fetch_all_channels": false}));
    let finished = planned.execute(&["--format", "json"]);
    assert_eq!(finished.status, Some(1));
    let plan: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert!(plan["failed"][0].as_str().unwrap().contains("messages needs `channel_id` or `fetch_all_channels`"), "{}", plan["failed"]);
    assert_eq!(plan["streams"].as_array().unwrap().len(), 3);
}

#[test]
fn a_stream_that_there_is_not_makes_the_plan_fail() {
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
fn errors_are_those_of_the_other_commands() {
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
