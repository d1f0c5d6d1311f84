//! The catalog that `discover` prints, and the configured catalog that `read` receives.

use serde_json::{Value, json};

use crate::{
    error::Error,
    streams::{Mode, Selected, Stream},
};

/// Warning for an empty configured catalog.
pub const NOTHING_SELECTED: &str =
    "the catalog contains no streams, so nothing is read; hint: add streams to its list `streams`, or select them in the platform";

/// The AirbyteCatalog: every stream with its schema.
pub fn catalog() -> Value {
    json!({"streams": Stream::all().map(stream).collect::<Vec<_>>()})
}

fn stream(stream: &Stream) -> Value {
    let mut entry = json!({
        "name": stream.name,
        "json_schema": schema(stream),
        "supported_sync_modes": ["full_refresh"],
        "source_defined_primary_key": stream.primary_key.iter().map(|key| [key]).collect::<Vec<_>>(),
        "is_resumable": false,
    });
    if let Some(cursor) = stream.cursor {
        entry["supported_sync_modes"] = json!(["full_refresh", "incremental"]);
        entry["source_defined_cursor"] = true.into();
        entry["default_cursor_field"] = json!([cursor]);
        entry["is_resumable"] = true.into();
    }
    entry
}

/// The schema with Airbyte's type for date-times with a time zone.
fn schema(stream: &Stream) -> Value {
    let mut schema = stream.schema().clone();
    for property in schema["properties"].as_object_mut().into_iter().flat_map(|properties| properties.values_mut()) {
        if property.get("format").is_some_and(|format| format == "date-time") {
            property["airbyte_type"] = "timestamp_with_timezone".into();
        }
    }
    schema
}

/// Parses a ConfiguredAirbyteCatalog into the selected streams and the names of unknown streams.
///
/// # Errors
/// If it is not a configured catalog, or has an invalid sync mode.
pub fn read_catalog(catalog: &Value) -> Result<(Vec<Selected>, Vec<String>), Error> {
    let streams = catalog.get("streams").and_then(Value::as_array);
    let streams = streams.ok_or_else(|| Error::Catalog("it is not a configured catalog: the list `streams` is missing".to_owned()))?;
    let (mut selected, mut unknown) = (Vec::<Selected>::new(), Vec::new());
    for (at, stream) in streams.iter().enumerate() {
        let problem = |reason: String| Error::Catalog(format!("stream {}: {reason}", at + 1));
        let name = stream["stream"]["name"].as_str().ok_or_else(|| problem("`stream.name` is missing".to_owned()))?;
        // A stream without a cursor is always read in full. PyAirbyte requests incremental for every stream.
        let mode = match stream["sync_mode"].as_str() {
            Some("full_refresh") => Mode::FullRefresh,
            Some("incremental") => Mode::Incremental,
            _ => return Err(problem(format!("the `sync_mode` of {name} is {}; allowed: full_refresh, incremental", stream["sync_mode"]))),
        };
        match Stream::by_name(name) {
            Some(stream) if selected.iter().any(|selected| selected.stream.name == stream.name) => {}
            Some(stream) => selected.push(Selected { stream, columns: stream.columns().clone(), mode }),
            None => unknown.push(name.to_owned()),
        }
    }
    Ok((selected, unknown))
}
