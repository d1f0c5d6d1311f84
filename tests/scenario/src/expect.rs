//! What a record must hold, worked out from Graph's JSON a second time and in another way than the tap does it: by the rules of the
//! documentation, property by property, as texts (so that no number loses a digit on the way).

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde_json::{Value, value::RawValue};
use tap_microsoft_teams::streams::Stream;

/// A record or an object of Graph: names and values as compact JSON text.
pub type Fields = BTreeMap<String, String>;

/// The properties of an object.
pub fn fields(json: &str) -> Fields {
    let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    raw.into_iter().map(|(name, value)| (name, compact(value.get()))).collect()
}

/// The record that an object of Graph must become, with the columns that are derived.
pub fn record(stream: &str, graph: &str, derived: &[(&str, Value)]) -> Fields {
    let stream = Stream::by_name(stream).unwrap();
    let schema = stream.schema()["properties"].as_object().unwrap();
    let mut additional = BTreeMap::new();
    let mut record: Fields = schema.keys().map(|name| (name.clone(), "null".to_owned())).collect();
    for (name, value) in fields(&without_what_no_destination_holds(graph)) {
        if name.contains("@odata.") || name == "replies" {
            continue;
        }
        let declared = schema.get(&name).filter(|_| !name.contains('_'));
        match declared.and_then(|property| held(property, &value)) {
            Some(held) => _ = record.insert(name, held),
            None if is_plain(&value) => _ = additional.insert(name, value),
            None => _ = additional.insert(name, Value::from(value).to_string()),
        }
    }
    for (name, value) in derived {
        assert!(record.insert((*name).to_owned(), value.to_string()).is_some(), "{name} is no column");
    }
    if !additional.is_empty() {
        let texts: Vec<_> = additional.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
        record.insert("_additional_properties".to_owned(), sorted(&format!("{{{}}}", texts.join(","))));
    }
    record
}

/// The record of a team: what its group and its team say.
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

/// The text that a column holds for a value; none if it cannot hold it.
fn held(property: &Value, value: &str) -> Option<String> {
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
            if declared.is_none() && !is_plain(value) {
                return None;
            }
            let nested = if is('{') { fields(value) } else { return None };
            let fits = |(name, nested): (&String, &String)| match declared.and_then(|declared| declared.get(name)) {
                Some(property) => held(property, nested).is_some(),
                None => is_plain(nested),
            };
            nested.iter().all(fits).then(|| value.to_owned())
        }
        "array" => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(value).ok()?;
            items.iter().all(|item| held(&property["items"], item.get()).is_some()).then(|| value.to_owned())
        }
        other => panic!("no column of ours is of type {other}"),
    }
}

/// Whether every reader takes a value: serde_json takes no number that a float does not hold.
fn is_plain(value: &str) -> bool {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0, 0, false, false);
    for char in value.chars() {
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

/// U+0000 is removed, the lone surrogates of the simulator's corpus become U+FFFD.
fn without_what_no_destination_holds(json: &str) -> String {
    json.replace(r"\u0000", "").replace(r"broken \ud83d ", "broken \u{fffd} ").replace(r"broken \ude00 ", "broken \u{fffd} ")
}

/// The same JSON without white space between its tokens.
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

/// An object with its properties in the order of their names: the order in which they came is not the point.
pub fn sorted(json: &str) -> String {
    let texts: Vec<_> = fields(json).into_iter().map(|(name, value)| format!("{}:{value}", Value::from(name))).collect();
    format!("{{{}}}", texts.join(","))
}
