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
    let mut set = |name: &str, value: Value| property[name] = value;
    match setting.kind {
        Kind::Text | Kind::Ids | Kind::Url => set("type", "string".into()),
        Kind::Secret => {
            set("type", "string".into());
            set("airbyte_secret", true.into());
        }
        Kind::Flag => set("type", "boolean".into()),
        Kind::Count { min, max } => {
            set("type", "integer".into());
            set("minimum", min.into());
            set("maximum", max.into());
        }
        Kind::Number => {
            set("type", "number".into());
            set("minimum", 0.into());
        }
        // A plain date is taken as well: no `format`, which would refuse it.
        Kind::DateTime => set("type", "string".into()),
        Kind::Choice(choices) => {
            set("type", "string".into());
            set("enum", choices.into());
        }
        Kind::PerStream => {
            set("type", "object".into());
            let streams = Stream::all().enumerate().map(|(order, stream)| {
                let own = json!({"type": "object", "title": stream.name, "description": stream.description, "order": order, "properties": properties(|setting| setting.per_stream)});
                (stream.name.to_owned(), own)
            });
            set("properties", Value::Object(streams.collect()));
        }
    }
    if let Some(default) =
        setting.default.and_then(|default| serde_json::from_str::<Value>(default).ok()).filter(|default| !default.is_object())
    {
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
