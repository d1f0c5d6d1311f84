//! The requests of a run when little or nothing has changed.

use graph_sim::{Class, DeltaSupport, Options, TenantSpec};
use scenario::states;
use serde_json::json;

use super::{HOUR, MESSAGES, REPLIES, Reader, reader, spec};
use crate::support::Protocol;

/// A reader after its first runs: the channel is read, and delta is in use if possible.
fn settled(mut reader: Reader) -> Reader {
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    reader.assert_complete();
    reader
}

#[test]
fn an_idle_channel_emits_nothing_and_costs_one_or_two_requests() {
    let cases: [(Protocol, &[&str], bool, u64); 6] = [
        (Protocol::Airbyte, &[MESSAGES, REPLIES], true, 2),
        (Protocol::Singer, &[MESSAGES, REPLIES], true, 2),
        (Protocol::Airbyte, &[MESSAGES], true, 1),
        (Protocol::Singer, &[REPLIES], true, 1),
        (Protocol::Airbyte, &[MESSAGES, REPLIES], false, 1),
        (Protocol::Singer, &[MESSAGES], false, 1),
    ];
    for (protocol, streams, use_delta_api, requests) in cases {
        let mut reader = settled(reader(25).with_protocol(protocol).streams(streams).with(json!({"use_delta_api": use_delta_api})));
        let before = reader.states.clone();
        let run = reader.read();
        assert_eq!((run.emitted_total(), run.message_requests()), (0, requests), "{streams:?}, delta {use_delta_api}");
        for stream in streams {
            let key = reader.key(&reader.channel());
            assert_eq!(
                states::entry(&reader.states[*stream], &key)["lastModifiedDateTime"],
                states::entry(&before[*stream], &key)["lastModifiedDateTime"]
            );
        }
    }
}

#[test]
fn the_second_sync_starts_delta() {
    let mut reader = reader(30);
    assert_eq!(reader.read().request_count(Class::Delta), 0);
    reader.later(HOUR);
    let run = reader.read();
    let opening = run.requests(Class::Delta);
    assert_eq!((opening.len(), run.message_requests(), run.emitted_total()), (1, 2, 0));
    assert!(opening[0].query.starts_with("$filter=lastModifiedDateTime"), "{}", opening[0].query);
    assert!(!opening[0].query.contains('&'), "no other delta request: {}", opening[0].query);
}

#[test]
fn an_empty_or_refused_channel_costs_one_request() {
    for (messages, streams) in [(0, &[MESSAGES, REPLIES][..]), (0, &[MESSAGES]), (25, &[MESSAGES, REPLIES]), (25, &[MESSAGES])] {
        let reader = reader(messages).streams(streams);
        let channel = reader.channel();
        reader.sim.with_tenant(|tenant| tenant.set_delta_support(&channel, DeltaSupport::NotSupported)).unwrap();
        let mut reader = settled(reader);
        for _ in 0..2 {
            let run = reader.read();
            assert_eq!((run.emitted_total(), run.message_requests()), (0, 1), "{messages} messages, {streams:?}");
            reader.later(HOUR);
        }
    }
}

#[test]
fn a_long_thread_costs_extra_pages_only_at_the_top_of_the_channel() {
    let reader = Reader::new(Options::new(TenantSpec { replies: 0, ..spec(1, 40) }).manual_clock());
    reader.sim.switches(|switches| switches.inline_replies = 3);
    let root = reader.roots().swap_remove(30);
    for number in 0..10 {
        reader.reply(&root, &format!("reply {number}"));
    }
    reader.later(HOUR);
    let mut reader = settled(reader);
    assert_eq!(reader.read().request_count(Class::Replies), 1);
    // Two old ones are enough.
    for root in reader.roots().iter().skip(20).take(2) {
        reader.edit(root, "stands above it");
    }
    reader.later(HOUR);
    reader.read();
    reader.later(HOUR);
    let run = reader.read();
    assert_eq!((run.request_count(Class::Replies), run.message_requests(), run.emitted_total()), (0, 2, 0));
}

#[test]
fn replies_to_old_messages_cost_no_more_requests_than_an_idle_run() {
    let mut reader = settled(reader(130).with(json!({"use_delta_api": false})));
    for root in reader.roots().iter().skip(30).step_by(10) {
        reader.reply(root, "after a long time");
    }
    let run = reader.read();
    assert_eq!((run.emitted(MESSAGES), run.emitted(REPLIES), run.message_requests()), (0, 10, 1));
    reader.assert_complete();
}

#[test]
fn records_are_repeated_only_within_the_lookback() {
    for (lookback, emitted) in [(0, 0), (300, 0), (900, 1), (4300, 2)] {
        let mut reader = settled(reader(10).with(json!({"use_delta_api": false, "lookback_seconds": lookback})));
        reader.post("an hour before the end of the next run");
        reader.later(HOUR);
        reader.post("ten minutes before it");
        reader.later(HOUR / 6);
        reader.read();
        reader.later(HOUR / 60);
        let run = reader.read();
        assert_eq!(run.emitted(MESSAGES), emitted, "{lookback} s");
    }
}
