//! Validates Airbyte messages: by the JSON Schema of the protocol, records by the schema of their stream, and their order.

use std::{collections::HashMap, sync::LazyLock};

use jsonschema::Validator;
use serde_json::Value;
use tap_microsoft_teams::streams::{STREAMS, Stream};

use super::{columns, key, valid};

static MESSAGE: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("../../protocol/airbyte_message.json")).unwrap();
    jsonschema::draft7::new(&schema).unwrap()
});

static RECORDS: LazyLock<HashMap<&str, (Validator, &'static Stream)>> = LazyLock::new(|| {
    let validator = |schema: &Value| jsonschema::draft7::options().should_validate_formats(true).build(schema).unwrap();
    STREAMS.iter().map(|&stream| (stream.name, (validator(stream.schema()), stream))).collect()
});

/// Each message is valid, and their order follows the protocol.
pub(super) fn messages(messages: &[Value]) {
    for message in messages {
        valid(&MESSAGE, message, message);
        match message["type"].as_str() {
            Some("RECORD") => record(message),
            Some("STATE") => state(message),
            _ => {}
        }
    }
    for stream in STREAMS {
        order(stream.name, messages);
    }
}

fn record(message: &Value) {
    let record = &message["record"];
    let (validator, stream) = &RECORDS[record["stream"].as_str().unwrap()];
    valid(validator, &record["data"], message);
    columns(stream.schema()["properties"].as_object().unwrap(), &record["data"], message);
    key(stream.primary_key, &record["data"], message);
    assert!((1_000_000_000_000..10_000_000_000_000).contains(&record["emitted_at"].as_i64().unwrap()));
}

fn state(message: &Value) {
    assert_eq!(message["state"]["type"], "STREAM", "{message}");
    assert!(message["state"].get("destinationStats").is_none(), "{message}");
    let count = message["state"]["sourceStats"]["recordCount"].to_string();
    assert!(count.ends_with(".0"), "{count}");
}

/// STARTED, RUNNING before the first record, the last state after the last record, then the final status and nothing after it.
fn order(stream: &str, messages: &[Value]) {
    let mut seen = Vec::new();
    let (mut records, mut counted) = (0.0, 0.0);
    let mut last_state = None;
    for message in messages {
        let status = &message["trace"]["stream_status"];
        if status["stream_descriptor"]["name"] == stream {
            // Waiting for a rate limit is also reported as RUNNING.
            if status["reasons"].is_null() || seen.last() != Some(&"RUNNING") {
                seen.push(status["status"].as_str().unwrap());
            }
        } else if message["record"]["stream"] == stream {
            records += 1.0;
            assert_eq!(seen, ["STARTED", "RUNNING"], "a record of {stream}");
        } else if message["state"]["stream"]["stream_descriptor"]["name"] == stream {
            let count = message["state"]["sourceStats"]["recordCount"].as_f64().unwrap();
            counted += count;
            assert_eq!(seen, ["STARTED", "RUNNING"], "a state of {stream}");
            assert_eq!(counted, records, "the state of {stream} covers its records");
            let state = &message["state"]["stream"]["stream_state"];
            assert!(count == 0.0 || last_state.replace(state) != Some(state), "two equal states of {stream} with records between: {state}");
        }
    }
    match seen.as_slice() {
        [] | ["STARTED", "RUNNING", "COMPLETE"] => assert_eq!(counted, records, "the last state of {stream} covers all"),
        ["STARTED"] | ["STARTED", "RUNNING"] | ["INCOMPLETE"] | ["STARTED", "INCOMPLETE"] | ["STARTED", "RUNNING", "INCOMPLETE"] => {}
        other => panic!("{stream}: {other:?}"),
    }
}
