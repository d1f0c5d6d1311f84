//! Changes during a walk: threads move to the top and are no longer at their old position.

use std::time::Duration;

use graph_sim::{Class, PageKind, Post};
use serde_json::json;

use super::{BOTH, HOUR, MESSAGES, REPLIES, reader};
use crate::support::Protocol;

#[test]
fn a_chain_that_moves_to_the_top_during_the_first_sync_is_emitted() {
    for protocol in BOTH {
        let mut reader = reader(36).with_protocol(protocol).with(json!({"top": 6}));
        let last = reader.roots().pop().unwrap();
        let mut moved = Some(last.clone());
        reader.sim.on_request(move |request, tenant| {
            if request.class == Class::Messages && request.class_number == 3 {
                tenant.clock().advance(Duration::from_secs(1));
                tenant.reply(&moved.take().unwrap(), Post::text("moves an unread thread")).unwrap();
            }
            None
        });
        let run = reader.read();
        assert!(run.emits(&last));
        reader.assert_complete();
    }
}

#[test]
fn chains_that_move_during_each_pass_are_emitted() {
    let mut reader = reader(50).with(json!({"top": 5, "use_delta_api": false}));
    let mut unread = reader.roots();
    reader.sim.on_request(move |request, tenant| {
        if request.class == Class::Messages && request.class_number <= 25 {
            tenant.clock().advance(Duration::from_secs(1));
            let last = unread.pop().unwrap();
            tenant.edit(&last, "moves").unwrap();
        }
        None
    });
    reader.read();
    // A message that was edited after it was emitted is emitted by the next run.
    reader.later(HOUR);
    reader.read();
    reader.assert_complete();
}

#[test]
fn a_message_that_becomes_visible_late_during_a_long_walk_is_emitted() {
    for use_delta_api in [true, false] {
        let mut reader = reader(36).with(json!({"top": 6, "lookback_seconds": 300, "use_delta_api": use_delta_api}));
        // So the newest activity of the first page does not limit late messages.
        reader.post("the newest one");
        let channel = reader.channel();
        reader.sim.on_request(move |request, tenant| {
            if request.class == Class::Messages && request.page == PageKind::Next {
                let posted = tenant.ago(Duration::from_secs(290), |tenant| tenant.post(&channel, Post::text("late"))).unwrap();
                tenant.ago(Duration::from_secs(280), |tenant| tenant.reply(&posted, Post::text("late too"))).unwrap();
                // The walk takes longer than the lookback.
                tenant.clock().advance(Duration::from_secs(120));
            }
            None
        });
        reader.read();
        reader.assert_complete();
    }
}

#[test]
fn a_message_that_becomes_visible_late_between_two_runs_is_emitted() {
    for (streams, use_delta_api) in [(&[MESSAGES, REPLIES][..], false), (&[MESSAGES, REPLIES], true), (&[MESSAGES], true)] {
        let mut reader = reader(15).streams(streams).with(json!({"use_delta_api": use_delta_api}));
        for round in 0..3 {
            reader.post("in time");
            reader.later(Duration::from_secs(round));
            reader.read();
            let channel = reader.channel();
            reader.sim.with_tenant(|tenant| {
                let posted = tenant.ago(Duration::from_secs(299), |tenant| tenant.post(&channel, Post::text("late"))).unwrap();
                tenant.ago(Duration::from_secs(298), |tenant| tenant.reply(&posted, Post::text("late"))).unwrap();
            });
            reader.later(HOUR);
            reader.read();
            reader.assert_complete();
        }
    }
}

#[test]
fn the_first_message_of_an_empty_channel_is_emitted() {
    let cases = [(Protocol::Airbyte, &[MESSAGES, REPLIES][..]), (Protocol::Singer, &[MESSAGES]), (Protocol::Airbyte, &[REPLIES])];
    for (protocol, streams) in cases {
        let mut reader = reader(0).with_protocol(protocol).streams(streams);
        for _ in 0..2 {
            assert_eq!(reader.read().emitted_total(), 0);
            reader.later(HOUR);
        }
        let first = reader.post("the first one");
        reader.reply(&first, "and its reply");
        // Even if it becomes visible long after an earlier run.
        reader.later(HOUR);
        reader.read();
        reader.assert_complete();
        reader.later(HOUR);
        reader.reply(&first, "another one");
        reader.post("the second one");
        reader.read();
        reader.assert_complete();
    }
}

#[test]
fn a_new_root_below_old_roots_with_new_replies_is_emitted_with_only_messages_selected() {
    let mut reader = reader(60).streams(&[MESSAGES]).with(json!({"use_delta_api": false}));
    reader.read();
    reader.later(HOUR);
    let new = reader.post("new");
    reader.later(HOUR);
    // More threads than fit on a small page, and more than fit on a large one.
    for root in reader.roots().iter().rev().take(55) {
        reader.reply(root, "an old root answered");
    }
    let run = reader.read();
    assert!(run.emits(&new));
    assert_eq!(run.emitted(MESSAGES), 1);
    reader.assert_complete();
}

#[test]
fn a_chain_listed_higher_than_its_times_hides_nothing_below_it() {
    let mut reader = reader(10).with(json!({"use_delta_api": false, "top": 1}));
    reader.sim.switches(|switches| switches.removal_reorders = false);
    reader.read();
    reader.later(HOUR);
    let new = reader.post("new");
    reader.later(HOUR);
    let old = reader.roots().pop().unwrap();
    let removed = reader.reply(&old, "moves an old thread to the top, and is removed for good");
    reader.sim.with_tenant(|tenant| tenant.remove(&removed)).unwrap();
    assert!(reader.read().emits(&new));
    reader.assert_complete();
}

#[test]
fn a_channel_that_changes_too_fast_is_continued_by_the_next_run() {
    for protocol in BOTH {
        let mut reader = reader(20).with_protocol(protocol).with(json!({"top": 2, "use_delta_api": false, "lookback_seconds": 0}));
        let roots = reader.roots();
        let mut turn = 0;
        reader.sim.on_request(move |request, tenant| {
            if request.class == Class::Messages {
                turn += 1;
                tenant.clock().advance(Duration::from_secs(1));
                tenant.reply(&roots[turn % 20], Post::text("faster")).unwrap();
            }
            None
        });
        let run = reader.read();
        assert_eq!(run.warnings("is changing faster than it can be read; the next run will read the latest changes").len(), 1);
        let passes = run.requests(Class::Messages).into_iter().filter(|request| request.page == PageKind::First).count();
        assert_eq!(passes, 12, "this many per run");
        let channel = reader.channel();
        for stream in [MESSAGES, REPLIES] {
            let state = reader.state(stream, &channel);
            assert!(state["walk"]["until"].is_string() && state["readAt"].is_null(), "{state}");
        }
        reader.sim.clear_hook();
        reader.later(HOUR);
        let run = reader.read();
        assert!(run.emitted(MESSAGES) < 20, "the walk continues where it stopped");
        reader.assert_complete();
        assert_eq!(reader.state(MESSAGES, &channel)["walk"], json!(null));
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
    }
}
