//! The lines of a run as a destination sees them, in either protocol.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::support::Protocol;

/// What names a row.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    pub stream: &'static str,
    pub channel: String,
    pub id: String,
}

#[derive(Clone)]
pub struct Record {
    pub key: Key,
    /// The columns as they were written.
    pub text: String,
    /// Delta said `@removed`: a tombstone.
    pub removed: bool,
}

pub enum Line {
    Record(Record),
    /// Of one stream in Airbyte, of all in Singer.
    State(Option<&'static str>, Value),
    Other,
}

#[derive(Deserialize)]
struct Message<'l> {
    r#type: &'l str,
    stream: Option<&'l str>,
    #[serde(borrow)]
    record: Option<&'l RawValue>,
    state: Option<Value>,
    value: Option<Value>,
}

#[derive(Deserialize)]
struct AirbyteRecord<'l> {
    stream: &'l str,
    #[serde(borrow)]
    data: &'l RawValue,
}

#[derive(Deserialize)]
struct Columns {
    channel_id: String,
    id: String,
    _deleted: bool,
}

pub fn parse(protocol: Protocol, line: &str) -> Line {
    let message: Message<'_> = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    match (message.r#type, protocol) {
        ("RECORD", Protocol::Airbyte) => {
            let record: AirbyteRecord<'_> = serde_json::from_str(message.record.unwrap().get()).unwrap();
            record_of(record.stream, record.data)
        }
        ("RECORD", _) => record_of(message.stream.unwrap(), message.record.unwrap()),
        ("STATE", Protocol::Airbyte) => {
            let state = message.state.unwrap();
            Line::State(Some(stream(state["stream"]["stream_descriptor"]["name"].as_str().unwrap())), state)
        }
        ("STATE", _) => Line::State(None, message.value.unwrap()),
        _ => Line::Other,
    }
}

fn record_of(name: &str, data: &RawValue) -> Line {
    let columns: Columns = serde_json::from_str(data.get()).unwrap_or_else(|error| panic!("{error}: {}", data.get()));
    let key = Key { stream: stream(name), channel: columns.channel_id, id: columns.id };
    Line::Record(Record { key, text: data.get().to_owned(), removed: columns._deleted })
}

fn stream(name: &str) -> &'static str {
    super::STREAMS.into_iter().find(|stream| *stream == name).unwrap_or_else(|| panic!("the stream {name} was not selected"))
}
