//! What Singer's messages and log lines say beside records.

use serde_json::{Value, json};

use super::{Output, Tap};

impl Output {
    /// The schema of a stream that was told.
    pub fn schema(&self, stream: &str) -> &Value {
        &self.all("SCHEMA").find(|message| message["stream"] == stream).unwrap_or_else(|| panic!("no schema of {stream}"))["schema"]
    }

    /// The streams whose schemas were told, in order.
    pub fn streams(&self) -> Vec<&str> {
        self.all("SCHEMA").map(|message| message["stream"].as_str().unwrap()).collect()
    }

    /// The properties that a stream's schema declares.
    pub fn columns(&self, stream: &str) -> Vec<&str> {
        self.schema(stream)["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// What the last state holds.
    pub fn last_state(&self) -> &Value {
        &self.all("STATE").last().unwrap()["value"]
    }

    /// The plain log lines of a level, without it.
    pub fn said(&self, level: &str) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.strip_prefix(level)?.strip_prefix(' ')).collect()
    }

    /// Why the run failed: the last line on stderr, and the only one of its kind.
    pub fn critical(&self) -> &str {
        let critical = self.said("CRITICAL");
        assert_eq!(
            (critical.len(), self.stderr.lines().last().unwrap().strip_prefix("CRITICAL ")),
            (1, Some(critical[0])),
            "{}",
            self.stderr
        );
        critical[0]
    }

    /// The messages without the one value that differs from run to run.
    pub fn timeless(&self) -> Vec<Value> {
        let mut messages = self.messages.clone();
        for message in &mut messages {
            message.as_object_mut().unwrap().remove("time_extracted");
        }
        messages
    }

    /// Schemas and records in one order, and the last state: channels are read side by side, in an order that is a matter of chance, and so
    /// are the states in between.
    pub fn told(&self) -> (Vec<String>, Value) {
        let lines = self.timeless().into_iter().filter(|message| message["type"] != "STATE").map(|message| message.to_string());
        let mut lines: Vec<_> = lines.collect();
        lines.sort_unstable();
        (lines, self.last_state().clone())
    }
}

impl Tap {
    /// What `--discover` tells.
    pub fn catalog(&self) -> Value {
        let finished = self.execute(&["--config", "config.json", "--discover"], &[]);
        assert_eq!(finished.status, Some(0), "{}", finished.stderr);
        serde_json::from_str(&finished.stdout).unwrap()
    }

    /// Syncs with this catalog.
    pub fn sync_catalog(&self, catalog: &Value, arguments: &[&str]) -> Output {
        self.file("catalog.json", catalog.to_string());
        self.sync(&[&["--catalog", "catalog.json"], arguments].concat())
    }

    /// Syncs with this state.
    pub fn sync_state(&self, state: &Value) -> Output {
        self.file("state.json", state.to_string());
        self.sync(&["--state", "state.json"])
    }
}

/// The metadata of a stream in a catalog at that path: the stream itself, a column, a property of a column.
pub fn metadata<'c>(catalog: &'c mut Value, stream: &str, path: &[&str]) -> &'c mut Value {
    let breadcrumb: Vec<_> = path.iter().flat_map(|name| ["properties", name]).collect();
    let entries = entry(catalog, stream)["metadata"].as_array_mut().unwrap();
    let entry = entries.iter_mut().find(|entry| entry["breadcrumb"] == json!(breadcrumb));
    &mut entry.unwrap_or_else(|| panic!("no metadata of {stream} {path:?}"))["metadata"]
}

/// The entry of a stream in a catalog.
pub fn entry<'c>(catalog: &'c mut Value, stream: &str) -> &'c mut Value {
    catalog["streams"].as_array_mut().unwrap().iter_mut().find(|entry| entry["tap_stream_id"] == stream).unwrap()
}

/// The catalog with these streams selected, as Meltano writes it, and no other.
pub fn select(mut catalog: Value, streams: &[&str]) -> Value {
    for entry in catalog["streams"].as_array_mut().unwrap() {
        let selected = streams.iter().any(|stream| entry["tap_stream_id"] == *stream);
        entry["selected"] = selected.into();
        for metadata in entry["metadata"].as_array_mut().unwrap() {
            metadata["metadata"]["selected"] = selected.into();
        }
    }
    catalog
}
