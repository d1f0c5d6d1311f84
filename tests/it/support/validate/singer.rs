//! Validates Singer messages: records by the preceding SCHEMA in two drafts of JSON Schema, and the order that targets require.

use std::collections::HashMap;

use jsonschema::Validator;
use serde_json::Value;

use super::{columns, is_date_time, key, valid};

/// A parsed SCHEMA message.
pub(super) struct StreamSchema<'m> {
    schema: &'m Value,
    key: Vec<&'m str>,
    validators: [Validator; 2],
}

impl<'m> StreamSchema<'m> {
    /// Panics if some target would not accept the message.
    pub(super) fn new(message: &'m Value) -> Self {
        let schema = &message["schema"];
        let key: Vec<_> = message["key_properties"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        assert!(!key.is_empty(), "{message}");
        for name in
            key.iter().copied().chain(message["bookmark_properties"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()))
        {
            assert!(schema["properties"].get(name).is_some(), "{name} is not a property: {message}");
        }
        assert_eq!(schema["type"], "object");
        let validators = [jsonschema::draft4::options(), jsonschema::draft7::options()];
        Self { schema, key, validators: validators.map(|options| options.should_validate_formats(true).build(schema).unwrap()) }
    }

    fn record(&self, message: &Value) {
        let data = &message["record"];
        self.validators.iter().for_each(|validator| valid(validator, data, message));
        columns(self.schema["properties"].as_object().unwrap(), data, message);
        key(&self.key, data, message);
        assert!(is_date_time(&message["time_extracted"]), "{message}");
    }
}

/// Each message is valid, and their order is what targets require.
pub(super) fn messages(messages: &[Value]) {
    let mut schemas: HashMap<&str, StreamSchema<'_>> = HashMap::new();
    let mut has_state = false;
    for message in messages {
        let stream = || message["stream"].as_str().unwrap_or_else(|| panic!("no stream: {message}"));
        match message["type"].as_str() {
            Some("SCHEMA") => assert!(schemas.insert(stream(), StreamSchema::new(message)).is_none(), "a second schema of {}", stream()),
            Some("RECORD") => {
                assert!(has_state, "a record before the first state");
                schemas.get(stream()).unwrap_or_else(|| panic!("no schema before {message}")).record(message);
            }
            Some("STATE") => {
                has_state = true;
                assert!(message["value"]["bookmarks"].is_object(), "{message}");
            }
            _ => panic!("not a Singer message: {message}"),
        }
    }
    assert!(messages.last().is_none_or(|last| last["type"] == "STATE"), "the last line is not a state");
}
