//! Plans of what cannot be read, or cannot be planned.

use graph_sim::{Block, Class, Fault, Rule, TenantSpec};
use serde_json::json;

use super::{Planned, planned, requests};
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
    assert!(finished.stdout.contains("A run would fail:\n- cannot list the teams of the tenant"), "{}", finished.stdout);
    assert!(finished.stdout.contains("GroupMember.Read.All"));
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
        plan["failed"][0].as_str().unwrap().starts_with("the catalog asks for the stream chats; there are teams"),
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
