//! A stream as a table: its columns with their types, its key and its cursor.

use serde_json::Value;

use crate::streams::Stream;

pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) key: &'static [&'static str],
    /// The column that shows which row of a key is newer. [`None`] for streams that every run reads in full.
    pub(super) cursor: Option<&'static str>,
}

/// A column of a table or a field of an object.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Whether the value is never null.
    pub(super) is_required: bool,
}

pub(super) enum Kind {
    Text,
    /// UTC, six fraction digits.
    DateTime,
    Boolean,
    Integer,
    List(Box<Kind>),
    /// An object with declared fields.
    Object(Vec<Column>),
    /// An object with any fields.
    OpenObject,
}

impl Table {
    pub(super) fn new(stream: &Stream) -> Self {
        Self { name: stream.name, columns: columns(stream.schema()), key: stream.primary_key, cursor: stream.cursor }
    }
}

impl Kind {
    /// Whether the value is an object or a list.
    pub(super) fn is_nested(&self) -> bool {
        matches!(self, Self::List(_) | Self::Object(_) | Self::OpenObject)
    }

    fn new(schema: &Value) -> Self {
        let kind = schema["type"].as_str().or_else(|| schema["type"][0].as_str());
        match (kind, schema.get("format").and_then(Value::as_str)) {
            (Some("string"), Some("date-time")) => Self::DateTime,
            (Some("boolean"), _) => Self::Boolean,
            (Some("integer"), _) => Self::Integer,
            (Some("array"), _) => Self::List(Box::new(Self::new(&schema["items"]))),
            (Some("object"), _) if schema.get("properties").is_some() => Self::Object(columns(schema)),
            (Some("object"), _) => Self::OpenObject,
            _ => Self::Text,
        }
    }
}

fn columns(schema: &Value) -> Vec<Column> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, schema)| Column { name: name.clone(), kind: Kind::new(schema), is_required: schema["type"].is_string() })
        .collect()
}
