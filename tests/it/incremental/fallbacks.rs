//! Refusals of delta (graph.md 4.2): the walk finds what delta does not, and one warning reports it.

use graph_sim::{Block, Class, DeltaSupport, ExpiredToken, Fault, LinkFault, Options, PageKind, Rule};
use serde_json::{Value, json};

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, Run, reader, spec};
use crate::support::Protocol;

/// The selections that use delta, with one protocol each.
const SELECTIONS: [(&[&str], Protocol); 2] = [(&[MESSAGES], Protocol::Airbyte), (&[MESSAGES, REPLIES], Protocol::Singer)];

/// A reader with delta, and a change an hour later.
fn changed(streams: &[&'static str]) -> Reader {
    let mut reader = reader(30).streams(streams);
    reader.start_delta();
    change(&reader);
    reader
}

fn change(reader: &Reader) {
    reader.post("new");
    reader.edit(&reader.roots().pop().unwrap(), "edited");
    reader.later(HOUR);
}

/// Two more runs: the first one meets the fault, and something changes before the second one. Nothing is lost.
fn two_runs(reader: &mut Reader) -> [Run; 2] {
    let first = reader.read();
    reader.assert_complete();
    reader.later(HOUR);
    change(reader);
    let second = reader.read();
    reader.assert_complete();
    [first, second]
}

/// Delta works again and costs one request per run.
#[track_caller]
fn assert_open(run: &Run) {
    let requests = run.requests(Class::Delta);
    assert_eq!((requests.len(), requests[0].page, run.warnings("delta").len()), (1, PageKind::Round, 0));
}

/// The token becomes invalid with this error: delta starts again from the time up to which it was complete.
#[track_caller]
fn assert_reopened(expired: ExpiredToken, status: u16) {
    for (streams, protocol) in SELECTIONS {
        let mut reader = changed(streams).with_protocol(protocol);
        reader.sim.switches(|switches| switches.delta.expired = expired);
        reader.sim.with_tenant(|tenant| tenant.expire_all_delta());
        let [first, second] = two_runs(&mut reader);
        let requests = first.requests(Class::Delta);
        assert_eq!((requests.len(), requests[0].status, requests[1].status), (2, Some(status), Some(200)));
        assert!(requests[1].query.starts_with("$filter=lastModifiedDateTime"));
        assert_eq!(first.request_count(Class::Messages), u64::from(streams.len() > 1), "messages alone need no walk for that");
        let channel = reader.channel();
        let [warning] = first.warnings("; requesting the changes since then with a new delta query: ")[..] else {
            panic!("{:?}", first.warnings(""));
        };
        assert!(warning.contains(&channel), "{warning}");
        assert_open(&second);
    }
}

#[test]
fn a_delta_token_that_is_gone_is_replaced() {
    assert_reopened(ExpiredToken::Gone, 410);
}

#[test]
fn a_delta_token_without_sync_state_is_replaced() {
    assert_reopened(ExpiredToken::SyncStateNotFound, 404);
}

#[test]
fn a_delta_token_with_invalid_sync_state_is_replaced() {
    assert_reopened(ExpiredToken::SyncStateInvalid, 400);
}

#[test]
fn a_delta_token_that_requires_a_resync_is_replaced() {
    assert_reopened(ExpiredToken::ResyncRequired, 400);
}

#[test]
fn a_delta_token_that_graph_calls_invalid_is_replaced() {
    for (status, code, message) in [(400, "BadRequest", "The delta token is not valid."), (404, "itemNotFound", "Token not found.")] {
        let mut reader = changed(&[MESSAGES]);
        let fault = Fault::graph(status, code, message);
        reader.sim.inject(Rule::new(fault).class(Class::Delta).page(PageKind::Round).times(1));
        let [first, second] = two_runs(&mut reader);
        assert_eq!((first.request_count(Class::Delta), first.request_count(Class::Messages)), (2, 0));
        assert_eq!(first.warnings("Graph rejected the delta token").len(), 1);
        assert_open(&second);
    }
}

#[test]
fn a_round_whose_token_expires_restarts() {
    let mut reader = changed(&[MESSAGES]);
    for root in reader.roots().iter().skip(2) {
        reader.edit(root, "more than a page");
    }
    reader.run_until(|request| request.class == Class::Delta && request.page == PageKind::Next, "TERM");
    let ended = Fault::graph(400, "BadRequest", "The provided skip token is not valid.");
    reader.sim.inject(Rule::new(ended).class(Class::Delta).page(PageKind::Next).times(1));
    let run = reader.read();
    let pages: Vec<_> = run.requests(Class::Delta).iter().map(|entry| entry.page).collect();
    assert_eq!(pages[..2], [PageKind::Next, PageKind::Round]);
    assert!(run.warnings("").is_empty(), "delta does not start again: {:?}", run.warnings(""));
    assert_eq!(run.request_count(Class::Messages), 0);
    reader.assert_complete();
}

/// Delta of the channel fails with this error: the channel is walked, and delta is tried again after a day or a change.
#[track_caller]
fn assert_refused(support: DeltaSupport, reason: &str) {
    for (streams, protocol) in SELECTIONS {
        let mut reader = changed(streams).with_protocol(protocol);
        let channel = reader.channel();
        let has_no_delta = |support| reader.sim.with_tenant(|tenant| tenant.set_delta_support(&channel, support)).unwrap();
        has_no_delta(support);
        // If only the start of delta is refused, delta must start.
        reader.sim.with_tenant(|tenant| tenant.expire_delta(&channel)).unwrap();
        let run = reader.read();
        reader.assert_complete();
        let warnings = run.warnings("Graph refuses delta queries for channel");
        assert!(warnings.len() == 1 && warnings[0].contains(&channel) && warnings[0].contains(reason), "{warnings:?}");
        let state = reader.state(MESSAGES, &channel);
        assert!(state["deltaRefusedAt"].is_number() && state["deltaRound"].is_null(), "{state}");

        reader.later(HOUR);
        let idle = reader.read();
        assert_eq!(
            (idle.request_count(Class::Delta), idle.message_requests(), idle.warnings("delta").len()),
            (0, 1, 0),
            "not tried again so soon"
        );

        change(&reader);
        let run = reader.read();
        reader.assert_complete();
        assert!(run.request_count(Class::Delta) > 0, "the walk has shown a change: it is tried again");
        reader.later(HOUR);
        assert_eq!(reader.read().request_count(Class::Delta), 0);

        reader.sim.with_tenant(|tenant| tenant.set_delta_support(&channel, DeltaSupport::Supported)).unwrap();
        reader.later(DAY);
        assert!(reader.read().request_count(Class::Delta) > 0, "a day has passed: it is tried again");
        reader.later(HOUR);
        change(&reader);
        assert_open(&reader.read());
        reader.assert_complete();
    }
}

#[test]
fn a_resource_without_delta_is_walked() {
    assert_refused(DeltaSupport::NotSupported, "Delta query is not supported by this resource");
}

#[test]
fn a_channel_that_rejects_the_filter_is_walked() {
    assert_refused(DeltaSupport::NoFilter, "Parameter 'Filter' not supported");
}

#[test]
fn a_channel_that_is_forbidden_only_for_delta_is_walked() {
    let mut reader = changed(&[MESSAGES]);
    reader.sim.inject(Rule::new(Fault::status(403)).class(Class::Delta).times(1));
    let [first, second] = two_runs(&mut reader);
    assert_eq!(first.warnings("the delta query for channel").len(), 1);
    assert_eq!(first.request_count(Class::Messages), 1);
    // The permission for messages includes delta, so the refusal was temporary.
    assert_open(&second);
}

#[test]
fn a_channel_that_rejects_the_delta_token_is_walked() {
    // The error of empty channels, for a channel with messages whose delta worked before.
    let mut reader = changed(&[MESSAGES]);
    let channel = reader.channel();
    reader.sim.with_tenant(|tenant| tenant.set_delta_support(&channel, DeltaSupport::NoDeltaToken)).unwrap();
    let [first, _] = two_runs(&mut reader);
    assert_eq!(first.warnings("Graph refuses delta queries for channel").len(), 1);
    assert_eq!((first.request_count(Class::Delta), first.request_count(Class::Messages)), (1, 1));
}

#[test]
fn the_delta_error_of_an_empty_channel_is_not_a_warning() {
    for (streams, protocol) in SELECTIONS {
        let mut reader = reader(1).with_protocol(protocol).streams(streams);
        reader.read();
        // Found by the first walk, removed before delta starts.
        reader.sim.with_tenant(|tenant| {
            let root = tenant.roots(&tenant.all_channel_ids()[0]).swap_remove(0);
            tenant.remove(&root).unwrap();
        });
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!((run.journal.count_status(Class::Delta, 400), run.warnings("").len()), (1, 0), "{:?}", run.warnings(""));
        reader.later(HOUR);
        assert_eq!(reader.read().message_requests(), 1);
        reader.rows.get_mut(MESSAGES).unwrap().clear();
        reader.rows.get_mut(REPLIES).unwrap().clear();
        reader.later(HOUR);
        reader.post("the first one after that");
        reader.read();
        reader.assert_complete();
    }
}

#[test]
fn a_delta_route_that_does_not_respond_is_no_error() {
    let mut reader = changed(&[MESSAGES, REPLIES]);
    reader.sim.inject(Rule::new(Fault::status(503)).class(Class::Delta));
    let run = reader.read();
    reader.assert_complete();
    assert_eq!(run.warnings("the delta query for channel").len(), 1);
    assert!(reader.state(MESSAGES, &reader.channel())["deltaLink"].is_string(), "the link stays");
    reader.sim.clear_faults();
    change(&reader);
    assert_open(&reader.read());
    reader.assert_complete();
}

#[test]
fn a_round_without_any_link_is_requested_again() {
    for (streams, protocol) in SELECTIONS {
        let mut reader = changed(streams).with_protocol(protocol);
        reader.sim.inject(Rule::new(Fault::Link(LinkFault::Neither)).class(Class::Delta).times(1));
        let link = reader.state(MESSAGES, &reader.channel())["deltaLink"].clone();
        let run = reader.read();
        reader.assert_complete();
        assert_eq!((run.request_count(Class::Delta), run.request_count(Class::Messages)), (1, 1), "the walk finds it");
        assert_eq!(reader.state(MESSAGES, &reader.channel())["deltaLink"], link);
        change(&reader);
        assert_open(&reader.read());
        reader.assert_complete();
    }
}

#[test]
fn a_token_older_than_the_delta_history_loses_nothing() {
    for (streams, protocol) in SELECTIONS {
        let mut reader = changed(streams).with_protocol(protocol);
        reader.later(DAY * 250);
        reader.post("long after");
        reader.sim.with_tenant(|tenant| tenant.expire_all_delta());
        let run = reader.read();
        reader.assert_complete();
        assert_eq!((run.request_count(Class::Delta), run.request_count(Class::Messages)), (1, 1), "delta does not reach back so far");
        reader.later(HOUR);
        change(&reader);
        assert_eq!(reader.read().requests(Class::Delta)[0].page, PageKind::First, "and starts after the walk");
        reader.assert_complete();
    }
}

#[test]
fn a_warning_is_logged_once_per_run_for_any_number_of_channels() {
    for protocol in BOTH {
        let mut reader = Reader::new(Options::new(spec(6, 10)).manual_clock()).with_protocol(protocol);
        for _ in 0..2 {
            reader.read();
            reader.later(HOUR);
        }
        reader.sim.with_tenant(|tenant| tenant.expire_all_delta());
        let run = reader.read();
        assert_eq!((run.journal.count_status(Class::Delta, 410), run.warnings("Graph rejected the delta token").len()), (6, 1));
        reader.later(HOUR);
        for channel in reader.channels() {
            reader.sim.with_tenant(|tenant| tenant.set_delta_support(&channel, DeltaSupport::NotSupported)).unwrap();
        }
        let run = reader.read();
        assert_eq!((run.journal.count_status(Class::Delta, 400), run.warnings("Graph refuses delta queries").len()), (6, 1));
        reader.assert_complete();
    }
}

#[test]
fn a_channel_that_refuses_delta_and_everything_else_is_a_refused_parent() {
    let mut reader = Reader::new(Options::new(spec(2, 30)).manual_clock()).streams(&[MESSAGES]);
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    let channel = reader.channel();
    let state = reader.state(MESSAGES, &channel)["readAt"].clone();
    reader.sim.with_tenant(|tenant| tenant.block_channel(&channel, Block::forbidden())).unwrap();
    let run = reader.read();
    assert!(run.warnings(&channel).iter().any(|warning| warning.contains("403")), "{:?}", run.warnings(""));
    assert_eq!(reader.state(MESSAGES, &channel)["readAt"], state);
    reader.sim.with_tenant(|tenant| tenant.block_channel(&channel, None)).unwrap();
    change(&reader);
    reader.read();
    reader.assert_complete();
    assert_ne!(reader.state(MESSAGES, &channel)["readAt"], Value::Null);
    assert_eq!(reader.state(MESSAGES, &channel)["walk"], json!(null));
}
