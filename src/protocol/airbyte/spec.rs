//! The specification: the settings as a form of Airbyte's.

use serde_json::{Map, Value, json};

use crate::{
    config::{Audience, Kind, SETTINGS, Setting},
    streams::Stream,
};

/// The ConnectorSpecification.
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

fn properties(shown: impl Fn(&Setting) -> bool) -> Map<String, Value> {
    SETTINGS
        .iter()
        .filter(|setting| setting.audience != Audience::Operator && shown(setting))
        .enumerate()
        .map(|(order, setting)| (setting.name.to_owned(), property(setting, order)))
        .collect()
}

fn property(setting: &Setting, order: usize) -> Value {
    let mut property = json!({"title": setting.title, "description": setting.description, "order": order});
    of_kind(setting.kind).into_iter().for_each(|(name, value)| property[name] = value);
    let mut set = |name: &str, value: Value| property[name] = value;
    let default = setting.default.and_then(|default| serde_json::from_str::<Value>(default).ok());
    if let Some(default) = default.filter(|default| !default.is_object()) {
        set("default", default);
    }
    if !setting.examples.is_empty() {
        set("examples", setting.example_values().into());
    }
    if setting.audience == Audience::Simulator {
        set("airbyte_hidden", true.into());
    }
    property
}

/// What a form takes for settings of this kind.
fn of_kind(kind: Kind) -> Map<String, Value> {
    let form = match kind {
        // A plain date is taken as well: no `format`, which would refuse it.
        Kind::Text | Kind::Ids | Kind::Url | Kind::DateTime => json!({"type": "string"}),
        Kind::Secret => json!({"type": "string", "airbyte_secret": true}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Count { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Number => json!({"type": "number", "minimum": 0}),
        Kind::Choice(choices) => json!({"type": "string", "enum": choices}),
        Kind::PerStream => json!({"type": "object", "properties": of_streams()}),
    };
    form.as_object().cloned().unwrap_or_default()
}

/// For each stream, the settings that it can have of its own.
fn of_streams() -> Map<String, Value> {
    let of_stream = |(order, stream): (usize, &'static Stream)| {
        let properties = properties(|setting| setting.per_stream);
        let own = json!({
            "type": "object", "title": stream.name, "description": stream.description, "order": order, "properties": properties
        });
        (stream.name.to_owned(), own)
    };
    Stream::all().enumerate().map(of_stream).collect()
}
