//! The catalog that `--discover` prints, and the selection in an edited catalog.

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    streams::{Mode, Selected, Stream},
};

/// The column in which targets with hard deletes find deleted rows.
const DELETED_AT: &str = "_sdc_deleted_at";

/// Warning for a catalog that selects nothing.
const NOTHING_SELECTED: &str = "the catalog does not select any streams, so nothing is read; hint: set `selected` to true in the metadata with the empty \
    breadcrumb (Meltano: `meltano select`), or run without a catalog to read all streams that the configuration allows";

/// The catalog. `schema` precedes `metadata`, and every property has an entry, because Meltano traverses it in this order.
pub fn catalog() -> Value {
    json!({"streams": Stream::all().map(entry).collect::<Vec<_>>()})
}

/// All default streams with all columns.
pub fn default_streams() -> impl Iterator<Item = Selected> {
    Stream::defaults().map(|stream| select(stream, stream.mode(), |_| true))
}

fn entry(stream: &Stream) -> Value {
    let mut entry = json!({
        "tap_stream_id": stream.name,
        "stream": stream.name,
        "schema": schema(stream),
        "key_properties": stream.primary_key,
        "replication_method": replication_method(stream),
    });
    let mut root = json!({
        "inclusion": "available",
        "selected-by-default": stream.is_default,
        "table-key-properties": stream.primary_key,
        "forced-replication-method": replication_method(stream),
    });
    if let Some(key) = stream.cursor {
        root["valid-replication-keys"] = json!([key]);
        root["replication-key"] = key.into();
        entry["replication_key"] = key.into();
    }
    let mut metadata = vec![json!({"breadcrumb": [], "metadata": root})];
    add_metadata(stream, &entry["schema"], &mut Vec::new(), &mut metadata);
    entry["metadata"] = metadata.into();
    entry
}

fn replication_method(stream: &Stream) -> &'static str {
    match stream.mode() {
        Mode::Incremental => "INCREMENTAL",
        Mode::FullRefresh => "FULL_TABLE",
    }
}

fn add_metadata(stream: &Stream, schema: &Value, breadcrumb: &mut Vec<String>, metadata: &mut Vec<Value>) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        breadcrumb.extend(["properties".to_owned(), name.clone()]);
        let inclusion = if is_automatic(stream, breadcrumb) { "automatic" } else { "available" };
        metadata.push(json!({"breadcrumb": breadcrumb, "metadata": {"inclusion": inclusion, "selected-by-default": true}}));
        add_metadata(stream, property, breadcrumb, metadata);
        breadcrumb.truncate(breadcrumb.len() - 2);
    }
}

/// Keys and cursors are part of every record.
fn is_automatic(stream: &Stream, breadcrumb: &[String]) -> bool {
    let [_, name] = breadcrumb else { return false };
    stream.primary_key.contains(&name.as_str()) || stream.cursor == Some(name)
}

/// The schema, with the column for deletions if records can be deleted.
fn schema(stream: &Stream) -> Value {
    let mut schema = stream.schema().clone();
    if has_deletions(stream)
        && let Some(properties) = schema["properties"].as_object_mut()
    {
        let description = "When the message was deleted or reported as removed; used by targets with hard deletes.";
        properties.insert(DELETED_AT.to_owned(), json!({"description": description, "type": ["string", "null"], "format": "date-time"}));
    }
    schema
}

fn has_deletions(stream: &Stream) -> bool {
    stream.schema()["properties"].get("deletedDateTime").is_some()
}

fn select(stream: &'static Stream, mode: Mode, is_selected: impl Fn(&[&str]) -> bool) -> Selected {
    let columns = stream.columns().clone();
    let columns = if has_deletions(stream) { columns.with_deletion_time(DELETED_AT) } else { columns };
    Selected { stream, columns: columns.selecting(is_selected), mode }
}

/// The schema of the selected columns, for the SCHEMA message.
pub(super) fn selected_schema(selected: &Selected) -> Value {
    let mut schema = schema(selected.stream);
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.retain(|name, _| selected.columns.names().any(|column| column == name));
        for (name, property) in properties.iter_mut() {
            if let Some(nested) = property.get_mut("properties").and_then(Value::as_object_mut) {
                nested.retain(|property, _| selected.columns.selects(&[name, property]));
            }
        }
    }
    schema
}

