//! Full refresh: resumable, and independent of incremental runs.

use graph_sim::{Class, Fault, PageKind, Rule};
use serde_json::json;

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, Run, reader};
use crate::support::Protocol;

fn refresh(protocol: Protocol) -> Reader {
    Reader { full_refresh: true, ..reader(40).with_protocol(protocol).with(json!({"top": 4})) }
}

/// Stops a run with a signal before its n-th page.
fn stop_at(reader: &mut Reader, page: u64) -> Run {
    reader.run_until(move |request| request.class == Class::Messages && request.class_number == page, "TERM")
}

/// A run in which Graph fails from the n-th page on.
fn out_of_order_at(reader: &mut Reader, page: u64) -> Run {
    reader.sim.inject(Rule::new(Fault::status(503)).class(Class::Messages).skip(page - 1));
    let run = reader.run();
    reader.sim.clear_faults();
    assert_eq!(run.output.status, Some(1));
    run
}

#[test]
fn an_interrupted_full_refresh_resumes_where_it_stopped() {
    for (protocol, by_signal) in [(Protocol::Airbyte, true), (Protocol::Singer, true), (Protocol::Airbyte, false)] {
        let mut reader = refresh(protocol);
        let first = if by_signal { stop_at(&mut reader, 6) } else { out_of_order_at(&mut reader, 6) };
        assert_eq!(first.emitted(MESSAGES), 20);
        for stream in [MESSAGES, REPLIES] {
            assert_eq!(reader.states[stream]["full"][1], json!(1_732_525_200), "09:00:00: since when: {stream}");
        }
        let second = reader.read();
        // Five more pages, and one from the top that closes the walk.
        assert_eq!((second.emitted(MESSAGES), second.message_requests()), (24, 6));
        assert_eq!(second.requests(Class::Messages)[0].page, PageKind::Next);
        reader.assert_complete();
        for stream in [MESSAGES, REPLIES] {
            assert_eq!(reader.states[stream]["full"], json!([]), "the last state has no mark: {stream}");
        }
        // The run after it starts from the beginning.
        reader.later(HOUR);
        let third = reader.read();
        assert_eq!((third.emitted(MESSAGES), third.message_requests()), (40, 11));
    }
}

#[test]
fn channels_finished_by_an_interrupted_full_refresh_are_not_repeated() {
    let mut reader = Reader {
        full_refresh: true,
        ..Reader::new(graph_sim::Options::new(super::spec(4, 20)).manual_clock()).with(json!({"max_concurrent_threads": 1}))
    };
    let first = stop_at(&mut reader, 4);
    assert_eq!(first.emitted(MESSAGES), 60);
    let second = reader.read();
    assert_eq!((second.emitted(MESSAGES), second.message_requests()), (20, 1));
    reader.assert_complete();
}

#[test]
fn changes_between_the_parts_of_a_full_refresh_are_emitted() {
    for protocol in BOTH {
        let mut reader = refresh(protocol);
        stop_at(&mut reader, 6);
        reader.later(DAY);
        let roots = reader.roots();
        for root in [&roots[5], &roots[35]] {
            reader.edit(root, "meanwhile");
            reader.reply(root, "meanwhile");
        }
        reader.read();
        reader.assert_complete();
    }
}

#[test]
fn a_full_refresh_ignores_the_state_of_incremental_runs() {
    for protocol in BOTH {
        let mut reader = reader(24).with_protocol(protocol);
        for _ in 0..2 {
            reader.read();
            reader.later(HOUR);
        }
        reader.full_refresh = true;
        let run = reader.read();
        assert_eq!((run.emitted(MESSAGES), run.request_count(Class::Delta)), (24, 0));
        reader.assert_complete();
        // Even if it is invalid.
        reader.states.insert(MESSAGES.to_owned(), json!({"version": 7}));
        assert_eq!(reader.read().emitted(MESSAGES), 24);
    }
}

#[test]
fn an_incremental_run_ignores_an_unfinished_full_refresh() {
    for protocol in BOTH {
        let mut reader = refresh(protocol);
        stop_at(&mut reader, 6);
        reader.full_refresh = false;
        let run = reader.read();
        assert_eq!(run.emitted(MESSAGES), 40);
        assert_eq!(reader.states[MESSAGES]["full"], json!([]));
        reader.assert_complete();
    }
}

#[test]
fn an_incremental_run_continues_after_a_finished_full_refresh() {
    for protocol in BOTH {
        let mut reader = refresh(protocol);
        reader.read();
        reader.full_refresh = false;
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
        reader.edit(&reader.roots()[30], "changed");
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 1);
        reader.assert_complete();
    }
}

#[test]
fn a_full_refresh_of_one_stream_keeps_the_other_incremental() {
    let mut reader = reader(24).with_protocol(Protocol::Airbyte);
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    let (tap, arguments) = reader.prepare();
    let mut catalog = reader.airbyte_catalog();
    catalog["streams"][0]["sync_mode"] = "full_refresh".into();
    tap.file("catalog.json", catalog.to_string());
    let output = crate::support::Output::new(Protocol::Airbyte, tap.execute(&arguments, &[]));
    let run = reader.keep(output);
    assert_eq!((run.output.status, run.emitted(MESSAGES), run.emitted(REPLIES)), (Some(0), 24, 0));
    reader.later(HOUR);
    assert_eq!(reader.read().emitted_total(), 0);
    reader.assert_complete();
}

#[test]
fn a_full_refresh_that_is_stopped_repeatedly_still_finishes() {
    let mut reader = refresh(Protocol::Airbyte);
    for _ in 0..3 {
        stop_at(&mut reader, 4);
    }
    let run = reader.read();
    assert_eq!((run.emitted(MESSAGES), run.message_requests()), (8, 2), "its last page, and the first one, with which the walk is closed");
    reader.assert_complete();
}

#[test]
fn a_full_refresh_is_not_resumed_if_it_is_too_old_or_a_retry_cannot_help() {
    let mut reader = refresh(Protocol::Airbyte);
    stop_at(&mut reader, 6);
    reader.states[MESSAGES]["full"][0] = json!("2024-01-01T00:00:00Z");
    reader.states[REPLIES]["full"][0] = json!("2024-01-01T00:00:00Z");
    assert_eq!(reader.read().emitted(MESSAGES), 40);

    let mut reader = Reader { full_refresh: true, ..Reader::new(graph_sim::Options::new(super::spec(2, 20)).manual_clock()) };
    let channel = reader.channels().swap_remove(1);
    reader.sim.inject(Rule::new(Fault::graph(422, "UnprocessableEntity", "")).channel(&channel));
    let run = reader.run();
    reader.sim.clear_faults();
    assert_eq!((run.output.status, run.emitted(MESSAGES)), (Some(1), 20));
    // Otherwise readable channels would be skipped as long as the others fail.
    assert_eq!(reader.states[MESSAGES]["full"], json!([]));
    assert_eq!(reader.read().emitted(MESSAGES), 40);
    reader.assert_complete();
}
