//! Delta: what its rounds return and repeat, and what only the daily walk finds.

use graph_sim::{Class, MessageRef, PageKind, Post};
use serde_json::json;

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, reader};

/// A reader of messages only, with delta.
fn following(messages: usize) -> Reader {
    let mut reader = reader(messages).streams(&[MESSAGES]);
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    reader
}

/// Edits this many old messages.
fn edit(reader: &Reader, count: usize) -> Vec<MessageRef> {
    let edited: Vec<_> = reader.roots().into_iter().rev().take(count).collect();
    edited.iter().for_each(|root| reader.edit(root, "edited"));
    edited
}

#[test]
fn a_round_emits_changes_and_costs_only_its_pages() {
    for protocol in BOTH {
        let mut reader = following(50).with_protocol(protocol);
        for (changes, requests) in [(1, 1), (20, 1), (21, 2), (45, 3)] {
            edit(&reader, changes);
            let run = reader.read();
            assert_eq!((run.emitted(MESSAGES), run.message_requests(), run.request_count(Class::Delta)), (changes, requests, requests));
            assert_eq!(run.requests(Class::Delta)[0].page, PageKind::Round);
            reader.assert_complete();
            reader.later(HOUR);
        }
    }
}

#[test]
fn a_reaction_missing_from_delta_is_found_by_the_daily_walk() {
    for protocol in BOTH {
        let mut reader = following(10).with_protocol(protocol);
        let old = reader.roots().pop().unwrap();
        reader.sim.with_tenant(|tenant| tenant.react(&old, "like")).unwrap();
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!((run.emitted(MESSAGES), run.request_count(Class::Messages)), (0, 0));
        reader.later(DAY);
        let run = reader.read();
        assert_eq!((run.emitted(MESSAGES), run.emits(&old), run.request_count(Class::Messages)), (1, true, 1));
        reader.assert_complete();
        reader.later(HOUR);
        assert_eq!(reader.read().request_count(Class::Messages), 0, "once a day");
    }
}

#[test]
fn changes_missing_from_delta_are_found_by_the_daily_walk_or_with_replies() {
    for (streams, emitted) in [(&[MESSAGES][..], [0, 5]), (&[MESSAGES, REPLIES], [5, 0])] {
        let mut reader = reader(30).streams(streams);
        reader.sim.switches(|switches| switches.delta.skips_every = 1);
        for _ in 0..2 {
            reader.read();
            reader.later(HOUR);
        }
        edit(&reader, 5);
        reader.later(HOUR);
        assert_eq!(reader.read().emitted(MESSAGES), emitted[0]);
        reader.later(DAY);
        assert_eq!(reader.read().emitted(MESSAGES), emitted[1]);
        reader.assert_complete();
    }
}

#[test]
fn delta_starts_at_least_an_hour_and_the_lookback_earlier() {
    for (lookback, filter) in [(300, "2024-11-25T08:00:00"), (7200, "2024-11-25T07:00:00")] {
        let mut reader = reader(10).streams(&[MESSAGES]).with(json!({"lookback_seconds": lookback}));
        reader.read();
        reader.later(DAY);
        // Since the first page of the walk, which was requested at nine.
        let run = reader.read();
        let query = &run.requests(Class::Delta)[0].query;
        assert!(query.replace("%3A", ":").contains(filter), "{query}");
    }
}

#[test]
fn a_reaction_between_a_walk_and_a_round_is_found_by_the_next_walk() {
    let mut reader = reader(30).with(json!({"lookback_seconds": 0}));
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    let old = reader.roots().pop().unwrap();
    let mut reacted = Some(old.clone());
    reader.sim.on_request(move |request, tenant| {
        if request.class == Class::Delta
            && let Some(root) = reacted.take()
        {
            tenant.clock().advance(HOUR);
            tenant.react(&root, "like").unwrap();
            tenant.clock().advance(HOUR);
        }
        None
    });
    assert!(!reader.read().emits(&old));
    reader.sim.clear_hook();
    reader.later(HOUR);
    assert!(reader.read().emits(&old));
    reader.assert_complete();
}

