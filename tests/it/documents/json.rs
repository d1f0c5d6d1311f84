//! JSON blocks: each is a configuration, catalog or state that the executable accepts, or is listed here.

use serde_json::{Value, json};

use super::{Block, documents};
use crate::support::{ALL, Tap, config, everything, tenant};

/// Blocks that are not input of the executable: the document, the beginning of the block, and what it is.
const OTHER: &[(&str, &str, &str)] = &[("docs/setup.md", "{\n  \"webApplicationInfo\"", "a part of the manifest of a Teams app")];

enum Kind {
    Configuration,
    AirbyteCatalog,
    SingerCatalog,
    /// The state of one stream, as docs/state.md describes it.
    State,
}

fn kind(value: &Value) -> Option<Kind> {
    let first = &value["streams"][0];
    if value.get("tenant_id").is_some() {
        Some(Kind::Configuration)
    } else if first.get("stream").is_some_and(Value::is_object) {
        Some(Kind::AirbyteCatalog)
    } else if first.get("tap_stream_id").is_some() {
        Some(Kind::SingerCatalog)
    } else {
        (value.get("version").is_some() && value.get("partitions").is_some()).then_some(Kind::State)
    }
}

/// The error of the executable, if it refuses the block.
fn refusal(value: &Value, kind: &Kind) -> Option<String> {
    let sim = tenant(1, 1, 1);
    let tap = |more: Value| Tap::new(&config(&sim, more));
    let output = match kind {
        Kind::Configuration => Tap::new(value).discover(),
        Kind::AirbyteCatalog => {
            let tap = tap(everything());
            tap.file("catalog.json", value.to_string());
            tap.run(&["read", "--config", "config.json", "--catalog", "catalog.json"])
        }
        Kind::SingerCatalog => tap(everything()).sync_catalog(value, &[]),
        Kind::State => {
            // The simulated tenant replaces the one in the document.
            let mut value = value.clone();
            value["tenant"] = sim.config()["tenant_id"].clone();
            let states: Vec<_> = ["messages", "message_replies"]
                .iter()
                .map(|stream| json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": value}}))
                .collect();
            let streams: Vec<_> = ALL.iter().map(|name| json!({"stream": {"name": name}, "sync_mode": "incremental"})).collect();
            let tap = tap(everything());
            tap.file("state.json", json!(states).to_string());
            tap.file("catalog.json", json!({"streams": streams}).to_string());
            tap.run(&["read", "--config", "config.json", "--catalog", "catalog.json", "--state", "state.json"])
        }
    };
    (output.status != Some(0)).then(|| format!("{:?}\n{}", output.messages.last(), output.stderr))
}

fn is_listed(path: &str, block: &Block) -> bool {
    OTHER.iter().any(|(document, begin, _)| *document == path && block.text.starts_with(begin))
}

#[test]
fn every_json_block_is_accepted_by_the_executable() {
    for document in documents().values() {
        for block in document.blocks("json").filter(|block| !is_listed(document.path.to_str().unwrap(), block)) {
            let at = document.at(block.line);
            let value: Value = serde_json::from_str(&block.text).unwrap_or_else(|error| panic!("{at}: {error}"));
            let kind = kind(&value).unwrap_or_else(|| {
                panic!("{at}: neither a configuration (`tenant_id`) nor a catalog nor a state: add it to OTHER with what it is")
            });
            if let Some(refusal) = refusal(&value, &kind) {
                panic!("{at}: the executable does not take it: {refusal}");
            }
        }
    }
}

#[test]
fn invalid_json_blocks_are_refused() {
    let state = json!({"version": 2, "partitions": [{"parents": ["a"], "entries": [{"id": "b", "deltaLink": "/v1.0/teams/other"}]}]});
    let configuration = json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s", "top": 0});
    for value in [configuration, json!({"streams": [{"stream": {"name": "messages"}}]}), state] {
        assert!(refusal(&value, &kind(&value).unwrap()).is_some(), "{value}");
    }
}
