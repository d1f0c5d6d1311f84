//! Incremental reads: their Airbyte catalog, the state that a platform passes to the next run, and sequences of runs.

use std::collections::BTreeMap;

use graph_sim::GraphSim;
use serde_json::{Value, json};

use super::{
    ALL, Output, Protocol, Tap,
    truth::{self, Table},
};

/// A stream of a configured catalog in incremental mode.
pub fn configured(name: &str) -> Value {
    json!({"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
        "sync_mode": "incremental", "cursor_field": ["lastModifiedDateTime"], "destination_sync_mode": "append_dedup"})
}

pub fn read(tap: &Tap, streams: &[&str], state: Option<&Value>) -> Output {
    let streams: Vec<_> = streams.iter().map(|name| configured(name)).collect();
    tap.file("catalog.json", json!({"streams": streams}).to_string());
    tap.file("state.json", state.unwrap_or(&json!([])).to_string());
    tap.run(&["read", "--config", "config.json", "--catalog", "catalog.json", "--state", "state.json"])
}

/// The state that a platform keeps after a run: the last state of each stream.
pub fn state(output: &Output) -> Value {
    let mut states: Vec<&Value> = Vec::new();
    for state in output.all("STATE").map(|message| &message["state"]) {
        states.retain(|other| other["stream"]["stream_descriptor"] != state["stream"]["stream_descriptor"]);
        states.push(state);
    }
    json!(states)
}

/// A sequence of runs of one configuration, each with the state of the previous one, and the rows of the destination.
pub struct Runs {
    tap: Tap,
    protocol: Protocol,
    state: Option<Value>,
    rows: BTreeMap<&'static str, Table>,
}

impl Runs {
    pub fn new(tap: Tap, protocol: Protocol) -> Self {
        Self { tap, protocol, state: None, rows: BTreeMap::new() }
    }

    pub fn run(&mut self) -> Output {
        let output = match (self.protocol, &self.state) {
            (Protocol::Airbyte, state) => read(&self.tap, &ALL, state.as_ref()),
            (_, Some(state)) => self.tap.sync_state(state),
            (_, None) => self.tap.sync(&[]),
        };
        for stream in ALL {
            self.rows.entry(stream).or_default().extend(output.table(stream));
        }
        if output.all("STATE").next().is_some() {
            self.state = Some(if self.protocol == Protocol::Airbyte { state(&output) } else { output.last_state().clone() });
        }
        output
    }

    /// The rows of the destination equal the tenant.
    #[track_caller]
    pub fn assert_complete(&self, sim: &GraphSim) {
        let truth = sim.truth();
        for stream in ALL {
            truth::assert_equal(stream, &self.rows[stream], &truth::table(&truth, stream));
        }
    }
}