#[test]
fn items_repeated_in_a_round_are_emitted_once() {
    let mut reader = following(25);
    reader.sim.switches(|switches| {
        switches.delta.page = 4;
        switches.delta.repeats = true;
    });
    // The page size is fixed when delta starts.
    let channel = reader.channel();
    reader.sim.with_tenant(|tenant| tenant.expire_delta(&channel)).unwrap();
    reader.read();
    reader.later(HOUR);
    edit(&reader, 20);
    let run = reader.read();
    assert!(run.request_count(Class::Delta) >= 5);
    assert_eq!(run.emitted(MESSAGES), 20);
    reader.assert_complete();
}

#[test]
fn items_found_by_walk_and_delta_are_emitted_once() {
    let mut reader = reader(30);
    for turn in 0..3 {
        let root = reader.post("new");
        reader.reply(&root, "with a reply");
        let old = edit(&reader, 5);
        reader.later(HOUR / 2);
        let run = reader.read();
        // The first round of delta repeats the messages of the last hour.
        assert_eq!(run.emitted(MESSAGES), [31, 12, 6][turn]);
        assert!(old.iter().all(|root| run.emits(root)));
        reader.assert_complete();
        reader.later(DAY);
    }
}

#[test]
fn an_unordered_round_that_stops_after_its_first_page_loses_nothing() {
    for protocol in BOTH {
        for streams in [&[MESSAGES][..], &[MESSAGES, REPLIES]] {
            let mut reader = reader(30).with_protocol(protocol).streams(streams);
            reader.sim.switches(|switches| {
                switches.delta.page = 2;
                switches.delta.shuffle = true;
                switches.delta.empty_first_page = true;
            });
            for _ in 0..2 {
                reader.read();
                reader.later(HOUR);
            }
            edit(&reader, 10);
            reader.later(HOUR);
            // An empty page and one with messages.
            let first = reader.run_until(|request| request.class == Class::Delta && request.class_number == 3, "TERM");
            let channel = reader.channel();
            let state = reader.state(MESSAGES, &channel);
            assert!(state["deltaRound"]["link"].as_str().unwrap().contains("$skiptoken"), "{state}");
            assert!(state["deltaLink"].as_str().unwrap().contains("$deltatoken"), "the round before stays: {state}");
            reader.later(HOUR);
            edit(&reader, 12);
            reader.later(HOUR);
            let second = reader.read();
            let emitted = (first.emitted(MESSAGES), second.emitted(MESSAGES));
            assert!(emitted.0 > 0 && emitted.1 < 22, "{emitted:?}");
            if streams.len() == 1 {
                assert_eq!(first.emitted(MESSAGES), 2);
                assert_eq!(second.requests(Class::Delta)[0].page, PageKind::Next, "the round continues");
            }
            // Changes after the first page of the round are found by the next round.
            reader.later(HOUR);
            reader.read();
            reader.assert_complete();
        }
    }
}

#[test]
fn a_round_whose_state_was_lost_is_emitted_again() {
    let mut reader = following(50);
    reader.sim.switches(|switches| switches.delta.shuffle = true);
    let (states, rows) = (reader.states.clone(), reader.rows.clone());
    edit(&reader, 45);
    assert_eq!(reader.read().emitted(MESSAGES), 45);
    (reader.states, reader.rows) = (states, rows);
    assert_eq!(reader.read().emitted(MESSAGES), 45);
    reader.assert_complete();
}

#[test]
fn delta_does_not_emit_messages_older_than_the_start_date() {
    let mut reader = reader(30).streams(&[MESSAGES]);
    let start = reader.sim.clock().now().minus(DAY * 100);
    reader.set(json!({"start_date": start.to_string()}));
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    let rows = reader.rows[MESSAGES].len();
    // Its thread is returned again, but the message itself is as old as before.
    let (old, recent) = (reader.roots().pop().unwrap(), reader.roots().swap_remove(1));
    for root in [&old, &recent] {
        reader.sim.with_tenant(|tenant| tenant.reply(root, Post::text("awake"))).unwrap();
    }
    let run = reader.read();
    assert!(!run.emits(&old));
    assert_eq!(reader.rows[MESSAGES].len(), rows);
}
