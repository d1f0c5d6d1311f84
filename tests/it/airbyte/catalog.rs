//! The catalog of `discover`, by the rules of the platform and its linters; and rules for the schemas of both protocols.

use std::collections::HashSet;

use serde_json::{Value, json};
use tap_microsoft_teams::streams::Stream;

use crate::support::Tap;

fn streams() -> Vec<Value> {
    let output = Tap::new(&json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s"})).discover();
    assert_eq!(output.status, Some(0));
    assert_eq!(output.only("CATALOG")["catalog"], serde_json::from_str::<Value>(include_str!("../../../catalog/airbyte.json")).unwrap());
    output.only("CATALOG")["catalog"]["streams"].as_array().unwrap().clone()
}

#[test]
fn the_catalog_has_every_stream_with_a_schema_of_draft_seven() {
    let streams = streams();
    let names: Vec<_> = streams.iter().map(|stream| stream["name"].as_str().unwrap()).collect();
    assert_eq!(names, Stream::names());
    for stream in &streams {
        let schema = &stream["json_schema"];
        assert!(jsonschema::draft7::meta::validate(schema).is_ok());
        assert!(schema["type"] == "object" && schema["properties"].as_object().is_some_and(|properties| !properties.is_empty()));
        assert!(stream.get("namespace").is_none());
    }
}

#[test]
fn keys_and_cursors_are_scalar_columns() {
    for stream in streams() {
        let properties = &stream["json_schema"]["properties"];
        let key = stream["source_defined_primary_key"].as_array().unwrap();
        let cursor = stream["default_cursor_field"].as_array().cloned();
        assert!(!key.is_empty());
        for path in key.iter().cloned().chain(cursor.filter(|path| !path.is_empty()).map(Value::Array)) {
            let [name] = path.as_array().unwrap().as_slice() else { panic!("{path}") };
            let property = &properties[name.as_str().unwrap()];
            let kind = if property["type"].is_array() { &property["type"][0] } else { &property["type"] };
            assert_eq!(kind, "string", "{} {name}", stream["name"]);
        }
        assert!(key.iter().all(|path| properties[path[0].as_str().unwrap()]["type"] == "string"), "a key is never null");
    }
}

#[test]
fn sync_modes_match_the_source_defined_cursor() {
    for stream in streams() {
        let modes: Vec<_> = stream["supported_sync_modes"].as_array().unwrap().iter().map(|mode| mode.as_str().unwrap()).collect();
        let is_incremental = modes == ["full_refresh", "incremental"];
        assert!(is_incremental || modes == ["full_refresh"], "{modes:?}");
        assert_eq!(stream["is_resumable"], is_incremental);
        assert_eq!(stream["source_defined_cursor"] == true, is_incremental);
        assert_eq!(stream["default_cursor_field"] == json!(["lastModifiedDateTime"]), is_incremental);
        assert_eq!(is_incremental, ["messages", "message_replies"].iter().any(|name| stream["name"] == *name));
    }
}

#[test]
fn schemas_have_nothing_that_a_destination_rejects() {
    let singer = Tap::new(&json!({})).catalog();
    let schemas = streams()
        .into_iter()
        .map(|stream| (stream["name"].clone(), stream["source_defined_primary_key"].clone(), stream["json_schema"].clone()));
    let of_singer = singer["streams"].as_array().unwrap().iter().map(|stream| {
        let key: Vec<_> = stream["key_properties"].as_array().unwrap().iter().map(|name| json!([name])).collect();
        (stream["stream"].clone(), json!(key), stream["schema"].clone())
    });
    for (stream, key, schema) in schemas.chain(of_singer) {
        let names: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names.iter().map(|name| name.to_lowercase()).collect::<HashSet<_>>().len(), names.len(), "{stream}");
        assert!(!stream.as_str().unwrap().contains('-'));
        let is_id = |name: &str| key.as_array().unwrap().contains(&json!([name]));
        check(&schema, &stream.to_string(), &|name| is_id(name) || name.ends_with("_id"));
    }
}

fn check(schema: &Value, path: &str, may_be_plain: &dyn Fn(&str) -> bool) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let word = name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_')
            && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_');
        assert!(word && name.len() < 50, "{path}");
        for keyword in
            ["$ref", "anyOf", "oneOf", "allOf", "not", "enum", "const", "pattern", "maxLength", "multipleOf", "additionalProperties"]
        {
            assert!(property.get(keyword).is_none(), "{path}: {keyword}");
        }
        let kind = match &property["type"] {
            Value::String(kind) if may_be_plain(name) => kind.as_str(),
            Value::Array(kinds) if kinds.len() == 2 && kinds[1] == "null" => kinds[0].as_str().unwrap(),
            other => panic!("{path}: {other}"),
        };
        assert!(["string", "boolean", "integer", "number", "array", "object"].contains(&kind), "{path}: {kind}");
        assert_eq!(kind == "array", property.get("items").is_some(), "{path}");
        assert!(property["format"].is_null() || property["format"] == "date-time" && kind == "string", "{path}");
        check(property, &path, may_be_plain);
    }
}
