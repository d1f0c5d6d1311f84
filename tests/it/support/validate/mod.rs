//! Validates every output line of every test: by the protocol, the schema of the stream, and the limits of destinations.

mod airbyte;
mod singer;

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::Protocol;

/// The maximum length of a line, because readers have limits.
pub const MAX_LINE_BYTES: usize = 1_000_000;

/// Panics at the first invalid line.
pub fn output(protocol: Protocol, lines: &[String], messages: &[Value]) {
    for (line, message) in lines.iter().zip(messages) {
        assert!(line.len() < MAX_LINE_BYTES, "a line of {} bytes", line.len());
        let kind = message["type"].as_str().unwrap_or_else(|| panic!("no type: {line}"));
        assert_eq!(kind, kind.to_uppercase());
        // The parsed strings are searched only if the text could contain U+0000.
        assert!(!line.contains("u0000") || !has_nul(message), "U+0000 in {line}");
    }
    match protocol {
        Protocol::Airbyte => airbyte::messages(messages),
        Protocol::Singer => singer::messages(messages),
        Protocol::SingerSchemas => {
            assert!(messages.iter().all(|message| message["type"] == "SCHEMA"));
            messages.iter().for_each(|message| _ = singer::StreamSchema::new(message));
        }
    }
}

fn valid(schema: &Validator, value: &Value, message: &Value) {
    if let Some(error) = schema.iter_errors(value).next() {
        panic!("{error} at {}: {message}", error.instance_path());
    }
}

/// A record has exactly the columns of its schema, in order, and date-times in the form that every destination accepts.
fn columns(schema: &Map<String, Value>, data: &Value, message: &Value) {
    let names: Vec<_> = data.as_object().unwrap().keys().collect();
    assert_eq!(names, schema.keys().collect::<Vec<_>>(), "every record has every column, in order");
    for (name, property) in schema {
        if property["format"] == "date-time" {
            assert!(data[name].is_null() || is_date_time(&data[name]), "{name}: {message}");
        }
    }
    assert_ne!(data.get("is_removed"), Some(&Value::Bool(false)), "is_removed is true or null: {message}");
}

/// `2026-01-02T03:04:05.000000Z`: six fraction digits, no year before 1900.
fn is_date_time(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    let form: String = text.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    form == "0000-00-00T00:00:00.000000Z" && text >= "1900"
}

/// Keys are non-empty strings.
fn key(names: &[&str], data: &Value, message: &Value) {
    for name in names {
        assert!(data[name].as_str().is_some_and(|value| !value.is_empty()), "key {name}: {message}");
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(object) => object.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}
