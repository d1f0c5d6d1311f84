//! Set-ups in which no answer comes: no verdict, since nobody knows.

use std::{net::TcpListener, time::Instant};

use graph_sim::{Block, Class, Door, Fault, RetryAfter, Rule};
use serde_json::{Value, json};

use super::{lines, pin, said};
use crate::support::{Tap, config, everything, side_by_side, tenant};

fn with(settings: &Value) -> Value {
    let mut all = everything();
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    all
}

#[test]
fn who_cannot_be_reached_is_named_with_what_to_look_at() {
    let cases = [
        ("the sign-in service refuses connections", json!({"login_url": "http://127.0.0.1:1"})),
        ("the sign-in service has no address", json!({"login_url": "https://login.invalid"})),
        ("Graph refuses connections", json!({"graph_url": "http://127.0.0.1:1"})),
        ("Graph has no address", json!({"graph_url": "https://graph.invalid"})),
    ];
    let told = side_by_side(cases, |(what, settings)| (what, said(&tenant(1, 1, 1), &with(&settings))));
    pin("who_cannot_be_reached_is_named_with_what_to_look_at", &told);
}

/// With the waits that users have.
#[test]
fn a_check_does_not_wait_for_long() {
    // Takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let cases = [
        ("connections are refused", json!({"login_url": "http://127.0.0.1:1"}), None),
        ("the sign-in service is silent", json!({"login_url": silent}), None),
        ("Graph is silent", json!({"graph_url": silent}), None),
        ("Graph asks to wait", json!({}), Some(Rule::new(Fault::throttled(RetryAfter::Seconds(600))).door(Door::Graph))),
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
    let told = side_by_side(cases, |(what, settings, rule)| {
        let sim = tenant(1, 1, 1);
        rule.into_iter().for_each(|rule| sim.inject(rule));
        let mut config = config(&sim, with(&settings));
        config["pace"] = 1.into();
        let began = Instant::now();
        let check = Tap::new(&config).check();
        assert!(began.elapsed().as_secs() < 25, "{what}");
        (what, lines(&check))
    });
    pin("a_check_does_not_wait_for_long", &told);
}

#[test]
fn a_stream_that_could_not_be_tried_does_not_hide_the_others() {
    let sim = tenant(1, 1, 1);
    sim.inject(Rule::new(Fault::status(503)).class(Class::Messages));
    let said = lines(&Tap::new(&config(&sim, everything())).check());
    pin("a_stream_that_could_not_be_tried_does_not_hide_the_others", &[("messages have an outage", said)]);
}

#[test]
fn a_channel_that_is_gone_again_is_none_by_which_a_stream_is_judged() {
    let check = |times| {
        let sim = tenant(2, 1, 1);
        sim.inject(Rule::new(Fault::graph(404, "ItemNotFound", "It is gone")).class(Class::Messages).times(times));
        said(&sim, &everything())
    };
    assert!(check(1).contains("messages: works"), "{}", check(1));
    assert!(check(9).contains("messages: cannot read"), "{}", check(9));
}

#[test]
fn a_list_that_graph_does_not_give_of_a_team_that_exists_is_no_id_that_is_not_found() {
    let sim = tenant(2, 1, 1);
    let team = sim.truth().teams.into_keys().next().unwrap();
    for (class, name) in [(Class::Members, "members"), (Class::Channels, "channels")] {
        sim.inject(Rule::new(Fault::graph(404, "ItemNotFound", "Something is gone")).class(class));
        for teams in [json!({"team_id": team}), json!({"fetch_all_teams": true})] {
            let mut settings = teams;
            settings["fetch_all_channels"] = true.into();
            let said = said(&sim, &settings);
            assert!(said.contains(&format!("LOG WARN: {name}: cannot list the {name} of team ")), "{said}");
            assert!(said.contains(", which exists: ") && said.contains("\nSUCCEEDED: can read teams, "), "{said}");
        }
        sim.clear_faults();
    }
}

#[test]
fn what_is_left_out_is_not_tried() {
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
    let said = said(&sim, &with(&json!({"exclude": excluded})));
    assert!(said.ends_with(works), "{said}");
}
