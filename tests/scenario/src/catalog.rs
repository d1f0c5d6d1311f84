//! The catalog and the arguments of a run.

use serde_json::{Value, json};

use crate::{Protocol, STREAMS};

/// A catalog of these streams. Streams are read incrementally where possible, unless `full_refresh` is set.
pub fn catalog(protocol: Protocol, streams: &[&str], full_refresh: bool) -> Value {
    let incremental = |stream: &str| STREAMS.contains(&stream) && !full_refresh;
    match protocol {
        Protocol::Airbyte => {
            let entry = |stream: &&str| {
                let (mode, destination) = if incremental(stream) { ("incremental", "append_dedup") } else { ("full_refresh", "overwrite") };
                json!({"stream": {"name": stream, "json_schema": {}, "supported_sync_modes": [mode]},
                    "sync_mode": mode, "destination_sync_mode": destination})
            };
            json!({"streams": streams.iter().map(entry).collect::<Vec<_>>()})
        }
        Protocol::Singer => {
            let entry = |stream: &&str| {
                let method = if incremental(stream) { "INCREMENTAL" } else { "FULL_TABLE" };
                json!({"tap_stream_id": stream, "stream": stream, "schema": {}, "replication_method": method,
                    "metadata": [{"breadcrumb": [], "metadata": {"selected": true, "replication-method": method}}]})
            };
            json!({"streams": streams.iter().map(entry).collect::<Vec<_>>()})
        }
    }
}

pub fn arguments(protocol: Protocol, with_state: bool) -> Vec<&'static str> {
    let verb: &[&str] = if protocol == Protocol::Airbyte { &["read"] } else { &[] };
    let state: &[&str] = if with_state { &["--state", "state.json"] } else { &[] };
    [verb, &["--config", "config.json", "--catalog", "catalog.json"], state].concat()
}
