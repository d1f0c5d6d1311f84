//! Set-ups in which no answer comes: no verdict, since nobody knows.

use std::{net::TcpListener, time::Instant};

use graph_sim::{Class, Door, Fault, RetryAfter, Rule};
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
