//! Replies that Graph does not expand in their root: silently truncated, or refused.

use graph_sim::{Class, Fault, MessageRef, Options, Overflow};
use serde_json::json;

use super::{BOTH, HOUR, MESSAGES, REPLIES, Reader, reader, spec};
use crate::support::{Tap, config};

/// A reader of one channel with threads of these lengths, the newest last, and this number of expanded replies.
fn with_threads(lengths: &[usize], expanded: usize, overflow: Overflow) -> (Reader, Vec<MessageRef>) {
    let reader = reader(0).with(json!({"use_delta_api": false}));
    reader.sim.switches(|switches| (switches.inline_replies, switches.overflow) = (expanded, overflow));
    let roots = lengths.iter().map(|length| {
        let root = reader.post("a thread");
        for number in 0..*length {
            reader.later(std::time::Duration::from_secs(1));
            reader.reply(&root, &format!("reply {number}"));
        }
        root
    });
    let roots = roots.collect();
    reader.later(HOUR);
    (reader, roots)
}

#[test]
fn a_truncated_thread_is_completed_however_graph_marks_it() {
    for overflow in [Overflow::CountAndLink, Overflow::Link, Overflow::CountOfAll, Overflow::Nothing, Overflow::NothingNowAndThen] {
        for protocol in BOTH {
            let (reader, roots) = with_threads(&[3, 90, 30, 31, 70, 12, 45], 30, overflow);
            let mut reader = reader.with_protocol(protocol);
            reader.read();
            reader.assert_complete();
            for root in &roots {
                reader.reply(root, "one more");
            }
            reader.later(HOUR);
            reader.read();
            reader.assert_complete();
        }
    }
}

#[test]
fn complete_threads_cost_few_requests_while_the_expansion_limit_is_unknown() {
    let (mut reader, _) = with_threads(&[19, 30, 25, 25, 20, 22, 40, 40, 35, 19], 200, Overflow::Nothing);
    // Starting with the newest: 35, which is then known to be complete, and 40.
    assert_eq!(reader.read().request_count(Class::Replies), 2);
    reader.assert_complete();
}

#[test]
fn shorter_threads_are_not_requested_when_truncated_ones_have_a_link() {
    let (mut reader, _) = with_threads(&[50, 40, 30, 210], 200, Overflow::CountAndLink);
    assert_eq!(reader.read().request_count(Class::Replies), 1);
    reader.assert_complete();
}

#[test]
fn a_thread_with_few_missing_replies_takes_few_requests() {
    let (mut reader, roots) = with_threads(&[230], 200, Overflow::CountAndLink);
    reader.read();
    reader.later(HOUR * 24 * 90);
    reader.reply(&roots[0], "revived after months");
    reader.later(HOUR);
    let run = reader.read();
    assert_eq!((run.request_count(Class::Replies), run.emitted_total()), (2, 1));
    reader.assert_complete();
}

#[test]
fn a_channel_that_refuses_to_expand_replies_is_read_thread_by_thread() {
    for protocol in BOTH {
        for streams in [&[MESSAGES, REPLIES][..], &[MESSAGES], &[REPLIES]] {
            let mut reader = reader(30).with_protocol(protocol).streams(streams).with(json!({"top": 7}));
            reader.sim.switches(|switches| switches.expands_replies = false);
            let run = reader.read();
            assert_eq!(run.warnings("reading each thread with a separate request").len(), 1);
            reader.assert_complete();
            let roots = reader.roots();
            reader.edit(&roots[25], "an old one");
            reader.reply(&roots[20], "an older one");
            reader.later(HOUR);
            reader.read();
            reader.assert_complete();
            reader.later(HOUR);
            let idle = reader.read();
            assert_eq!(idle.emitted_total(), 0);
            assert!(idle.message_requests() <= 8, "{} requests for an idle channel", idle.message_requests());
        }
    }
}

#[test]
fn a_walk_without_expanded_replies_that_is_interrupted_loses_nothing() {
    for page in [3, 6] {
        let mut reader = reader(30).with(json!({"top": 7, "max_pages_per_batch": 1}));
        reader.sim.switches(|switches| switches.expands_replies = false);
        reader.fail_at(page);
        reader.sim.switches(|switches| switches.expands_replies = true);
        reader.later(HOUR);
        reader.read();
        reader.assert_complete();
    }
}

#[test]
fn one_channel_that_refuses_to_expand_replies_does_not_slow_down_the_others() {
    let mut reader = Reader::new(Options::new(spec(3, 20)).manual_clock());
    let refuses = reader.channels().swap_remove(1);
    let channel = refuses.clone();
    reader.sim.on_request(move |request, _| {
        (request.channel() == Some(&channel) && request.query.contains("expand"))
            .then(|| Fault::graph(400, "BadRequest", "Query option 'Expand' is not allowed."))
    });
    let run = reader.read();
    reader.assert_complete();
    assert!(run.requests(Class::Replies).iter().all(|entry| entry.channel() == Some(&refuses)));
}

#[test]
fn check_and_plan_read_a_channel_that_refuses_to_expand_replies_like_a_run() {
    let reader = reader(10);
    reader.sim.switches(|switches| switches.expands_replies = false);
    let tap = Tap::new(&config(&reader.sim, reader.settings.clone()));
    let checked = tap.check();
    assert_eq!(checked.all("CONNECTION_STATUS").next().unwrap()["connectionStatus"]["status"], "SUCCEEDED");
    let planned = tap.execute(&["plan", "--config", "config.json"], &[]);
    assert_eq!(planned.status, Some(0), "{}", planned.stderr);
}

#[test]
fn a_message_without_a_modification_time_uses_its_creation_time() {
    for protocol in BOTH {
        for streams in [&[MESSAGES, REPLIES][..], &[MESSAGES]] {
            let mut reader = reader(60).with_protocol(protocol).streams(streams);
            reader.sim.switches(|switches| switches.unmodified_is_null = true);
            reader.read();
            reader.assert_complete();
            for _ in 0..3 {
                reader.later(HOUR);
                let idle = reader.read();
                assert!(idle.message_requests() <= 2, "{} requests", idle.message_requests());
            }
            reader.later(HOUR);
            assert_eq!(reader.read().emitted_total(), 0);
            let root = reader.roots().swap_remove(40);
            reader.edit(&root, "edited");
            reader.post("new");
            reader.reply(&root, "new");
            reader.later(HOUR);
            reader.read();
            reader.assert_complete();
        }
    }
}
