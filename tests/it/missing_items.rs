//! A list that Graph fails to return because of one of its items is never treated as a missing team.

use graph_sim::{Class, Fault, GraphSim, Rule};
use serde_json::{Value, json};

use crate::support::{ALL, Tap, config, everything, tenant};

/// Graph's error if one member was deleted from the directory.
fn user_not_found() -> Fault {
    Fault::graph(404, "NotFound", "User not found.")
}

/// Three teams; the list of members of one of them returns this error.
fn failing_list(fault: Fault, class: Class) -> (GraphSim, String) {
    let sim = tenant(3, 2, 2);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(1));
    sim.inject(Rule::new(fault).class(class).team(&team));
    (sim, team)
}

fn with(more: Value) -> Value {
    let mut settings = everything();
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

#[test]
fn members_that_graph_does_not_find_make_the_stream_incomplete() {
    // With Graph's error, and with the empty body of a gateway.
    for fault in [user_not_found(), Fault::status(404), Fault::Empty { status: 404 }] {
        let (sim, team) = failing_list(fault, Class::Members);
        for settings in [everything(), with(json!({"fetch_all_teams": false, "team_id": sim.read_tenant(|tenant| tenant.team_ids())}))] {
            let tap = Tap::new(&config(&sim, settings));
            let output = tap.read(&ALL);
            let [(kind, stream, text)] = output.errors()[..] else { panic!("{:?}", output.errors()) };
            assert_eq!((output.status, kind, stream), (Some(1), "system_error", "members"));
            assert!(text.starts_with(&format!("cannot list the members of team {team}, although the team exists: GET ")), "{text}");
            assert!(text.contains("deleted from the directory") && text.contains("`stream_options.members`"), "{text}");
            assert_eq!(output.logs("WARN"), [text], "reported once, and not as a group without a team");
            assert_eq!((output.records("members").count(), output.records("messages").count()), (24, 12));
        }
    }
}

#[test]
fn a_team_without_found_members_can_be_excluded_from_members_only() {
    let (sim, team) = failing_list(user_not_found(), Class::Members);
    let output = Tap::new(&config(&sim, with(json!({"stream_options": {"members": {"exclude": team}}})))).read(&ALL);
    assert_eq!((output.status, output.logs("WARN").len(), output.records("channels").count()), (Some(0), 0, 6), "{:?}", output.errors());
}

#[test]
fn channels_that_graph_does_not_find_make_the_streams_incomplete() {
    let (sim, team) = failing_list(Fault::graph(404, "NotFound", "Thread not found."), Class::Channels);
    let output = Tap::new(&config(&sim, everything())).read(&ALL);
    let failed: Vec<_> = output.errors().into_iter().map(|(_, stream, _)| stream).collect();
    assert_eq!((output.status, failed), (Some(1), vec!["channels", "messages", "message_replies"]));
    assert!(
        output.errors()[0].2.starts_with(&format!("cannot list the channels of team {team}, although the team exists: ")),
        "{:?}",
        output.errors()
    );
    assert_eq!(output.records("messages").count(), 8);
}

#[test]
fn a_team_that_graph_refuses_costs_no_further_request() {
    let sim = tenant(2, 1, 1);
    sim.with_tenant(|tenant| tenant.create_group_without_team("No team yet"));
    let output = Tap::new(&config(&sim, everything())).read(&["channels", "members"]);
    assert_eq!((output.status, output.logs("WARN").len(), sim.count(Class::Team)), (Some(0), 1, 0), "{:?}", output.logs("WARN"));
}

#[test]
fn without_permission_for_teams_the_error_of_graph_decides() {
    for (fault, status) in [(user_not_found(), 1), (Fault::graph(404, "NotFound", "Not found."), 0)] {
        let (sim, _) = failing_list(fault, Class::Members);
        sim.inject(Rule::new(Fault::status(403)).class(Class::Team));
        let output = Tap::new(&config(&sim, everything())).read(&["members"]);
        assert_eq!((output.status, output.logs("WARN").len()), (Some(status), 1), "{:?}", output.logs("WARN"));
    }
}

#[test]
fn check_and_plan_report_missing_items_too() {
    let sim = tenant(1, 1, 1);
    sim.inject(Rule::new(user_not_found()).class(Class::Members));
    let tap = Tap::new(&config(&sim, everything()));
    let check = tap.check();
    assert!(
        check.logs("WARN").iter().any(|line| line.starts_with("members: cannot list the members of team ")),
        "{:?}",
        check.logs("WARN")
    );
    let plan = tap.execute(&["plan", "--config", "config.json", "--format", "json"], &[]);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert!(plan["failed"][0].as_str().unwrap().starts_with("cannot list the members of team "), "{}", plan["failed"]);
}
