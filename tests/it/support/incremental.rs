//! Incremental reads as an Airbyte source: the catalog that asks for them, and the state that a platform hands back.

use serde_json::{Value, json};

use super::{Output, Tap};

/// A stream of a configured catalog that is read incrementally where it can be.
pub fn configured(name: &str) -> Value {
    json!({"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
        "sync_mode": "incremental", "cursor_field": ["lastModifiedDateTime"], "destination_sync_mode": "append_dedup"})
}

/// Reads these streams on from a state.
pub fn read(tap: &Tap, streams: &[&str], state: Option<&Value>) -> Output {
    let streams: Vec<_> = streams.iter().map(|name| configured(name)).collect();
    tap.file("catalog.json", json!({"streams": streams}).to_string());
    tap.file("state.json", state.unwrap_or(&json!([])).to_string());
    tap.run(&["read", "--config", "config.json", "--catalog", "catalog.json", "--state", "state.json"])
}

/// The state that a platform keeps of a run: the last of each stream.
pub fn state(output: &Output) -> Value {
    let mut states: Vec<&Value> = Vec::new();
    for state in output.all("STATE").map(|message| &message["state"]) {
        states.retain(|other| other["stream"]["stream_descriptor"] != state["stream"]["stream_descriptor"]);
        states.push(state);
    }
    json!(states)
}
