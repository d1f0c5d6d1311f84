//! Parses the output lines of a run in either protocol, as a destination does.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tap_microsoft_teams::streams::Stream;

use crate::{Protocol, STREAMS};

/// The primary key of a row, with its stream.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Key {
    pub stream: &'static str,
    pub channel: String,
    pub id: String,
}

#[derive(Clone, Debug)]
pub struct Record {
    pub key: Key,
    /// The record as written.
    pub text: String,
    /// A tombstone: delta reported `@removed`.
    pub removed: bool,
}

#[derive(Clone, Debug)]
pub enum Line {
    Record(Record),
    /// A record of a stream that is read in full each time, as written.
    FullTable(&'static str, String),
    /// The state of one stream in Airbyte, of all streams in Singer.
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
    is_removed: Option<bool>,
}

/// Parses the lines of one run.
///
/// # Errors
/// For the first line that a destination cannot read.
pub fn read(protocol: Protocol, lines: &[String]) -> Result<Vec<Line>, String> {
    let mut schemas = HashSet::new();
    lines.iter().map(|line| parse(protocol, line, &mut schemas).map_err(|error| format!("{error}: {line}"))).collect()
}

/// `schemas` are the streams whose Singer SCHEMA has already been read.
fn parse<'l>(protocol: Protocol, line: &'l str, schemas: &mut HashSet<&'l str>) -> Result<Line, String> {
    let message: Message<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    match (protocol, message.r#type) {
        (Protocol::Airbyte, "RECORD") => {
            let data: AirbyteRecord<'_> = parse_json(message.record.map(RawValue::get))?;
            record(data.stream, data.data)
        }
        (Protocol::Airbyte, "STATE") => {
            let state = message.state.ok_or("a STATE without `state`")?;
            let name = state["stream"]["stream_descriptor"]["name"].as_str().ok_or("a STATE without a stream name")?;
            Ok(Line::State(Some(stream(name)?), state))
        }
        (Protocol::Airbyte, "LOG" | "TRACE") => Ok(Line::Other),
        (Protocol::Singer, "SCHEMA") => {
            schemas.insert(message.stream.ok_or("a SCHEMA without a stream name")?);
            Ok(Line::Other)
        }
        (Protocol::Singer, "RECORD") => {
            let name = message.stream.filter(|name| schemas.contains(name)).ok_or("a RECORD before its SCHEMA")?;
            record(name, message.record.ok_or("a RECORD without `record`")?)
        }
        (Protocol::Singer, "STATE") => Ok(Line::State(None, message.value.ok_or("a STATE without `value`")?)),
        _ => Err("a message of unknown type".to_owned()),
    }
}

fn parse_json<'l, T: Deserialize<'l>>(text: Option<&'l str>) -> Result<T, String> {
    serde_json::from_str(text.ok_or("a RECORD without `record`")?).map_err(|error| error.to_string())
}

fn record(name: &str, data: &RawValue) -> Result<Line, String> {
    let (stream, text) = (stream(name)?, data.get().to_owned());
    if !STREAMS.contains(&stream) {
        return Ok(Line::FullTable(stream, text));
    }
    let columns: Columns = parse_json(Some(&text))?;
    let removed = match columns.is_removed {
        Some(false) => return Err("`is_removed` is false, but must be true or null".to_owned()),
        removed => removed.is_some(),
    };
    let key = Key { stream, channel: columns.channel_id, id: columns.id };
    Ok(Line::Record(Record { key, text, removed }))
}

fn stream(name: &str) -> Result<&'static str, String> {
    Ok(Stream::by_name(name).ok_or_else(|| format!("unknown stream {name}"))?.name)
}
