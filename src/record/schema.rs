//! The JSON Schema of a Rust type, in a form that every consumer accepts.
//!
//! Draft 7, everything inlined, nullable types as `[T, "null"]` with `null` last, no `$ref`, no `anyOf`, no `enum`: some of the tested targets
//! and destinations fail on anything richer.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

/// The schema of `T`, with the properties in the order of declaration.
pub fn json_schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.remove("title");
    let mut value = schema.to_value();
    simplify(&mut value);
    value
}

/// Removes keywords of schemars that no consumer reads: `required` (records always have all properties) and formats of numbers.
fn simplify(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    object.remove("required");
    if object.get("format").is_some_and(|format| format != "date-time") {
        object.remove("format");
    }
    if let Some(description) = object.get_mut("description")
        && let Some(text) = description.as_str()
    {
        *description = Value::String(text.replace('\n', " "));
    }
    if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(simplify);
    }
    if let Some(items) = object.get_mut("items") {
        simplify(items);
    }
}
