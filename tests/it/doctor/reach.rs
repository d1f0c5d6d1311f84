//! Setups in which a service does not respond: then there is no verdict.

use std::{net::TcpListener, time::Instant};

use graph_sim::{Block, Class, Fault, Host, RetryAfter, Rule};
use serde_json::{Value, json};

use super::{assert_snapshot, checked, lines};
use crate::support::{Tap, config, everything, in_parallel, tenant};

fn with(settings: &Value) -> Value {
    let mut all = everything();
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    all
}

#[test]
fn an_unreachable_host_is_named_with_a_hint() {
    let cases = [
        ("the sign-in service refuses connections", json!({"login_url": "http://127.0.0.1:1"})),
        ("the sign-in service has no address", json!({"login_url": "https://login.invalid"})),
        ("Graph refuses connections", json!({"graph_url": "http://127.0.0.1:1"})),
        ("Graph has no address", json!({"graph_url": "https://graph.invalid"})),
    ];
    let outputs = in_parallel(cases, |(setup, settings)| (setup, checked(&tenant(1, 1, 1), &with(&settings))));
    assert_snapshot("an_unreachable_host_is_named_with_a_hint", &outputs);
}

/// With realistic pauses between attempts.
#[test]
fn a_check_does_not_wait_long() {
    // Accepts connections, but never responds.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let cases = [
        ("connections are refused", json!({"login_url": "http://127.0.0.1:1"}), None),
        ("the sign-in service is silent", json!({"login_url": silent}), None),
        ("Graph is silent", json!({"graph_url": silent}), None),
        ("Graph asks to wait", json!({}), Some(Rule::new(Fault::throttled(RetryAfter::Seconds(600))).host(Host::Graph))),
        (
            "Graph asks one stream to wait a little, again and again",
            json!({}),
            Some(Rule::new(Fault::throttled(RetryAfter::Seconds(8))).class(Class::Members)),
        ),
        (
            "Graph asks one stream to wait a while, once",
            json!({}),
            Some(Rule::new(Fault::throttled(RetryAfter::Seconds(30))).class(Class::Channels).times(1)),
        ),
        ("the sign-in service asks to wait", json!({}), Some(Rule::new(Fault::throttled(RetryAfter::Seconds(600))).class(Class::Token))),
    ];
    let outputs = in_parallel(cases, |(setup, settings, rule)| {
        let sim = tenant(1, 1, 1);
        rule.into_iter().for_each(|rule| sim.inject(rule));
        let mut config = config(&sim, with(&settings));
        config["pace"] = 1.into();
        let began = Instant::now();
        let check = Tap::new(&config).check();
        assert!(began.elapsed().as_secs() < 25, "{setup}");
        (setup, lines(&check))
    });
    assert_snapshot("a_check_does_not_wait_long", &outputs);
}

#[test]
fn a_failing_stream_does_not_hide_the_others() {
    let sim = tenant(1, 1, 1);
    sim.inject(Rule::new(Fault::status(503)).class(Class::Messages));
    let output = lines(&Tap::new(&config(&sim, everything())).check());
    assert_snapshot("a_failing_stream_does_not_hide_the_others", &[("messages have an outage", output)]);
}

#[test]
fn a_channel_deleted_since_it_was_listed_does_not_decide() {
    let check = |times| {
        let sim = tenant(2, 1, 1);
        sim.inject(Rule::new(Fault::graph(404, "ItemNotFound", "It is gone")).class(Class::Messages).times(times));
        checked(&sim, &everything())
    };
    assert!(check(1).contains("messages: works"), "{}", check(1));
    assert!(check(9).contains("messages: cannot read"), "{}", check(9));
}

#[test]
fn a_missing_list_of_an_existing_team_is_not_reported_as_a_missing_id() {
    let sim = tenant(2, 1, 1);
    let team = sim.truth().teams.into_keys().next().unwrap();
    for (class, name) in [(Class::Members, "members"), (Class::Channels, "channels")] {
        sim.inject(Rule::new(Fault::graph(404, "ItemNotFound", "Something is gone")).class(class));
        for teams in [json!({"team_id": team}), json!({"fetch_all_teams": true})] {
            let mut settings = teams;
            settings["fetch_all_channels"] = true.into();
            let output = checked(&sim, &settings);
            assert!(output.contains(&format!("LOG WARN: {name}: cannot list the {name} of team ")), "{output}");
            assert!(output.contains(", although the team exists: ") && output.contains("\nSUCCEEDED: can read teams, "), "{output}");
        }
        sim.clear_faults();
    }
}

#[test]
fn excluded_parents_are_not_tried() {
    let sim = tenant(2, 2, 1);
    let truth = sim.truth();
    let (team, channel) = truth.channels.keys().next().unwrap();
    let teams: Vec<_> = truth.teams.keys().filter(|id| *id != team).collect();
    sim.with_tenant(|tenant| {
        teams.iter().for_each(|team| tenant.block_team(team, Block::forbidden()).unwrap());
        tenant.block_channel(channel, Block::forbidden()).unwrap();
    });
    let works = "SUCCEEDED: can read teams, channels, members, messages, message_replies";
    let mut excluded: Vec<&String> = teams;
    excluded.push(channel);
    let output = checked(&sim, &with(&json!({"exclude": excluded})));
    assert!(output.ends_with(works), "{output}");
}
