//! Invalid states, states changed by platforms, and the messages about them.

use chrono::DateTime;
use graph_sim::Class;
use scenario::states;
use serde_json::{Map, Value, json};

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, Run, reader};
use crate::support::Protocol;

/// A reader with a state.
fn known(protocol: Protocol) -> Reader {
    let mut reader = reader(10).with_protocol(protocol);
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    reader
}

/// The message with which the run failed.
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
fn a_damaged_state_is_reported_with_its_key_before_any_request() {
    for (protocol, stream) in [(Protocol::Airbyte, MESSAGES), (Protocol::Singer, REPLIES)] {
        let mut reader = known(protocol);
        let good = reader.states.clone();
        let key = reader.key(&reader.channel());
        let cases = [
            (json!({"version": 1, "tenant": "fabrikam.com", "channels": {}}), "`tenant`".to_owned()),
            (
                json!({"version": 1, "tenant": good[stream]["tenant"], "channels": {&key: {"readAt": "yesterday"}}}),
                format!("`channels.{key}.readAt`"),
            ),
            (json!({"version": 2, "tenant": 5, "partitions": []}), "`tenant`".to_owned()),
            (json!({"version": 3}), "`version`".to_owned()),
            (json!({"lastModifiedDateTime": "2026-11-20T10:00:00Z"}), "`version`".to_owned()),
        ];
        for (state, named) in cases {
            reader.states = good.clone();
            reader.states.insert(stream.to_owned(), state.clone());
            let run = reader.run();
            let reason = reason(&run);
            assert_eq!((run.output.status, run.journal.total(), run.emitted_total()), (Some(1), 0, 0), "{state}: {reason}");
            assert!(reason.contains(&named) && reason.contains(stream) && reason.contains("state.json"), "{state}: {reason}");
        }
    }
}

#[test]
fn the_state_of_an_unselected_stream_is_not_parsed_and_singer_repeats_it() {
    for protocol in BOTH {
        let mut reader = known(protocol).streams(&[MESSAGES]);
        let damaged = json!({"version": 99, "partitions": "none"});
        reader.states.insert(REPLIES.to_owned(), damaged.clone());
        reader.states.insert("chats".to_owned(), damaged.clone());
        let run = reader.read();
        assert_eq!(run.emitted_total(), 0);
        for state in run.output.all("STATE") {
            match protocol {
                Protocol::Airbyte => assert_eq!(state["state"]["stream"]["stream_descriptor"]["name"], MESSAGES),
                _ => assert_eq!((&state["value"]["bookmarks"][REPLIES], &state["value"]["bookmarks"]["chats"]), (&damaged, &damaged)),
            }
        }
    }
}

#[test]
fn the_tenant_id_may_be_in_capitals() {
    let mut reader = known(Protocol::Airbyte);
    let tenant = reader.states[MESSAGES]["tenant"].as_str().unwrap().to_uppercase();
    for stream in [MESSAGES, REPLIES] {
        reader.states[stream]["tenant"] = tenant.clone().into();
    }
    assert_eq!(reader.read().emitted_total(), 0);
}

/// The state in version 1.
fn as_version_1(state: &Value) -> Value {
    let time =
        |time: &Value| time.as_i64().map_or(time.clone(), |seconds| DateTime::from_timestamp(seconds, 0).unwrap().to_rfc3339().into());
    let channels: Map<_, _> = states::entries(state)
        .map(|(key, entry)| {
            let (team, channel) = key.split_once('/').unwrap();
            let link = |link: &Value| match link.as_str() {
                Some(link) if link.starts_with('/') => link.into(),
                Some(link) => format!("/v1.0/teams/{team}/channels/{channel}/{}", link.trim_start_matches(['(', '%', ')'])).into(),
                None => Value::Null,
            };
            let walk = &entry["walk"];
            let walk = walk.is_object().then(|| json!({"link": link(&walk["link"]), "head": walk["head"], "readAt": time(&walk["readAt"]),
                "owed": walk["owed"], "until": walk["until"], "floor": walk["floor"], "began": time(&walk["began"])}));
            let round = &entry["deltaRound"];
            let round = round.is_object().then(|| json!({"link": link(&round["link"]), "at": time(&round["at"])}));
            let delta = json!({"round": round, "refusedAt": time(&entry["deltaRefusedAt"])});
            let since = if entry["since"].is_null() { &state["since"][0] } else { &entry["since"] };
            let channel = json!({"lastModifiedDateTime": entry["lastModifiedDateTime"], "readAt": time(&entry["readAt"]), "since": since,
                "walk": walk, "deltaLink": link(&entry["deltaLink"]), "deltaAt": time(&entry["deltaAt"]), "delta": delta, "damage": entry["damage"]});
            (key, channel)
        })
        .collect();
    json!({"version": 1, "tenant": state["tenant"], "full": state["full"].get(1).map(time), "channels": channels})
}

