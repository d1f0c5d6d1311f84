//! States that cannot be taken, states that platforms have changed on their way, and what is said of each.

use graph_sim::Class;
use serde_json::{Map, Value, json};

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, Run, reader};
use crate::support::Protocol;

/// A reader with a state of its own.
fn known(protocol: Protocol) -> Reader {
    let mut reader = reader(10).speaking(protocol);
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    reader
}

/// What the run said as its reason to fail.
fn reason(run: &Run) -> String {
    match run.output.protocol {
        Protocol::Airbyte => {
            let [(kind, _, sentence)] = run.output.errors()[..] else { panic!("{:?}", run.output.messages) };
            assert_eq!(kind, "config_error");
            sentence.to_owned()
        }
        _ => run.output.critical().to_owned(),
    }
}

#[test]
fn a_state_that_is_of_another_kind_or_damaged_names_its_key_before_any_request() {
    for (protocol, stream) in [(Protocol::Airbyte, MESSAGES), (Protocol::Singer, REPLIES)] {
        let mut reader = known(protocol);
        let good = reader.states.clone();
        let key = reader.key(&reader.channel());
        let channel = |of: Value| json!({"version": 1, "channels": {&key: of}});
        let walk = |walk: Value| channel(json!({"walk": walk}));
        let cases = [
            (json!({"version": 1, "tenant": "fabrikam.com", "channels": {}}), "`tenant`"),
            (json!({"version": 2, "channels": {}}), "`version`"),
            (json!({"version": "1", "channels": {}}), "`version`"),
            (json!({"channels": {}}), "`version`"),
            (json!({"version": 1, "channels": [1]}), "`channels`"),
            (channel(json!("2026")), &*format!("`channels.{key}`")),
            (channel(json!({"readAt": "yesterday"})), &format!("`channels.{key}.readAt`")),
            (channel(json!({"lastModifiedDateTime": 5})), &format!("`channels.{key}.lastModifiedDateTime`")),
            (channel(json!({"deltaLink": {}})), &format!("`channels.{key}.deltaLink`")),
            (channel(json!({"delta": {"round": {"link": "/v1.0/teams"}}})), &format!("`channels.{key}.delta.round")),
            (walk(json!({"link": null})), &format!("`channels.{key}.walk")),
            (walk(json!({"floor": -1})), &format!("`channels.{key}.walk.floor`")),
        ];
        for (state, named) in cases {
            reader.states = good.clone();
            reader.states.insert(stream.to_owned(), state.clone());
            let run = reader.run();
            let reason = reason(&run);
            assert_eq!((run.output.status, run.journal.total(), run.told_in_all()), (Some(1), 0, 0), "{state}: {reason}");
            assert!(reason.contains(named) && reason.contains(stream) && reason.contains("state.json"), "{state}: {reason}");
        }
    }
}

#[test]
fn a_state_of_a_stream_that_is_not_selected_is_not_looked_at_and_singer_tells_it_again() {
    for protocol in BOTH {
        let mut reader = known(protocol).streams(&[MESSAGES]);
        let damaged = json!({"version": 99, "channels": "none"});
        reader.states.insert(REPLIES.to_owned(), damaged.clone());
        reader.states.insert("chats".to_owned(), damaged.clone());
        let run = reader.read();
        assert_eq!(run.told_in_all(), 0);
        for state in run.output.all("STATE") {
            match protocol {
                Protocol::Airbyte => assert_eq!(state["state"]["stream"]["stream_descriptor"]["name"], MESSAGES),
                _ => assert_eq!((&state["value"]["bookmarks"][REPLIES], &state["value"]["bookmarks"]["chats"]), (&damaged, &damaged)),
            }
        }
    }
}

#[test]
fn the_tenant_may_be_written_in_capitals() {
    let mut reader = known(Protocol::Airbyte);
    let tenant = reader.states[MESSAGES]["tenant"].as_str().unwrap().to_uppercase();
    for stream in [MESSAGES, REPLIES] {
        reader.states[stream]["tenant"] = tenant.clone().into();
    }
    assert_eq!(reader.read().told_in_all(), 0);
}

