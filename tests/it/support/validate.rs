//! Every line of every test: against the protocol's JSON Schema, records against the schema of their stream.

use std::{collections::HashMap, sync::LazyLock};

use jsonschema::Validator;
use serde_json::Value;
use tap_microsoft_teams::streams::STREAMS;

/// From the public definition of the protocol.
static MESSAGE: LazyLock<Validator> = LazyLock::new(|| {
    let schema: Value = serde_json::from_str(include_str!("../protocol/airbyte_message.json")).unwrap();
    jsonschema::draft7::new(&schema).unwrap()
});

static RECORDS: LazyLock<HashMap<&str, (Validator, Vec<&str>)>> = LazyLock::new(|| {
    let validator = |schema: &Value| jsonschema::draft7::options().should_validate_formats(true).build(schema).unwrap();
    STREAMS.iter().map(|stream| (stream.name, (validator(&stream.schema), stream.columns.names().collect()))).collect()
});

/// Each message is valid in itself, and they follow each other as the protocol wants.
pub fn messages(messages: &[Value]) {
    for message in messages {
        valid(&MESSAGE, message, message);
        let kind = message["type"].as_str().unwrap();
        assert_eq!(kind, kind.to_uppercase());
        if kind == "RECORD" {
            record(message);
        }
        if kind == "STATE" {
            let count = message["state"]["sourceStats"]["recordCount"].to_string();
            assert!(count.ends_with(".0"), "{count}");
        }
    }
    for stream in STREAMS {
        order(stream.name, messages);
    }
}

fn record(message: &Value) {
    let record = &message["record"];
    let (schema, columns) = &RECORDS[record["stream"].as_str().unwrap()];
    valid(schema, &record["data"], message);
    let names: Vec<_> = record["data"].as_object().unwrap().keys().collect();
    assert_eq!(&names, columns, "every record has every column, in order");
    assert!((1_000_000_000_000..10_000_000_000_000).contains(&record["emitted_at"].as_i64().unwrap()));
}

fn valid(schema: &Validator, value: &Value, message: &Value) {
    if let Some(error) = schema.iter_errors(value).next() {
        panic!("{error} at {}: {message}", error.instance_path());
    }
}

/// STARTED, RUNNING before the first record, the last state behind the last record, then the end and nothing more.
fn order(stream: &str, messages: &[Value]) {
    let mut seen = Vec::new();
    let (mut records, mut counted) = (0.0, 0.0);
    for message in messages {
        let status = &message["trace"]["stream_status"];
        if status["stream_descriptor"]["name"] == stream {
            seen.push(status["status"].as_str().unwrap());
        } else if message["record"]["stream"] == stream {
            records += 1.0;
            assert_eq!(seen, ["STARTED", "RUNNING"], "a record of {stream}");
        } else if message["state"]["stream"]["stream_descriptor"]["name"] == stream {
            counted += message["state"]["sourceStats"]["recordCount"].as_f64().unwrap();
            assert_eq!(seen, ["STARTED", "RUNNING"], "a state of {stream}");
            assert_eq!(counted, records, "the state of {stream} covers its records");
        }
    }
    match seen.as_slice() {
        [] | ["STARTED", "RUNNING", "COMPLETE"] => assert_eq!(counted, records, "the last state of {stream} covers all"),
        ["STARTED"] | ["STARTED", "RUNNING"] | ["INCOMPLETE"] | ["STARTED", "INCOMPLETE"] | ["STARTED", "RUNNING", "INCOMPLETE"] => {}
        other => panic!("{stream}: {other:?}"),
    }
}