/// States of a reader in all forms: idle with delta, during a walk, during a round, with delta refused, during a full refresh.
fn forms() -> [fn(&mut Reader); 5] {
    [
        |reader| reader.start_delta(),
        |reader| _ = reader.fail_at(3),
        |reader| {
            reader.start_delta();
            reader.roots().iter().for_each(|root| reader.edit(root, "changed"));
            reader.run_until(|request| request.class == Class::Delta && request.class_number == 2, "TERM");
        },
        |reader| {
            reader.read();
            let channel = reader.channel();
            reader.sim.with_tenant(|tenant| tenant.set_delta_support(&channel, graph_sim::DeltaSupport::NotSupported)).unwrap();
            reader.later(HOUR);
            reader.edit(&reader.roots()[3], "changed");
            reader.read();
        },
        |reader| {
            reader.full_refresh = true;
            reader.run_until(|request| request.class == Class::Messages && request.class_number == 3, "TERM");
            reader.full_refresh = false;
        },
    ]
}

#[test]
fn a_run_continues_from_a_state_of_version_1() {
    for protocol in BOTH {
        for form in forms() {
            let mut emitted = Vec::new();
            for is_old in [false, true] {
                let mut reader = reader(24).with_protocol(protocol).with(json!({"top": 4}));
                form(&mut reader);
                if is_old {
                    reader.states.values_mut().for_each(|state| *state = as_version_1(state));
                }
                reader.later(HOUR);
                reader.edit(&reader.roots()[20], "since then");
                let run = reader.read();
                reader.assert_complete();
                emitted.push((run.emitted(MESSAGES), run.emitted(REPLIES), run.message_requests()));
                assert!(reader.states.values().all(|state| state["version"] == 2));
            }
            assert_eq!(emitted[0], emitted[1]);
        }
    }
}

#[test]
fn a_state_merged_by_meltano_is_read_as_the_newer_one() {
    // For all pairs of states, in both versions; the second is never version 1, because nothing writes it any more.
    let states: Vec<_> = forms()
        .into_iter()
        .map(|form| {
            let mut reader = reader(24).with_protocol(Protocol::Singer).with(json!({"top": 4}));
            form(&mut reader);
            reader.states
        })
        .collect();
    let of_version_1 = states.iter().map(|streams| streams.iter().map(|(stream, state)| (stream.clone(), as_version_1(state))).collect());
    let old: Vec<Map<String, Value>> = states.iter().cloned().chain(of_version_1).collect();
    for (old, new) in old.iter().flat_map(|old| states.iter().map(move |new| (old, new))) {
        let mut merged = old.clone();
        states::merge(&mut merged, new).unwrap();
        for (stream, state) in new {
            for (key, value) in state.as_object().unwrap() {
                assert_eq!(&merged[stream][key], value, "{stream}: {key}");
            }
        }
        // Also in reverse: the reader decides by the version.
        states::merge(&mut new.clone(), old).unwrap();
    }
}

#[test]
fn a_full_refresh_merged_by_meltano_replaces_the_old_state() {
    for (turn, form) in forms().into_iter().enumerate() {
        let mut reader = reader(24).with_protocol(Protocol::Singer).with(json!({"top": 4}));
        form(&mut reader);
        let mut kept = std::mem::take(&mut reader.states);
        if turn % 2 == 0 {
            kept.values_mut().for_each(|state| *state = as_version_1(state));
        }
        // `--full-refresh`: no state is passed, and the resulting state is merged into the old one.
        reader.later(HOUR);
        reader.sim.with_tenant(|tenant| tenant.expire_links());
        assert_eq!(reader.read().emitted(MESSAGES), 24);
        states::merge(&mut kept, &reader.states).unwrap();
        reader.states = kept;
        reader.later(HOUR);
        reader.edit(&reader.roots().pop().unwrap(), "since then");
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!((run.emitted(MESSAGES), run.warnings("token").len()), (1, 0));
        reader.assert_complete();
        reader.later(DAY);
        assert_eq!(reader.read().emitted_total(), 0);
    }
}

#[test]
fn every_state_can_be_merged_into_the_previous_one() {
    let mut reader = reader(24).with_protocol(Protocol::Singer).with(json!({"top": 4, "max_pages_per_batch": 1}));
    let mut kept = Map::new();
    for turn in 0..6 {
        reader.states = kept.clone();
        if turn % 2 == 0 {
            // The target emits no state before the run ends.
            reader.sim.inject(
                graph_sim::Rule::new(graph_sim::Fault::throttled(graph_sim::RetryAfter::Seconds(7200))).class(Class::Messages).nth(4),
            );
        }
        reader.run();
        reader.sim.clear_faults();
        states::merge(&mut kept, &reader.states).unwrap();
        reader.roots().iter().skip(turn).step_by(2).for_each(|root| reader.edit(root, "changed"));
        reader.later(HOUR);
    }
    reader.states = kept;
    reader.read();
    reader.assert_complete();
}

#[test]
fn states_count_the_records_since_the_previous_state() {
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
