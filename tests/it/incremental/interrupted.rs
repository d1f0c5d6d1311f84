//! Interrupted runs: a state covers what was emitted, and the next run continues.

use graph_sim::{Class, Fault, Options, PageKind, RequestInfo, RetryAfter, Rule};
use serde_json::json;

use super::{BOTH, HOUR, MESSAGES, REPLIES, Reader, reader, spec};
use crate::support::Protocol;

/// A fault for the n-th page of messages.
fn page(number: u64) -> impl Fn(&RequestInfo) -> bool + Send + 'static {
    move |request| request.class == Class::Messages && request.class_number == number
}

#[test]
fn a_stopped_run_writes_a_state_that_the_next_run_continues() {
    for (protocol, signal) in [(Protocol::Airbyte, "TERM"), (Protocol::Singer, "INT")] {
        let mut reader = reader(40).with_protocol(protocol).with(json!({"top": 4}));
        let first = reader.run_until(page(6), signal);
        assert_eq!(first.emitted(MESSAGES), 20);
        assert_eq!(first.output.messages.last().unwrap()["type"], "STATE");
        reader.later(HOUR);
        let second = reader.read();
        // The remaining records, and the first page, which closes the walk.
        assert_eq!((second.emitted(MESSAGES), second.requests(Class::Messages)[0].page), (24, PageKind::Next));
        reader.assert_complete();
    }
}

#[test]
fn a_run_may_be_stopped_at_every_page() {
    let mut reader = reader(24).with(json!({"top": 4, "use_delta_api": false}));
    // Seven pages, the last of which closes the walk; each run reads one page more than the previous one.
    for _ in 0..6 {
        let run = reader.run_until(page(2), "TERM");
        assert_eq!(run.emitted(MESSAGES), 4);
        reader.later(HOUR);
    }
    let run = reader.read();
    assert_eq!((run.emitted(MESSAGES), run.message_requests()), (4, 1), "the first page, with which the walk is closed");
    reader.assert_complete();
}

#[test]
fn an_interrupted_closing_pass_continues() {
    for protocol in BOTH {
        let mut reader = reader(40).with_protocol(protocol).with(json!({"top": 4, "use_delta_api": false}));
        let unread: Vec<_> = reader.roots().into_iter().skip(20).collect();
        // Half of the threads move while the first pass is at its second page, so the closing pass has several pages.
        let mut moves = Some(unread.clone());
        reader.sim.on_request(move |request, tenant| {
            if request.class == Class::Messages && request.class_number == 2 {
                tenant.clock().advance(HOUR);
                moves.take().into_iter().flatten().for_each(|root| tenant.edit(&root, "moved").unwrap());
            }
            None
        });
        reader.fail_at(8);
        reader.sim.clear_hook();
        let channel = reader.channel();
        let walk = &reader.state(MESSAGES, &channel)["walk"];
        assert!(walk["link"].is_string() && walk["until"].is_string(), "{walk}");
        reader.later(HOUR);
        reader.edit(&unread[12], "meanwhile");
        let run = reader.read();
        // Twelve remaining records, those that moved within the lookback of the pass, and one page.
        assert!((13..=25).contains(&run.emitted(MESSAGES)), "{}", run.emitted(MESSAGES));
        assert_eq!(run.requests(Class::Messages)[0].page, PageKind::Next);
        reader.assert_complete();
    }
}

#[test]
fn a_failed_stream_writes_its_state_before_the_error() {
    for protocol in BOTH {
        let mut reader = Reader::new(Options::new(spec(2, 24)).manual_clock()).with_protocol(protocol);
        reader.set(json!({"top": 4, "max_concurrent_threads": 1}));
        // This channel fails halfway; the other channel is read.
        let channel = reader.channel();
        reader.sim.inject(Rule::new(Fault::throttled(RetryAfter::Seconds(7200))).class(Class::Messages).channel(&channel).skip(3));
        let run = reader.run();
        reader.sim.clear_faults();
        assert_eq!(run.output.status, Some(1));
        for stream in [MESSAGES, REPLIES] {
            if protocol == Protocol::Airbyte {
                let of_stream = |message: &serde_json::Value| {
                    message["trace"]["error"]["stream_descriptor"]["name"] == stream
                        || message["state"]["stream"]["stream_descriptor"]["name"] == stream
                };
                let last = run.output.messages.iter().rfind(|message| of_stream(message)).unwrap();
                assert_eq!(last["type"], "TRACE", "the error follows the state");
            }
            assert!(reader.state(stream, &channel)["walk"]["link"].is_string(), "{stream}");
        }
        assert_eq!(run.emitted(MESSAGES), 12 + 24);
        let second = reader.read();
        assert_eq!(second.emitted(MESSAGES), 16, "twelve more, and the first page, with which the walk is closed");
        reader.assert_complete();
    }
}

#[test]
fn an_error_before_any_record_keeps_the_state() {
    for protocol in BOTH {
        let mut reader = reader(30).with_protocol(protocol);
        for _ in 0..2 {
            reader.read();
            reader.later(HOUR);
        }
        let before = reader.states.clone();
        reader.sim.set_roles(&[]);
        let run = reader.run();
        assert_eq!(run.output.status, Some(1));
        for stream in [MESSAGES, REPLIES] {
            assert_eq!(reader.states[stream]["partitions"], before[stream]["partitions"], "{stream}");
        }
    }
}

#[test]
fn a_batch_limits_the_pages_between_states_and_cuts_nothing() {
    for (protocol, pages) in [(Protocol::Airbyte, 1), (Protocol::Singer, 3), (Protocol::Airbyte, 100)] {
        let mut reader = reader(40).with_protocol(protocol).with(json!({"top": 2, "max_pages_per_batch": pages}));
        let run = reader.read();
        assert_eq!(run.emitted(MESSAGES), 40, "{pages} pages a batch");
        reader.assert_complete();
        let states = run.output.all("STATE").count();
        assert!(pages == 100 || states > 4, "{pages} pages a batch: {states} states");
    }
}
