//! The columns of a stream, read from its schema, and the writing of a record: every selected column once, in order, each holding its
//! declared type.
//!
//! Values travel as the text that Graph sent; what a column cannot hold goes, unchanged, into `_additional_properties`.

use std::{borrow::Cow, collections::HashMap, fmt};

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::value::normal_date_time;

/// The column for what Graph sends and the schema does not know.
const ADDITIONAL: &str = "_additional_properties";

/// The properties of an item: names and values as JSON text, nulls included. Of a name that comes twice the last value that is not null counts.
pub trait Fields<'a>: Iterator<Item = (&'a str, &'a str)> {}

impl<'a, I: Iterator<Item = (&'a str, &'a str)>> Fields<'a> for I {}

/// The value of a column that we derive: from what was asked, not from what Graph sent.
#[derive(Clone, Copy, Debug)]
pub enum Derived<'a> {
    /// A string, such as the id of the team that was asked.
    Text(&'a str),
    /// A boolean.
    Flag(bool),
}

/// The columns of a stream.
#[derive(Clone, Debug)]
pub struct Columns {
    columns: Vec<Column>,
    index: HashMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    /// `"name":`, ready to be written.
    prefix: String,
    kind: Kind,
    origin: Origin,
    selected: bool,
}

/// Where the value of a column comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Origin {
    /// Graph's property of the same name.
    Graph,
    /// What was asked: Graph's own names are camelCase, those with an underscore are ours.
    Derived,
    /// What no other column holds.
    Additional,
    /// When the entity was deleted, where Graph tells: `deletedDateTime`, or the moment at which it was reported as removed.
    DeletionTime,
}

/// What a column holds; null is always allowed.
#[derive(Clone, Debug)]
enum Kind {
    Text,
    DateTime,
    /// JSON in a string.
    JsonText,
    Flag,
    Array(Box<Kind>),
    /// An object, with the properties that it declares.
    Object(Vec<Property>),
    /// A type that no column of ours has: held as it is.
    Any,
}

/// A declared property of an object.
#[derive(Clone, Debug)]
struct Property {
    name: String,
    kind: Kind,
    selected: bool,
}

impl Columns {
    /// The columns that a record's schema declares, in its order.
    pub fn of(schema: &Value) -> Self {
        let columns: Vec<_> = properties(schema)
            .map(|(name, property)| Column {
                name: name.clone(),
                prefix: format!("{}:", Value::from(name.as_str())),
                kind: Kind::of(property),
                origin: match name.as_str() {
                    ADDITIONAL => Origin::Additional,
                    name if name.contains('_') => Origin::Derived,
                    _ => Origin::Graph,
                },
                selected: true,
            })
            .collect();
        let index = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        Self { columns, index }
    }

