//! Options that change between runs: what is missing is read once.

use std::{collections::BTreeSet, time::Duration};

use graph_sim::{Class, Time};
use serde_json::json;

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, reader};
use crate::support::truth::{self, Table};

/// The modification time of a row.
fn modified(row: &crate::support::expect::Fields) -> Time {
    let times = ["lastModifiedDateTime", "lastEditedDateTime", "deletedDateTime"];
    times.iter().filter_map(|name| Time::parse(row[*name].trim_matches('"'))).max().unwrap()
}

/// The keys of the tenant's messages that were modified at or after this time.
fn keys_since(reader: &Reader, stream: &'static str, since: Time) -> BTreeSet<Vec<String>> {
    // Times of the simulator have one digit more than the columns.
    let truth: Table = truth::table(&reader.sim.truth(), stream);
    truth.into_iter().filter(|(_, row)| modified(row) >= since).map(|(key, _)| key).collect()
}

fn keys(table: &Table) -> BTreeSet<Vec<String>> {
    table.keys().cloned().collect()
}

#[test]
fn an_earlier_start_date_reads_the_missing_messages_once() {
    for protocol in BOTH {
        let mut reader = reader(60).with_protocol(protocol);
        let now = reader.sim.clock().now();
        let dates = [now.minus(DAY * 100), now.minus(DAY * 400)];
        for since in dates.into_iter().map(Some).chain([None]) {
            reader.set(json!({"start_date": since.map(|since| since.to_string())}));
            let run = reader.read();
            for stream in [MESSAGES, REPLIES] {
                let expected = keys_since(&reader, stream, since.unwrap_or(Time::MIN));
                assert_eq!(keys(&reader.rows[stream]), expected, "{stream} since {since:?}");
                // Also the messages above the gap: they may have been changed while they were in the gap, without ever being emitted.
                assert_eq!(run.emitted(stream), expected.len(), "{stream} since {since:?}: each once");
            }
            reader.later(HOUR);
            let run = reader.read();
            assert_eq!((run.emitted_total(), run.request_count(Class::Messages)), (0, 1), "since {since:?}: nothing is missing any more");
            reader.later(HOUR);
        }
        reader.assert_complete();
    }
}

#[test]
fn changes_during_the_catch_up_with_an_earlier_start_date_are_emitted() {
    let mut reader = reader(60).with(json!({"top": 4, "start_date": "2024-09-03"}));
    reader.read();
    reader.later(DAY);
    reader.set(json!({"start_date": null}));
    let (recent, old) = (reader.roots().swap_remove(2), reader.roots().pop().unwrap());
    reader.edit(&recent, "since the last run");
    // The walk through the gap is interrupted and resumed days later.
    reader.fail_at(5);
    reader.later(DAY * 3);
    reader.edit(&old, "meanwhile");
    let new = reader.post("new");
    reader.later(HOUR);
    reader.read();
    reader.later(HOUR);
    assert_eq!(reader.read().emitted_total(), 0);
    reader.assert_complete();
    assert!(reader.rows[MESSAGES].contains_key(&vec![new.channel.clone(), new.id_text()]));
}

#[test]
fn a_gap_below_an_unfinished_walk_is_read_too() {
    let mut reader = reader(60).with(json!({"top": 4, "start_date": "2024-06-03"}));
    reader.fail_at(2);
    reader.later(HOUR);
    reader.set(json!({"start_date": "2023-01-04"}));
    reader.read();
    reader.later(HOUR);
    reader.read();
    let since = Time::parse("2023-01-04T00:00:00Z").unwrap();
    for stream in [MESSAGES, REPLIES] {
        assert_eq!(keys(&reader.rows[stream]), keys_since(&reader, stream, since), "{stream}");
    }
}

#[test]
fn a_later_start_date_loses_nothing() {
    for protocol in BOTH {
        let mut reader = reader(24).with_protocol(protocol).with(json!({"use_delta_api": false}));
        reader.read();
        reader.later(HOUR);
        let old = reader.roots().pop().unwrap();
        reader.edit(&old, "after the last run, before the new start date");
        reader.later(DAY);
        reader.set(json!({"start_date": reader.sim.clock().now().to_string()}));
        let run = reader.read();
        assert!(run.emits(&old), "what is known of the channel counts, not the date of a first sync");
        reader.assert_complete();
        // With the earlier date again, nothing is missing.
        reader.set(json!({"start_date": null}));
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
    }
}

#[test]
fn an_earlier_start_date_completes_a_configured_thread() {
    let mut reader = reader(1).streams(&[REPLIES]).with(json!({"fetch_all_messages": false}));
    let root = reader.post("a thread");
    let early = reader.reply(&root, "early");
    reader.later(DAY);
    let now = reader.sim.clock().now();
    let late = reader.reply(&root, "late");
    reader.set(json!({"message_id": root.id_text(), "start_date": now.to_string()}));
    reader.later(HOUR);
    let run = reader.read();
    assert_eq!((run.emitted(REPLIES), run.emits(&late)), (1, true));
    reader.later(HOUR);
    reader.set(json!({"start_date": null}));
    let run = reader.read();
    assert_eq!((run.emitted(REPLIES), run.emits(&early)), (2, true));
    reader.later(HOUR);
    assert_eq!(reader.read().emitted(REPLIES), 0);
}

#[test]
fn delta_can_be_turned_off_and_on_again() {
    for streams in [&[MESSAGES, REPLIES][..], &[MESSAGES]] {
        let mut reader = reader(30).streams(streams);
        for use_delta_api in [true, true, false, false, true, true, false, true] {
            reader.set(json!({"use_delta_api": use_delta_api}));
            let root = reader.post("new");
            reader.reply(&root, "with a reply");
            reader.edit(&reader.roots()[25], "an old one");
            reader.later(HOUR);
            let run = reader.read();
            assert!(use_delta_api || run.request_count(Class::Delta) == 0);
            reader.assert_complete();
            reader.later(DAY / 2);
        }
        reader.later(Duration::from_secs(1));
        let run = reader.read();
        assert_eq!(run.request_count(Class::Delta), 1);
    }
}

#[test]
fn options_of_one_stream_affect_only_that_stream() {
    let now = reader(0).sim.clock().now();
    let mut reader = reader(60).with(json!({"stream_options": {"messages": {"start_date": now.minus(DAY * 30).to_string()}}}));
    reader.read();
    assert_eq!(keys(&reader.rows[MESSAGES]), keys_since(&reader, MESSAGES, now.minus(DAY * 30)));
    assert_eq!(keys(&reader.rows[REPLIES]), keys_since(&reader, REPLIES, Time::MIN));
    reader.later(HOUR);
    assert_eq!(reader.read().emitted_total(), 0);
}