/// Merges as Meltano does: objects key by key, all else as it comes.
fn merge(old: &mut Value, new: &Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                merge(old.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (old, new) => *old = new.clone(),
    }
}

#[test]
fn a_deep_merge_of_states_after_a_full_refresh_does_no_harm() {
    // The old state in all its forms: idle with delta, in the midst of a walk, of a round, refused.
    for form in 0..4 {
        let mut reader = reader(24).speaking(Protocol::Singer).with(json!({"top": 4}));
        let channel = reader.channel();
        if form == 1 {
            reader.fail_at(3);
        } else {
            for _ in 0..2 {
                reader.read();
                reader.later(HOUR);
            }
            reader.roots().iter().for_each(|root| reader.edit(root, "changed"));
        }
        match form {
            2 => _ = reader.run_until(|request| request.class == Class::Delta && request.class_number == 2, "TERM"),
            3 => {
                reader.sim.with_tenant(|tenant| tenant.set_delta_support(&channel, graph_sim::DeltaSupport::NotSupported)).unwrap();
                reader.read();
            }
            _ => {}
        }
        let mut old = Value::Object(std::mem::take(&mut reader.states));

        // `--full-refresh`: no state is given, and what comes of it is merged into the old one.
        reader.later(HOUR);
        reader.sim.with_tenant(|tenant| tenant.expire_links());
        let run = reader.read();
        assert_eq!(run.told(MESSAGES), 24);
        let new = Value::Object(reader.states.clone());
        merge(&mut old, &new);
        for stream in [MESSAGES, REPLIES] {
            assert_eq!(old[stream]["channels"], new[stream]["channels"], "form {form}: nothing of the old state shines through");
        }
        reader.states = old.as_object().unwrap().clone();
        reader.later(HOUR);
        let changed = reader.roots().pop().unwrap();
        reader.edit(&changed, "since then");
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!((run.told(MESSAGES), run.warnings("token").len()), (1, 0), "form {form}");
        reader.assert_complete();
        reader.later(DAY);
        assert_eq!(reader.read().told_in_all(), 0);
    }
}

#[test]
fn every_state_may_be_merged_into_the_one_before() {
    let mut reader = reader(24).speaking(Protocol::Singer).with(json!({"top": 4, "max_pages_per_batch": 1}));
    let mut kept = Value::Object(Map::new());
    for turn in 0..6 {
        reader.states = kept.as_object().unwrap().clone();
        if turn % 2 == 0 {
            // A target sends no state on while the run lasts longer than it.
            reader.sim.inject(
                graph_sim::Rule::new(graph_sim::Fault::throttled(graph_sim::RetryAfter::Seconds(7200))).class(Class::Messages).nth(4),
            );
        }
        reader.run();
        reader.sim.clear_faults();
        merge(&mut kept, &Value::Object(reader.states.clone()));
        reader.roots().iter().skip(turn).step_by(2).for_each(|root| reader.edit(root, "changed"));
        reader.later(HOUR);
    }
    reader.states = kept.as_object().unwrap().clone();
    reader.read();
    reader.assert_complete();
}

#[test]
fn states_count_the_records_of_their_stream_since_the_state_before() {
    let mut reader = reader(40).with(json!({"top": 4, "max_pages_per_batch": 1}));
    for turn in 0..3 {
        let run = reader.read();
        for stream in [MESSAGES, REPLIES] {
            let (mut since, mut states) = (0, 0);
            for message in &run.output.messages {
                let state = &message["state"];
                if message["record"]["stream"] == stream {
                    since += 1;
                } else if state["stream"]["stream_descriptor"]["name"] == stream {
                    assert_eq!(
                        (state["type"].as_str(), state["sourceStats"]["recordCount"].as_f64()),
                        (Some("STREAM"), Some(f64::from(since)))
                    );
                    since = 0;
                    states += 1;
                }
            }
            assert_eq!(since, 0, "the last state covers all");
            assert!(states > usize::from(turn == 0), "{stream}: {states} states");
        }
        reader.edit(&reader.roots()[30], "changed");
        reader.later(HOUR);
    }
}
