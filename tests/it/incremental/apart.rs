//! Two streams of one channel at different positions: neither loses records, and neither is repeated because of the other.

use std::time::Duration;

use graph_sim::{Class, Membership, Post};
use serde_json::json;

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, reader};
use crate::support::Protocol;

/// A reader of both streams that was interrupted at the sixth of ten pages.
fn interrupted() -> Reader {
    let mut reader = reader(40).with(json!({"top": 4}));
    let run = reader.fail_at(6);
    assert_eq!(run.emitted(MESSAGES), 20);
    reader
}

/// The destination loses its rows of a stream.
fn lose(reader: &mut Reader, stream: &'static str) {
    reader.states.remove(stream);
    reader.rows.get_mut(stream).unwrap().clear();
}

#[test]
fn a_target_that_stored_only_one_stream_state_rereads_the_other_once() {
    for (protocol, later) in [(Protocol::Airbyte, Duration::ZERO), (Protocol::Airbyte, DAY), (Protocol::Singer, DAY)] {
        for lost in [MESSAGES, REPLIES] {
            let mut reader = interrupted().with_protocol(protocol);
            let kept = if lost == MESSAGES { REPLIES } else { MESSAGES };
            let emitted = reader.rows[kept].len();
            lose(&mut reader, lost);
            let roots = reader.roots();
            reader.later(later);
            // One message that was read and one that was not.
            for root in [&roots[5], &roots[35]] {
                reader.edit(root, "meanwhile");
                reader.reply(root, "meanwhile");
            }
            let run = reader.read();
            reader.assert_complete();
            let all = reader.rows[kept].len();
            // The missing records, two changes, and one or two pages that close the walk.
            let pages = if kept == MESSAGES { 8 } else { 24 };
            assert!(
                run.emitted(kept) <= all - emitted + 2 + pages,
                "{kept}: {} records repeated after {emitted} of {all}",
                run.emitted(kept)
            );
            for _ in 0..2 {
                reader.later(HOUR);
                reader.read();
            }
            reader.later(HOUR);
            assert_eq!(reader.read().emitted_total(), 0);
        }
    }
}

#[test]
fn a_stream_that_is_behind_is_read_without_repeating_the_other() {
    for (protocol, lost) in [(Protocol::Airbyte, MESSAGES), (Protocol::Singer, REPLIES)] {
        let mut reader = reader(40).with_protocol(protocol).with(json!({"top": 4, "use_delta_api": false}));
        reader.read();
        lose(&mut reader, lost);
        reader.later(DAY);
        let new = reader.post("meanwhile");
        let reply = reader.reply(&reader.roots()[25], "meanwhile");
        reader.later(HOUR);
        let run = reader.read();
        let (kept, one) = if lost == MESSAGES { (REPLIES, reply) } else { (MESSAGES, new) };
        assert_eq!((run.emitted(kept), run.emits(&one)), (1, true));
        reader.assert_complete();
        reader.later(HOUR);
        reader.read();
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
    }
}

#[test]
fn streams_on_different_pages_of_a_walk_are_joined_again() {
    for protocol in BOTH {
        let mut reader = reader(40).with_protocol(protocol).with(json!({"top": 4}));
        reader.fail_at(3);
        let behind = reader.states[REPLIES].clone();
        // After the next run both are at page six, and the state of one is lost again.
        reader.fail_at(4);
        reader.states.insert(REPLIES.to_owned(), behind);
        let roots = reader.roots();
        reader.later(DAY);
        for root in [&roots[5], &roots[20], &roots[35]] {
            reader.reply(root, "meanwhile");
            reader.edit(root, "meanwhile");
        }
        reader.read();
        reader.assert_complete();
    }
}

#[test]
fn one_stream_may_be_in_its_first_walk_and_the_other_in_a_later_one() {
    let mut reader = reader(40).streams(&[MESSAGES]).with(json!({"top": 4, "use_delta_api": false}));
    reader.read();
    reader.later(DAY);
    for root in reader.roots().iter().rev().take(16) {
        reader.edit(root, "changed");
    }
    reader.streams = vec![MESSAGES, REPLIES];
    // Both are interrupted: the messages after part of the changes, the replies in their first walk.
    reader.fail_at(3);
    reader.later(DAY);
    reader.edit(&reader.roots()[35], "changed meanwhile");
    reader.later(HOUR);
    reader.read();
    reader.assert_complete();
    reader.later(HOUR);
    assert_eq!(reader.read().emitted_total(), 0);
}

#[test]
fn a_stream_that_is_selected_later_is_read_completely() {
    for (protocol, first, second) in [(Protocol::Singer, MESSAGES, REPLIES), (Protocol::Airbyte, REPLIES, MESSAGES)] {
        let mut reader = reader(24).with_protocol(protocol).streams(&[first]);
        for _ in 0..2 {
            reader.read();
            reader.later(HOUR);
        }
        reader.streams = vec![MESSAGES, REPLIES];
        let run = reader.read();
        assert_eq!(run.emitted(first), 0, "{first} is not read again");
        reader.assert_complete();
        // A stream that is no longer selected keeps its position.
        reader.streams = vec![second];
        reader.later(HOUR);
        let root = reader.post("meanwhile");
        reader.reply(&root, "meanwhile");
        reader.later(HOUR);
        let given = reader.states[first].clone();
        reader.read();
        assert_eq!(reader.states[first], given);
        reader.streams = vec![MESSAGES, REPLIES];
        reader.later(DAY);
        let run = reader.read();
        // The walk repeats what delta emitted for messages only.
        assert!((1..=2).contains(&run.emitted_total()), "{first}, then {second}: {:?}", run.output.counts());
        reader.assert_complete();
    }
}

#[test]
fn a_new_channel_is_read_completely_without_repeating_the_others() {
    for protocol in BOTH {
        let mut reader = reader(12).with_protocol(protocol);
        for _ in 0..2 {
            reader.read();
            reader.later(HOUR);
        }
        reader.sim.with_tenant(|tenant| {
            let team = tenant.team_ids().swap_remove(0);
            let channel = tenant.create_channel(&team, "New", Membership::Standard).unwrap();
            let root = tenant.post(&channel, Post::text("the first one")).unwrap();
            tenant.reply(&root, Post::text("and its reply")).unwrap();
        });
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!((run.emitted(MESSAGES), run.emitted(REPLIES), run.request_count(Class::Messages)), (1, 1, 2));
        reader.assert_complete();
    }
}
