//! The expected records, computed from Graph's JSON independently of the tap: by the documented rules, property by property, as text (so that
//! numbers keep all digits).

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde_json::{Value, value::RawValue};
use tap_microsoft_teams::streams::Stream;

/// A record or an object from Graph: names, and values as compact JSON.
pub type Fields = BTreeMap<String, String>;

/// The properties of an object.
pub fn fields(json: &str) -> Fields {
    let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    raw.into_iter().map(|(name, value)| (name, compact(value.get()))).collect()
}

/// The expected record of an object from Graph, with its derived columns.
pub fn record(stream: &str, graph: &str, derived: &[(&str, Value)]) -> Fields {
    let stream = Stream::by_name(stream).unwrap();
    let schema = stream.schema()["properties"].as_object().unwrap();
    let mut additional = BTreeMap::new();
    let mut record: Fields = schema.keys().map(|name| (name.clone(), "null".to_owned())).collect();
    for (name, value) in fields(&without_unsupported_characters(graph)) {
        if name.contains("@odata.") || name == "replies" {
            continue;
        }
        let declared = schema.get(&name).filter(|_| !name.contains('_'));
        match declared.and_then(|property| convert(property, &value)) {
            Some(value) => _ = record.insert(name, value),
            None if is_portable(&value) => _ = additional.insert(name, value),
            None => _ = additional.insert(name, Value::from(value).to_string()),
        }
    }
    for (name, value) in derived {
        assert!(record.insert((*name).to_owned(), value.to_string()).is_some(), "{name} is not a column");
    }
    if !additional.is_empty() {
        let texts: Vec<_> = additional.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
        record.insert("_additional_properties".to_owned(), sorted(&format!("{{{}}}", texts.join(","))));
    }
    record
}

/// The expected record of a team, from its group and its team.
pub fn team(group: &Value, team: &Value) -> Fields {
    let mut both = group.as_object().unwrap().clone();
    both.retain(|name, _| ["id", "displayName", "description", "visibility", "createdDateTime", "classification"].contains(&name.as_str()));
    if let Some(Value::String(visibility)) = both.get_mut("visibility") {
        *visibility = visibility[..1].to_lowercase() + &visibility[1..];
    }
    both.extend(team.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()));
    for (name, value) in &mut both {
        if name.ends_with("Settings") && name != "discoverySettings" && value.is_object() {
            *value = value.to_string().into();
        }
    }
    record("teams", &Value::Object(both).to_string(), &[])
}

/// The value in a column. [`None`] if it does not fit.
fn convert(property: &Value, value: &str) -> Option<String> {
    if value == "null" {
        return Some(value.to_owned());
    }
    let kind = if property["type"].is_array() { &property["type"][0] } else { &property["type"] };
    let is = |first: char| value.starts_with(first);
    match kind.as_str().unwrap() {
        "string" if property["format"] == "date-time" => date_time(value),
        "string" if property.get("contentMediaType").is_some() && is('{') => Some(Value::from(value).to_string()),
        "string" => is('"').then(|| value.to_owned()),
        "boolean" => (value == "true" || value == "false").then(|| value.to_owned()),
        "object" => {
            let declared = property["properties"].as_object();
            if declared.is_none() && !is_portable(value) {
                return None;
            }
            let nested = if is('{') { fields(value) } else { return None };
            let fits = |(name, nested): (&String, &String)| match declared.and_then(|declared| declared.get(name)) {
                Some(property) => convert(property, nested).is_some(),
                None => is_portable(nested),
            };
            nested.iter().all(fits).then(|| value.to_owned())
        }
        "array" => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(value).ok()?;
            items.iter().all(|item| convert(&property["items"], item.get()).is_some()).then(|| value.to_owned())
        }
        other => panic!("unexpected column type {other}"),
    }
}

/// Whether every parser accepts a value. serde_json rejects numbers that do not fit into a float; other parsers also reject long integers.
fn is_portable(value: &str) -> bool {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0, 0, false, false);
    let mut number = String::new();
    // The blank ends a number at the end of the value.
    for char in value.chars().chain([' ']) {
        if !in_string && (char.is_ascii_digit() || matches!(char, '-' | '+' | '.' | 'e' | 'E')) {
            number.push(char);
        } else {
            let is_integer = !number.contains(['.', 'e', 'E']) && number.contains(|char: char| char.is_ascii_digit());
            if is_integer && number.parse::<i64>().is_err() {
                return false;
            }
            number.clear();
        }
        match char {
            '[' | '{' if !in_string => depth += 1,
            ']' | '}' if !in_string => depth -= 1,
            '"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = char == '\\' && !escaped;
        deepest = deepest.max(depth);
    }
    deepest <= 50 && serde_json::from_str::<Value>(value).is_ok()
}

fn date_time(value: &str) -> Option<String> {
    let text: String = serde_json::from_str(value).ok()?;
    if text.is_empty() {
        return Some("null".to_owned());
    }
    let time = DateTime::parse_from_rfc3339(&text).ok()?.with_timezone(&Utc);
    (time.year() >= 1900).then(|| format!("\"{}.{:06}Z\"", time.format("%Y-%m-%dT%H:%M:%S"), time.nanosecond() / 1000))
}

/// Removes U+0000 and replaces the lone surrogates of the simulator's corpus with U+FFFD.
fn without_unsupported_characters(json: &str) -> String {
    json.replace(r"\u0000", "").replace(r"broken \ud83d ", "broken \u{fffd} ").replace(r"broken \ude00 ", "broken \u{fffd} ")
}

/// Removes white space between tokens.
fn compact(json: &str) -> String {
    let (mut out, mut in_string, mut escaped) = (String::new(), false, false);
    for char in json.chars() {
        if in_string || !char.is_whitespace() {
            out.push(char);
        }
        (in_string, escaped) = match char {
            '"' => (in_string == escaped, false),
            '\\' => (in_string, !escaped),
            _ => (in_string, false),
        };
    }
    out
}

/// Sorts the properties of an object by name, because their order does not matter.
pub fn sorted(json: &str) -> String {
    let texts: Vec<_> = fields(json).into_iter().map(|(name, value)| format!("{}:{value}", Value::from(name))).collect();
    format!("{{{}}}", texts.join(","))
}
