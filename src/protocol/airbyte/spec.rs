//! The connector specification: the settings as JSON Schema, from which Airbyte makes a form.

use serde_json::{Map, Value, json};

use crate::{
    config::{Audience, Kind, SETTINGS, Setting},
    streams::Stream,
};

pub fn spec() -> Value {
    let required: Vec<_> = SETTINGS.iter().filter(|setting| setting.required).map(|setting| setting.name).collect();
    json!({
        "documentationUrl": "https://github.com/tap-microsoft-teams/tap-microsoft-teams#readme",
        "connectionSpecification": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Microsoft Teams",
            "type": "object",
            "additionalProperties": true,
            "required": required,
            "properties": properties(|_| true),
        }
    })
}

fn properties(is_included: impl Fn(&Setting) -> bool) -> Map<String, Value> {
    SETTINGS
        .iter()
        .filter(|setting| setting.audience != Audience::Operator && is_included(setting))
        .enumerate()
        .map(|(order, setting)| (setting.name.to_owned(), property(setting, order)))
        .collect()
}

fn property(setting: &Setting, order: usize) -> Value {
    let mut property = json!({"title": setting.title, "description": setting.description, "order": order});
    type_of(setting.kind).into_iter().for_each(|(name, value)| property[name] = value);
    let mut set = |name: &str, value: Value| property[name] = value;
    let default = setting.default.and_then(|default| serde_json::from_str::<Value>(default).ok());
    if let Some(default) = default.filter(|default| !default.is_object()) {
        set("default", default);
    }
    if !setting.examples.is_empty() {
        set("examples", setting.example_values().into());
    }
    if setting.audience == Audience::Developer {
        set("airbyte_hidden", true.into());
    }
    property
}

/// The JSON Schema of a kind of value.
fn type_of(kind: Kind) -> Map<String, Value> {
    let schema = match kind {
        // No `format` for date-times, since it would reject dates without a time.
        Kind::Text | Kind::Ids | Kind::Url | Kind::DateTime => json!({"type": "string"}),
        Kind::Secret => json!({"type": "string", "airbyte_secret": true}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Number => json!({"type": "number", "minimum": 0}),
        Kind::Choice(choices) => json!({"type": "string", "enum": choices}),
        Kind::PerStream => json!({"type": "object", "properties": stream_options()}),
    };
    schema.as_object().cloned().unwrap_or_default()
}

/// The settings that can be overridden, for each stream.
fn stream_options() -> Map<String, Value> {
    let options = |(order, stream): (usize, &'static Stream)| {
        let properties = properties(|setting| setting.per_stream);
        let schema = json!({
            "type": "object", "title": stream.name, "description": stream.description, "order": order, "properties": properties
        });
        (stream.name.to_owned(), schema)
    };
    Stream::all().enumerate().map(options).collect()
}