/// Parses a catalog into the selected streams and columns, and warnings.
///
/// # Errors
/// If it is not a catalog.
pub fn read_catalog(catalog: &Value) -> Result<(Vec<Selected>, Vec<String>), Error> {
    let entries = catalog.get("streams").and_then(Value::as_array);
    let entries = entries.ok_or_else(|| Error::Catalog("it is not a Singer catalog: the list `streams` is missing".to_owned()))?;
    let (mut selected, mut warnings) = (Vec::<Selected>::new(), Vec::new());
    // Like the Singer SDK, select streams without any selection metadata, except in catalogs of old tools, which mark the selected ones.
    let selected_by_default = !entries.iter().any(|entry| Metadata(entry).selects_outside_metadata());
    for entry in entries {
        let name = ["tap_stream_id", "stream"].into_iter().find_map(|key| entry.get(key)?.as_str());
        let name = name.ok_or_else(|| Error::Catalog("it is not a Singer catalog: a stream has no `tap_stream_id`".to_owned()))?;
        let Some(stream) = Stream::by_name(name) else {
            warnings.push(format!("unknown stream {name} in the catalog is ignored; known streams: {}", Stream::names().join(", ")));
            continue;
        };
        let metadata = Metadata(entry);
        if metadata.selects_stream(selected_by_default) && !selected.iter().any(|selected| selected.stream.name == name) {
            warnings.extend(metadata.replication_warning(stream));
            let read = select(stream, metadata.mode(stream), |path| metadata.selects_column(stream, path));
            warnings.extend(empty_objects_warning(&read));
            selected.push(read);
        }
    }
    if selected.is_empty() {
        warnings.push(NOTHING_SELECTED.to_owned());
    }
    selected.sort_by_key(|selected| selected.stream.position());
    Ok((selected, warnings))
}

/// Warns about objects that are selected without any of their properties: Meltano's `messages.body` does not select `body.content`.
fn empty_objects_warning(Selected { stream, columns, .. }: &Selected) -> Option<String> {
    let empty: Vec<_> = columns.empty_objects().collect();
    let selectors: Vec<_> = empty.iter().map(|name| format!("`{}.{name}.*`", stream.name)).collect();
    (!empty.is_empty()).then(|| {
        format!(
            "{}: the catalog selects {} but none of its properties, so the column is always empty; hint: also select {}",
            stream.name,
            empty.join(", "),
            selectors.join(", ")
        )
    })
}

/// The entry of a stream in a catalog that a user or Meltano has edited.
struct Metadata<'a>(&'a Value);

impl Metadata<'_> {
    fn at(&self, breadcrumb: &[&str]) -> Option<&Map<String, Value>> {
        let matches = |entry: &&Value| {
            let found = entry.get("breadcrumb").and_then(Value::as_array);
            found.is_some_and(|found| found.iter().map(|part| part.as_str().unwrap_or_default()).eq(breadcrumb.iter().copied()))
        };
        self.0.get("metadata")?.as_array()?.iter().find(matches)?.get("metadata")?.as_object()
    }

    /// Tools write the selection into the root metadata, the entry itself, or the schema, in this order of precedence.
    fn selects_stream(&self, default: bool) -> bool {
        let Some(root) = self.at(&[]) else { return self.outside_metadata().unwrap_or(default) };
        if root.get("inclusion").and_then(Value::as_str) == Some("unsupported") {
            return false;
        }
        let value = |key: &str| root.get(key).and_then(flag);
        value("selected").or_else(|| self.outside_metadata()).or_else(|| value("selected-by-default")).unwrap_or(false)
    }

    /// The selection in the entry or its schema.
    fn outside_metadata(&self) -> Option<bool> {
        let places = [self.0.get("selected"), self.0.get("schema").and_then(|schema| schema.get("selected"))];
        places.into_iter().flatten().find_map(flag)
    }

    /// Whether it is selected without metadata, as old tools do.
    fn selects_outside_metadata(&self) -> bool {
        self.at(&[]).is_none() && self.outside_metadata() == Some(true)
    }

    /// Whether a column, or a property of a column, is selected. Keys always are; properties are selected by default.
    fn selects_column(&self, stream: &Stream, path: &[&str]) -> bool {
        let breadcrumb: Vec<_> = path.iter().flat_map(|name| ["properties", name]).collect();
        if is_automatic(stream, &breadcrumb.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>()) {
            return true;
        }
        let own = self.at(&breadcrumb);
        match own.and_then(|own| own.get("inclusion")?.as_str()) {
            Some("automatic") => return true,
            Some("unsupported") => return false,
            _ => {}
        }
        let selected = own.and_then(|own| flag(own.get("selected")?)).or_else(|| own.and_then(|own| flag(own.get("selected-by-default")?)));
        selected.unwrap_or(true)
    }

    fn requested_method(&self) -> Option<&str> {
        let root = self.at(&[]).and_then(|root| root.get("replication-method"));
        root.or_else(|| self.0.get("replication_method"))?.as_str()
    }

    fn mode(&self, stream: &Stream) -> Mode {
        if self.requested_method() == Some("FULL_TABLE") { Mode::FullRefresh } else { stream.mode() }
    }

    fn replication_warning(&self, stream: &Stream) -> Option<String> {
        let (requested, method) = (self.requested_method()?, replication_method(stream));
        (!["FULL_TABLE", method].contains(&requested))
            .then(|| format!("{}: the catalog requests {requested}, but the stream is read as {method}", stream.name))
    }
}

/// A boolean, which may also be a string.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.to_lowercase().parse().ok(),
        _ => None,
    }
}
