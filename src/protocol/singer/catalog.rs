//! The catalog: what `--discover` tells, and what users make of it.

use serde_json::{Map, Value, json};

use crate::{
    error::Error,
    streams::{Mode, Selected, Stream},
};

/// The column by which targets with hard deletes switched on find deleted rows.
const DELETED_AT: &str = "_sdc_deleted_at";

/// What people should know of a catalog by which nothing is read.
const NOTHING_SELECTED: &str = "the catalog selects no stream: nothing is read; to select a stream, set `selected` to true in its metadata with \
    the empty breadcrumb (Meltano: `meltano select`), or run without a catalog, which reads all that the configuration allows";

/// The catalog, with `schema` before `metadata` and an entry for every property, since Meltano walks it in this order.
pub fn catalog() -> Value {
    json!({"streams": Stream::all().map(entry).collect::<Vec<_>>()})
}

/// Every stream, whole.
pub fn everything() -> impl Iterator<Item = Selected> {
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
    describe(stream, &entry["schema"], &mut Vec::new(), &mut metadata);
    entry["metadata"] = metadata.into();
    entry
}

fn replication_method(stream: &Stream) -> &'static str {
    match stream.mode() {
        Mode::Incremental => "INCREMENTAL",
        Mode::FullRefresh => "FULL_TABLE",
    }
}

fn describe(stream: &Stream, schema: &Value, breadcrumb: &mut Vec<String>, metadata: &mut Vec<Value>) {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        breadcrumb.extend(["properties".to_owned(), name.clone()]);
        let inclusion = if is_automatic(stream, breadcrumb) { "automatic" } else { "available" };
        metadata.push(json!({"breadcrumb": breadcrumb, "metadata": {"inclusion": inclusion, "selected-by-default": true}}));
        describe(stream, property, breadcrumb, metadata);
        breadcrumb.truncate(breadcrumb.len() - 2);
    }
}

/// Keys are in every record, whatever is selected.
fn is_automatic(stream: &Stream, breadcrumb: &[String]) -> bool {
    let [_, name] = breadcrumb else { return false };
    stream.primary_key.contains(&name.as_str()) || stream.cursor == Some(name)
}

/// The stream's schema and, where messages can be deleted, the column for it.
fn schema(stream: &Stream) -> Value {
    let mut schema = stream.schema().clone();
    if has_deletions(stream)
        && let Some(properties) = schema["properties"].as_object_mut()
    {
        let description = "When the message was deleted, or reported as removed: what targets with hard deletes look at.";
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

/// The schema of a selected stream: what its SCHEMA message has.
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

/// Takes a catalog: the selected streams with their selected columns, and what people should know about it.
///
/// # Errors
/// If it is no catalog.
pub fn read_catalog(written: &Value) -> Result<(Vec<Selected>, Vec<String>), Error> {
    let entries = written.get("streams").and_then(Value::as_array);
    let entries = entries.ok_or_else(|| Error::Catalog("it is not a Singer catalog: it has no list `streams`".to_owned()))?;
    let (mut selected, mut remarks) = (Vec::<Selected>::new(), Vec::new());
    // As the Singer SDK does: a stream of which nothing is said is read. In catalogs of old tools it is the other way round.
    let silence_selects = !entries.iter().any(|entry| Metadata(entry).selects_outside_metadata());
    for entry in entries {
        let name = ["tap_stream_id", "stream"].into_iter().find_map(|key| entry.get(key)?.as_str());
        let name = name.ok_or_else(|| Error::Catalog("it is not a Singer catalog: a stream has no `tap_stream_id`".to_owned()))?;
        let Some(stream) = Stream::named(name) else {
            remarks.push(format!("the catalog has a stream {name}; there are {}", Stream::names().join(", ")));
            continue;
        };
        let metadata = Metadata(entry);
        if metadata.selects_stream(silence_selects) && !selected.iter().any(|selected| selected.stream.name == name) {
            remarks.extend(metadata.remarks(stream));
            let read = select(stream, metadata.mode(stream), |path| metadata.selects(stream, path));
            remarks.extend(empty_objects(&read));
            selected.push(read);
        }
    }
    if selected.is_empty() {
        remarks.push(NOTHING_SELECTED.to_owned());
    }
    selected.sort_by_key(|selected| selected.stream.position());
    Ok((selected, remarks))
}

/// A warning for columns that Meltano selects without their properties: `messages.body` selects an object, and not what is in it.
fn empty_objects(Selected { stream, columns, .. }: &Selected) -> Option<String> {
    let empty: Vec<_> = columns.empty_objects().collect();
    let selectors: Vec<_> = empty.iter().map(|name| format!("`{}.{name}.*`", stream.name)).collect();
    (!empty.is_empty()).then(|| {
        format!(
            "{}: the catalog selects {} without any property of it, so the column is always empty; hint: select {} as well",
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
        let is_it = |entry: &&Value| {
            let written = entry.get("breadcrumb").and_then(Value::as_array);
            written.is_some_and(|written| written.iter().map(|part| part.as_str().unwrap_or_default()).eq(breadcrumb.iter().copied()))
        };
        self.0.get("metadata")?.as_array()?.iter().find(is_it)?.get("metadata")?.as_object()
    }

    /// Root metadata, then the entry itself, then the schema: the places where tools of all ages write it. `silence_selects`: a stream
    /// without any of them is read.
    fn selects_stream(&self, silence_selects: bool) -> bool {
        let Some(root) = self.at(&[]) else { return self.outside_metadata().unwrap_or(silence_selects) };
        if root.get("inclusion").and_then(Value::as_str) == Some("unsupported") {
            return false;
        }
        let said = |key: &str| root.get(key).and_then(flag);
        said("selected").or_else(|| self.outside_metadata()).or_else(|| said("selected-by-default")).unwrap_or(false)
    }

    /// What the entry or the schema says of its selection.
    fn outside_metadata(&self) -> Option<bool> {
        let places = [self.0.get("selected"), self.0.get("schema").and_then(|schema| schema.get("selected"))];
        places.into_iter().flatten().find_map(flag)
    }

    /// Whether it is selected in the way of old tools, without metadata.
    fn selects_outside_metadata(&self) -> bool {
        self.at(&[]).is_none() && self.outside_metadata() == Some(true)
    }

    /// Whether a column, or a declared property of one, is selected: keys always, children with their parent unless said otherwise.
    fn selects(&self, stream: &Stream, path: &[&str]) -> bool {
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
        let said = own.and_then(|own| flag(own.get("selected")?)).or_else(|| own.and_then(|own| flag(own.get("selected-by-default")?)));
        said.unwrap_or(true)
    }

    /// The replication method that is asked for.
    fn method(&self) -> Option<&str> {
        let root = self.at(&[]).and_then(|root| root.get("replication-method"));
        root.or_else(|| self.0.get("replication_method"))?.as_str()
    }

    /// A stream can always be read in full.
    fn mode(&self, stream: &Stream) -> Mode {
        if self.method() == Some("FULL_TABLE") { Mode::FullRefresh } else { stream.mode() }
    }

    fn remarks(&self, stream: &Stream) -> Option<String> {
        let (said, method) = (self.method()?, replication_method(stream));
        (!["FULL_TABLE", method].contains(&said))
            .then(|| format!("{}: the catalog asks for {said}; the stream is read as {method}", stream.name))
    }
}

/// A boolean, also when it is written as text.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.to_lowercase().parse().ok(),
        _ => None,
    }
}