    /// The names of the selected columns, in the order of the schema.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.selected).map(|column| column.name.as_str())
    }

    /// Whether the column, or the declared property of one, at that path is selected.
    pub fn selects(&self, path: &[&str]) -> bool {
        let Some((column, nested)) = path.split_first() else { return true };
        let column = self.columns.iter().find(|known| known.name == *column);
        column.is_some_and(|column| match (&column.kind, nested) {
            (Kind::Object(declared), [name]) => {
                column.selected && declared.iter().all(|property| property.selected || property.name != *name)
            }
            _ => column.selected,
        })
    }

    /// With only those columns, and only those declared properties of objects, whose path `is_selected` accepts.
    #[must_use]
    pub fn selecting(mut self, is_selected: impl Fn(&[&str]) -> bool) -> Self {
        for column in &mut self.columns {
            column.selected = is_selected(&[&column.name]);
            if let Kind::Object(declared) = &mut column.kind {
                declared.iter_mut().for_each(|property| property.selected = is_selected(&[&column.name, &property.name]));
            }
        }
        self
    }

    /// With one more column: when the entity was deleted, where Graph tells.
    #[must_use]
    pub fn with_deletion_time(mut self, name: &str) -> Self {
        let prefix = format!("{}:", Value::from(name));
        self.columns.push(Column { name: name.to_owned(), prefix, kind: Kind::DateTime, origin: Origin::DeletionTime, selected: true });
        self
    }

    /// Appends the record of an item to `out`, as one line of JSON without its end.
    pub fn write<'a>(&self, fields: impl Fields<'a>, derived: &[(&str, Derived<'_>)], out: &mut Vec<u8>) {
        let mut values: Vec<Option<&str>> = vec![None; self.columns.len()];
        let mut additional: Vec<(&str, &str)> = Vec::new();
        for (name, value) in fields {
            match self.index.get(name) {
                Some(&at) if self.columns[at].origin == Origin::Graph => {
                    if value != "null" || values[at].is_none() {
                        values[at] = Some(value);
                    }
                }
                _ => additional.push((name, value)),
            }
        }
        for (column, value) in self.columns.iter().zip(&mut values) {
            if let Some(text) = *value
                && !column.kind.holds(text)
            {
                additional.push((&column.name, text));
                *value = None;
            }
        }
        out.push(b'{');
        for (column, value) in self.columns.iter().zip(&values).filter(|(column, _)| column.selected) {
            out.extend_from_slice(column.prefix.as_bytes());
            match column.origin {
                Origin::Graph => column.kind.write(value.unwrap_or("null"), out),
                Origin::Derived => write_derived(find(derived, &column.name), out),
                Origin::Additional => write_additional(&additional, out),
                Origin::DeletionTime => column.kind.write(self.deletion_time(&values, derived), out),
            }
            out.push(b',');
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b'}');
    }

    fn deletion_time<'a>(&self, values: &[Option<&'a str>], derived: &[(&str, Derived<'_>)]) -> &'a str {
        let value = |name: &str| self.index.get(name).and_then(|&at| values[at]).unwrap_or("null");
        match find(derived, "_deleted") {
            Some(Derived::Flag(true)) => value("lastModifiedDateTime"),
            _ => value("deletedDateTime"),
        }
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

impl Kind {
    fn of(schema: &Value) -> Self {
        let name = match schema.get("type") {
            Some(Value::Array(names)) => names.first().and_then(Value::as_str),
            Some(name) => name.as_str(),
            None => None,
        };
        match name {
            Some("string") if schema.get("format").is_some_and(|format| format == "date-time") => Self::DateTime,
            Some("string") if schema.get("contentMediaType").is_some() => Self::JsonText,
            Some("string") => Self::Text,
            Some("boolean") => Self::Flag,
            Some("array") => Self::Array(Box::new(schema.get("items").map_or(Self::Any, Self::of))),
            Some("object") => {
                let property = |(name, schema): (&String, &Value)| Property { name: name.clone(), kind: Self::of(schema), selected: true };
                Self::Object(properties(schema).map(property).collect())
            }
            _ => Self::Any,
        }
    }

    /// Whether the JSON text is a value of this kind, or null.
    fn holds(&self, text: &str) -> bool {
        match (self, text.as_bytes().first()) {
            (_, Some(b'n')) | (Self::Any | Self::JsonText, _) | (Self::Text, Some(b'"')) | (Self::Flag, Some(b't' | b'f')) => true,
            (Self::DateTime, Some(b'"')) => text == "\"\"" || string(text).is_some_and(|time| normal_date_time(&time).is_some()),
            (Self::Array(kind), Some(b'[')) => {
                text == "[]"
                    || serde_json::from_str::<Vec<&RawValue>>(text).is_ok_and(|items| items.iter().all(|item| kind.holds(item.get())))
            }
            (Self::Object(declared), Some(b'{')) => declared.is_empty() || holds_properties(declared, text),
            _ => false,
        }
    }

    /// Writes a value that the kind holds.
    fn write(&self, text: &str, out: &mut Vec<u8>) {
        match self {
            _ if text == "null" => out.extend_from_slice(b"null"),
            Self::DateTime => match string(text).as_deref().and_then(normal_date_time) {
                Some(time) => write_string(&time, out),
                None => out.extend_from_slice(b"null"),
            },
            Self::JsonText if text.starts_with('"') => out.extend_from_slice(text.as_bytes()),
            Self::JsonText => {
                let mut compacted = Vec::with_capacity(text.len());
                compact(text, &mut compacted);
                write_string(&String::from_utf8_lossy(&compacted), out);
            }
            Self::Object(declared) if declared.iter().any(|property| !property.selected) => write_selected(declared, text, out),
            _ => compact(text, out),
        }
    }
}

fn find<'d>(derived: &[(&str, Derived<'d>)], name: &str) -> Option<Derived<'d>> {
    derived.iter().find(|(column, _)| *column == name).map(|(_, value)| *value)
}

