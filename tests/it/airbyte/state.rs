//! `--state`: every unusual form from platforms, PyAirbyte or users.

use std::collections::{BTreeSet, HashMap};

use graph_sim::GraphSim;
use serde_json::{Value, json};

use crate::support::{ALL, Output, Tap, config, configured, everything, incremental, tenant};

/// A state that PyAirbyte passed in its second run: nulls everywhere, and the key `global_` twice in one object.
const PYAIRBYTE_STATE: &str = r#"[{"type": "STREAM", "stream": {"stream_descriptor": {"name": "messages", "namespace": null}, "stream_state": {"version": 1}},
    "global_": null, "data": null, "sourceStats": {"recordCount": 3.0, "rejectedRecordCount": null}, "destinationStats": null, "global_": null},
    {"type": "STREAM", "stream": {"stream_descriptor": {"name": "chats", "namespace": null}, "stream_state": {"cursor": "x"}}, "data": null, "global_": null}]"#;

struct Reading {
    _sim: graph_sim::GraphSim,
    tap: Tap,
}

fn reading() -> Reading {
    let sim = tenant(1, 1, 3);
    let tap = Tap::new(&config(&sim, everything()));
    let streams = ["teams", "messages", "message_replies"].map(configured);
    tap.file("catalog.json", json!({"streams": streams}).to_string());
    Reading { _sim: sim, tap }
}

impl Reading {
    fn read(&self, state: &str) -> Output {
        self.tap.file("state.json", state);
        self.tap.run(&["read", "--config", "config.json", "--catalog", "catalog.json", "--state", "state.json"])
    }
}

#[test]
fn an_empty_state_has_many_forms() {
    let reading = reading();
    let without = reading.tap.run(&["read", "--config", "config.json", "--catalog", "catalog.json"]);
    for state in ["", "  \n", "null", "{}", "[]", "false", "\u{feff}[]\r\n"] {
        let output = reading.read(state);
        assert_eq!((output.status, output.counts()), (Some(0), without.counts()), "{state:?}: {:?}", output.errors());
        assert!(output.logs("WARN").is_empty(), "{state:?}");
    }
}

#[test]
fn the_state_from_pyairbyte_is_accepted_and_other_streams_are_not_emitted() {
    let output = reading().read(PYAIRBYTE_STATE);
    assert_eq!((output.status, output.logs("WARN").len()), (Some(0), 0), "{:?}", output.errors());
    let of_streams: BTreeSet<_> =
        output.all("STATE").map(|message| message["state"]["stream"]["stream_descriptor"]["name"].as_str().unwrap()).collect();
    assert_eq!(of_streams.len(), 3);
    assert!(output.lines.iter().all(|line| !line.contains("chats")));
}

#[test]
fn legacy_and_global_states_are_accepted() {
    let reading = reading();
    let stream = |name: &str, state: Value| json!({"stream_descriptor": {"name": name}, "stream_state": state});
    let forms = [
        (json!([{"type": "LEGACY", "data": {"messages": {"cursor": "2026"}}}]), 1),
        (json!([{"data": {"messages": {}}}]), 1),
        (json!({"messages": {"cursor": "2026"}}), 1),
        (
            json!([{"type": "GLOBAL", "global": {"shared_state": {"a": 1}, "stream_states": [stream("messages", json!({"version": 1}))]}}]),
            0,
        ),
        (json!([{"type": "STREAM", "stream": stream("teams", json!({"__ab_no_cursor_state_message": true}))}]), 0),
        (
            json!([{"type": "STREAM", "stream": stream("messages", json!(null))}, {"type": "STREAM", "stream": stream("teams", json!({}))}]),
            0,
        ),
    ];
    for (form, warnings) in forms {
        let output = reading.read(&form.to_string());
        assert_eq!((output.status, output.logs("WARN").len()), (Some(0), warnings), "{form}: {:?}", output.logs("WARN"));
        assert_eq!(output.records("messages").count(), 3);
    }
}

#[test]
fn stream_states_inside_a_global_state_are_resumed() {
    let (_sim, tap, state) = read_once();
    let streams: Vec<_> = state.as_array().unwrap().iter().map(|state| state["stream"].clone()).collect();
    let global = json!([{"type": "GLOBAL", "global": {"shared_state": null, "stream_states": streams}}]);
    assert_eq!(incremental::read(&tap, &ALL[3..], Some(&global)).counts(), HashMap::new());
}

#[test]
fn a_second_read_emits_nothing_old_and_a_state_of_each_stream() {
    let (_sim, tap, state) = read_once();
    let output = incremental::read(&tap, &ALL[3..], Some(&state));
    assert_eq!((output.status, output.counts()), (Some(0), HashMap::new()), "{:?}", output.errors());
    assert_eq!(incremental::state(&output).as_array().unwrap().len(), 2);
}

#[test]
fn cursors_in_the_far_future_emit_no_records_and_a_state() {
    for future in ["2999-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z"] {
        assert_reads_nothing_since(future);
    }
}

fn assert_reads_nothing_since(future: &str) {
    let (_sim, tap, mut state) = read_once();
    for stream in state.as_array_mut().unwrap() {
        for group in stream["stream"]["stream_state"]["partitions"].as_array_mut().unwrap() {
            for channel in group["entries"].as_array_mut().unwrap() {
                for cursor in ["lastModifiedDateTime", "readAt"] {
                    channel[cursor] = future.into();
                }
            }
        }
    }
    let output = incremental::read(&tap, &ALL[3..], Some(&state));
    assert_eq!((output.status, output.counts()), (Some(0), HashMap::new()), "{:?}", output.errors());
    assert_eq!(incremental::state(&output).as_array().unwrap().len(), 2);
}

/// A tenant whose two message streams were read once, and the state of that run.
fn read_once() -> (GraphSim, Tap, Value) {
    let sim = tenant(2, 2, 30);
    let tap = Tap::new(&config(&sim, everything()));
    let output = incremental::read(&tap, &ALL[3..], None);
    assert_eq!(output.counts()["messages"], 120);
    (sim, tap, incremental::state(&output))
}

#[test]
fn states_are_accepted_line_by_line_or_as_a_list() {
    let reading = reading();
    let first = reading.read("[]");
    let states: Vec<_> = first.all("STATE").map(|message| message["state"].clone()).collect();
    let list = reading.read(&json!(states).to_string());
    let messages: Vec<_> = first.all("STATE").cloned().collect();
    let lines = reading.read(&json!(messages).to_string());
    for output in [list, lines] {
        assert_eq!((output.status, output.logs("WARN").len()), (Some(0), 0), "{:?}", output.errors());
        assert!(output.all("STATE").count() >= 3);
    }
}

#[test]
fn a_stream_without_records_emits_its_state_and_completes() {
    let sim = GraphSim::start(graph_sim::Options::new(graph_sim::TenantSpec::empty())).unwrap();
    let output = Tap::new(&config(&sim, everything())).read(&ALL);
    assert_eq!((output.status, output.counts()), (Some(0), HashMap::new()));
    for stream in ALL {
        assert_eq!(output.statuses(stream), ["STARTED", "RUNNING", "COMPLETE"]);
    }
    assert_eq!(output.all("STATE").count(), 5);
}
