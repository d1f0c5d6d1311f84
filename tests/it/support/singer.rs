//! Accessors for Singer's messages and log lines, and for catalogs.

use serde_json::{Value, json};

use super::{Output, Tap};

impl Output {
    pub fn schema(&self, stream: &str) -> &Value {
        &self.all("SCHEMA").find(|message| message["stream"] == stream).unwrap_or_else(|| panic!("no schema of {stream}"))["schema"]
    }

    /// The streams with a SCHEMA message, in order.
    pub fn streams(&self) -> Vec<&str> {
        self.all("SCHEMA").map(|message| message["stream"].as_str().unwrap()).collect()
    }

    pub fn columns(&self, stream: &str) -> Vec<&str> {
        self.schema(stream)["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    }

    pub fn last_state(&self) -> &Value {
        &self.all("STATE").last().unwrap()["value"]
    }

    /// The plain log lines of a level, without the level.
    pub fn logged(&self, level: &str) -> Vec<&str> {
        self.stderr.lines().filter_map(|line| line.strip_prefix(level)?.strip_prefix(' ')).collect()
    }

    /// The only CRITICAL line, which must be the last line on stderr.
    pub fn critical(&self) -> &str {
        let critical = self.logged("CRITICAL");
        assert_eq!(
            (critical.len(), self.stderr.lines().last().unwrap().strip_prefix("CRITICAL ")),
            (1, Some(critical[0])),
            "{}",
            self.stderr
        );
        critical[0]
    }

    /// The messages without `time_extracted`, which differs between runs.
    pub fn timeless(&self) -> Vec<Value> {
        let mut messages = self.messages.clone();
        for message in &mut messages {
            message.as_object_mut().unwrap().remove("time_extracted");
        }
        messages
    }

    /// Sorted schemas and records, and the last state. The order of records and the states in between vary, because channels are read in
    /// parallel.
    pub fn comparable(&self) -> (Vec<String>, Value) {
        let lines = self.timeless().into_iter().filter(|message| message["type"] != "STATE").map(|message| message.to_string());
        let mut lines: Vec<_> = lines.collect();
        lines.sort_unstable();
        (lines, self.last_state().clone())
    }
}

impl Tap {
    /// The output of `--discover`.
    pub fn catalog(&self) -> Value {
        let finished = self.execute(&["--config", "config.json", "--discover"], &[]);
        assert_eq!(finished.status, Some(0), "{}", finished.stderr);
        serde_json::from_str(&finished.stdout).unwrap()
    }

    pub fn sync_catalog(&self, catalog: &Value, arguments: &[&str]) -> Output {
        self.file("catalog.json", catalog.to_string());
        self.sync(&[&["--catalog", "catalog.json"], arguments].concat())
    }

    pub fn sync_state(&self, state: &Value) -> Output {
        self.file("state.json", state.to_string());
        self.sync(&["--state", "state.json"])
    }
}

/// The metadata at a path of a catalog: of the stream, a column, or a property of a column.
pub fn metadata<'c>(catalog: &'c mut Value, stream: &str, path: &[&str]) -> &'c mut Value {
    let breadcrumb: Vec<_> = path.iter().flat_map(|name| ["properties", name]).collect();
    let entries = entry(catalog, stream)["metadata"].as_array_mut().unwrap();
    let entry = entries.iter_mut().find(|entry| entry["breadcrumb"] == json!(breadcrumb));
    &mut entry.unwrap_or_else(|| panic!("no metadata of {stream} {path:?}"))["metadata"]
}

pub fn entry<'c>(catalog: &'c mut Value, stream: &str) -> &'c mut Value {
    catalog["streams"].as_array_mut().unwrap().iter_mut().find(|entry| entry["tap_stream_id"] == stream).unwrap()
}

/// The catalog with only these streams selected, as Meltano writes it.
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