/// The name of a property, borrowed from the text wherever it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The text of a JSON string; [`None`] if it is none.
fn string(json: &str) -> Option<Cow<'_, str>> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => Some(plain.into()),
        _ => serde_json::from_str::<String>(json).ok().map(Into::into),
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    // Writing into memory cannot fail, and a string always has a JSON form.
    let _ = serde_json::to_writer(out, text);
}

fn write_derived(value: Option<Derived<'_>>, out: &mut Vec<u8>) {
    match value {
        Some(Derived::Text(text)) => write_string(text, out),
        Some(Derived::Flag(true)) => out.extend_from_slice(b"true"),
        Some(Derived::Flag(false)) => out.extend_from_slice(b"false"),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_additional(fields: &[(&str, &str)], out: &mut Vec<u8>) {
    if fields.is_empty() {
        out.extend_from_slice(b"null");
        return;
    }
    out.push(b'{');
    for (at, (name, value)) in fields.iter().enumerate() {
        if fields[at + 1..].iter().any(|(later, _)| later == name) {
            continue;
        }
        write_string(name, out);
        out.push(b':');
        compact(value, out);
        out.push(b',');
    }
    out.pop();
    out.push(b'}');
}

/// Copies a JSON text without the white space between its tokens: a record is one line, whatever Graph's server breaks.
fn compact(json: &str, out: &mut Vec<u8>) {
    let bytes = json.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        out.extend_from_slice(bytes);
        return;
    }
    let (mut in_string, mut escaped) = (false, false);
    for &byte in bytes {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
}

/// Whether each declared property that the object has is of its declared kind.
fn holds_properties(declared: &[Property], text: &str) -> bool {
    let mut holds = true;
    let is_object = each_property(text, |name, value| {
        if let Some(property) = declared.iter().find(|property| property.name == name) {
            holds &= property.kind.holds(value);
        }
    });
    is_object && holds
}

/// Writes an object without the declared properties that are not selected.
fn write_selected(declared: &[Property], text: &str, out: &mut Vec<u8>) {
    out.push(b'{');
    each_property(text, |name, value| {
        if declared.iter().all(|property| property.selected || property.name != name) {
            write_string(name, out);
            out.push(b':');
            compact(value, out);
            out.push(b',');
        }
    });
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(b'}');
}

/// Calls `visit` with each property of an object; false if the text is none.
fn each_property(text: &str, visit: impl FnMut(&str, &str)) -> bool {
    struct Each<F>(F);

    impl<'de, F: FnMut(&str, &str)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &RawValue>()? {
                (self.0)(&name, value.get());
            }
            Ok(())
        }
    }

    serde_json::Deserializer::from_str(text).deserialize_map(Each(visit)).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        record::{Message, Team},
        schema::json_schema,
    };

    fn record<T: schemars::JsonSchema>(item: &str, derived: &[(&str, Derived<'_>)]) -> Value {
        let fields: Vec<(String, Box<RawValue>)> = serde_json::from_str::<serde_json::Map<String, Value>>(item)
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name, serde_json::value::to_raw_value(&value).unwrap()))
            .collect();
        let mut out = Vec::new();
        Columns::of(&json_schema::<T>()).write(fields.iter().map(|(name, value)| (name.as_str(), value.get())), derived, &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn every_column_is_there_in_the_order_of_the_schema() {
        let record = record::<Message>(r#"{"id":"1"}"#, &[("team_id", Derived::Text("t\"1")), ("_deleted", Derived::Flag(false))]);
        let schema = json_schema::<Message>();
        assert!(record.as_object().unwrap().keys().eq(schema["properties"].as_object().unwrap().keys()));
        assert_eq!(record["team_id"], "t\"1");
        assert_eq!(record["_deleted"], false);
        assert_eq!(record["_additional_properties"], Value::Null);
    }

    #[test]
    fn what_a_column_cannot_hold_goes_unchanged_into_additional_properties() {
        let item = json!({
            "id": "1", "subject": 5, "createdDateTime": "soon", "lastModifiedDateTime": "", "deletedDateTime": "0001-01-01T00:00:00Z",
            "body": "a text", "attachments": {"not": "a list"}, "mentions": ["not an object"], "reactions": [{"a": 1}, null], "from": [],
            "team_id": "sent by Graph", "brandNew": {"a": [1.50, null]},
        });
        let record = record::<Message>(&item.to_string(), &[("team_id", Derived::Text("ours"))]);
        for name in ["subject", "createdDateTime", "lastModifiedDateTime", "body", "attachments", "mentions", "from"] {
            assert_eq!(record[name], Value::Null, "{name}");
        }
        assert_eq!(record["deletedDateTime"], "0001-01-01T00:00:00Z");
        assert_eq!(record["reactions"], json!([{"a": 1}, null]));
        assert_eq!(record["team_id"], "ours");
        let additional = record["_additional_properties"].as_object().unwrap();
        for name in ["subject", "createdDateTime", "body", "attachments", "mentions", "from", "team_id", "brandNew"] {
            assert_eq!(additional[name], item[name], "{name}");
        }
        assert_eq!(additional.len(), 8);
    }

    #[test]
    fn a_body_with_a_content_that_is_no_string_is_not_a_body() {
        assert_eq!(record::<Message>(r#"{"id":"1","body":{"content":"x","new":1}}"#, &[])["body"], json!({"content": "x", "new": 1}));
        let odd = record::<Message>(r#"{"id":"1","body":{"content":7}}"#, &[]);
        assert_eq!((&odd["body"], &odd["_additional_properties"]), (&Value::Null, &json!({"body": {"content": 7}})));
    }

    #[test]
    fn settings_become_json_in_a_string() {
        let record = record::<Team>(r#"{"id":"1","funSettings":{"allowGiphy":true,"giphyContentRating":"strict"}}"#, &[]);
        assert_eq!(record["funSettings"], r#"{"allowGiphy":true,"giphyContentRating":"strict"}"#);
    }

    #[test]
    fn what_is_not_selected_is_not_written() {
        let columns =
            Columns::of(&json_schema::<Message>()).selecting(|path| matches!(path, ["id" | "body" | "team_id"] | ["body", "contentType"]));
        let mut out = Vec::new();
        let fields = [("id", "\"1\""), ("subject", "\"x\""), ("body", r#"{"contentType":"text","content":"y","new":1}"#)];
        columns.write(fields.into_iter(), &[("team_id", Derived::Text("t"))], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"id":"1","team_id":"t","body":{"contentType":"text","new":1}}"#);
        assert_eq!(columns.names().collect::<Vec<_>>(), ["id", "team_id", "body"]);
    }

    #[test]
    fn the_time_of_deletion_is_that_of_the_message_or_of_its_removal() {
        let columns = Columns::of(&json_schema::<Message>()).with_deletion_time("deleted_at").selecting(|path| path == ["deleted_at"]);
        let written = |removed| {
            let mut out = Vec::new();
            let fields = [("deletedDateTime", "\"2026-01-01T00:00:00Z\""), ("lastModifiedDateTime", "\"2026-02-02T00:00:00Z\"")];
            columns.write(fields.into_iter(), &[("_deleted", Derived::Flag(removed))], &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(false), r#"{"deleted_at":"2026-01-01T00:00:00Z"}"#);
        assert_eq!(written(true), r#"{"deleted_at":"2026-02-02T00:00:00Z"}"#);
    }

    #[test]
    fn a_record_is_one_line_and_its_texts_keep_their_spaces() {
        let mut out = Vec::new();
        compact("{\n  \"a b\": [1,\r\n 2], \"c\": \"x \\\" \\\\\"\n}", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a b":[1,2],"c":"x \" \\"}"#);
    }

    #[test]
    fn the_last_value_that_is_not_null_counts() {
        let mut out = Vec::new();
        let fields = [
            ("displayName", "\"group\""),
            ("description", "\"kept\""),
            ("x", "1"),
            ("displayName", "\"team\""),
            ("description", "null"),
            ("x", "2"),
        ];
        Columns::of(&json_schema::<Team>()).write(fields.into_iter(), &[], &mut out);
        let record: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&record["displayName"], &record["description"]), (&json!("team"), &json!("kept")));
        assert_eq!(record["_additional_properties"], json!({"x": 2}));
    }
}
