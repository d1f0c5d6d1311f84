//! Derives the columns of a stream from its schema, and writes records. A record contains every selected column once, in order, with a value of
//! the column's declared type.
//!
//! Values are copied verbatim from Graph's response. A value that does not match the type of its column is written unchanged to
//! `_additional_properties`. A value that some JSON parsers reject is written there too, as a string.

use std::{borrow::Cow, collections::HashMap};

use serde_json::Value;

use super::{
    parts::{self, elements, string},
    portable::is_portable,
    value::column_date_time,
};

/// The column for Graph properties that are not in the schema.
const ADDITIONAL: &str = "_additional_properties";

/// The column that is true if Graph reported the entity as removed.
const IS_REMOVED: &str = "is_removed";

/// The names and JSON values of an item's properties, including nulls. If a name is repeated, the last value that is not null is used.
pub trait Fields<'a>: Iterator<Item = (&'a str, &'a str)> {}

impl<'a, I: Iterator<Item = (&'a str, &'a str)>> Fields<'a> for I {}

/// The value of a column that the connector adds.
#[derive(Clone, Copy, Debug)]
pub enum Added<'a> {
    /// A string, such as the id of the requested team.
    Text(&'a str),
    /// A string that is already JSON.
    Quoted(&'a str),
    /// `true`. Added columns are never `false`.
    True,
}

/// The columns of a stream.
#[derive(Clone, Debug)]
pub struct Columns {
    columns: Vec<Column>,
    /// The indexes of the columns that come from Graph, by name length. Few names have the same length, so lookups are fast.
    by_length: Vec<Vec<usize>>,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    /// `"name":`
    prefix: String,
    value_type: ValueType,
    origin: Origin,
    selected: bool,
}

/// Where the value of a column comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Origin {
    /// Graph's property of the same name.
    Graph,
    /// Added by the connector, such as the id of the requested team. Unlike Graph's camelCase names, the names of these columns contain an
    /// underscore.
    Added,
    /// Properties that have no column of their own.
    Additional,
    /// When the entity was deleted, if Graph reports it: `deletedDateTime`, or the time at which it was reported as removed.
    DeletionTime,
}

/// The type of a column. All columns are nullable.
#[derive(Clone, Debug)]
enum ValueType {
    Text,
    DateTime,
    /// JSON in a string.
    JsonText,
    Boolean,
    Integer,
    Array(Box<ValueType>),
    /// An object with its declared properties.
    Object(Vec<Property>),
    /// Any value.
    Any,
}

/// A declared property of an object.
#[derive(Clone, Debug)]
struct Property {
    name: String,
    value_type: ValueType,
    selected: bool,
}

impl Columns {
    /// Creates the columns of a schema, in its order.
    pub fn from_schema(schema: &Value) -> Self {
        let columns: Vec<_> = properties(schema)
            .map(|(name, property)| Column {
                name: name.clone(),
                prefix: format!("{}:", Value::from(name.as_str())),
                value_type: ValueType::from_schema(property),
                origin: match name.as_str() {
                    ADDITIONAL => Origin::Additional,
                    name if name.contains('_') => Origin::Added,
                    _ => Origin::Graph,
                },
                selected: true,
            })
            .collect();
        let mut by_length = Vec::new();
        for (at, column) in columns.iter().enumerate().filter(|(_, column)| column.origin == Origin::Graph) {
            by_length.resize_with(by_length.len().max(column.name.len() + 1), Vec::new);
            by_length[column.name.len()].push(at);
        }
        Self { columns, by_length }
    }

    /// The names of the selected columns, in the order of the schema.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.selected).map(|column| column.name.as_str())
    }

    /// Whether records show that an entity was deleted.
    pub fn shows_deletions(&self) -> bool {
        let shows = |column: &Column| column.selected && (column.origin == Origin::DeletionTime || column.name == "deletedDateTime");
        self.columns.iter().any(shows)
    }

    /// Whether the column (or the property within a column) at this path is selected.
    pub fn selects(&self, path: &[&str]) -> bool {
        let Some((column, nested)) = path.split_first() else { return true };
        let column = self.columns.iter().find(|known| known.name == *column);
        column.is_some_and(|column| match (&column.value_type, nested) {
            (ValueType::Object(declared), [name]) => {
                column.selected && declared.iter().all(|property| property.selected || property.name != *name)
            }
            _ => column.selected,
        })
    }

    /// The selected columns whose declared properties are all deselected, so that they are always empty.
    pub fn empty_objects(&self) -> impl Iterator<Item = &str> {
        let is_empty = |value_type: &ValueType| matches!(value_type, ValueType::Object(declared) if !declared.is_empty() && declared.iter().all(|property| !property.selected));
        self.columns.iter().filter(move |column| column.selected && is_empty(&column.value_type)).map(|column| column.name.as_str())
    }

    /// Selects the columns, and the declared properties of columns, whose path `is_selected` accepts.
    #[must_use]
    pub fn selecting(mut self, is_selected: impl Fn(&[&str]) -> bool) -> Self {
        for column in &mut self.columns {
            column.selected = is_selected(&[&column.name]);
            if let ValueType::Object(declared) = &mut column.value_type {
                declared.iter_mut().for_each(|property| property.selected = is_selected(&[&column.name, &property.name]));
            }
        }
        self
    }

    /// Adds a column for the time at which the entity was deleted.
    #[must_use]
    pub fn with_deletion_time(mut self, name: &str) -> Self {
        let prefix = format!("{}:", Value::from(name));
        self.columns.push(Column {
            name: name.to_owned(),
            prefix,
            value_type: ValueType::DateTime,
            origin: Origin::DeletionTime,
            selected: true,
        });
        self
    }

    /// Appends the record of an item to `out`, as JSON without line breaks.
    pub fn write<'a>(&self, fields: impl Fields<'a>, derived: &[(&str, Added<'_>)], out: &mut Vec<u8>) {
        let mut received: Vec<Option<&str>> = vec![None; self.columns.len()];
        let mut additional: Vec<(&str, &str)> = Vec::new();
        for (name, value) in fields {
            match self.index_of(name) {
                Some(at) if value == "null" && received[at].is_some() => {}
                Some(at) => received[at] = Some(value),
                None => additional.push((name, value)),
            }
        }
        let mut values: Vec<Cow<'_, str>> = Vec::with_capacity(self.columns.len());
        for (column, received) in self.columns.iter().zip(received) {
            let value = column.value_type.convert(received.unwrap_or("null"));
            if value.is_none() {
                additional.extend(received.map(|received| (column.name.as_str(), received)));
            }
            values.push(value.unwrap_or(Cow::Borrowed("null")));
        }
        out.push(b'{');
        for (column, value) in self.columns.iter().zip(&values).filter(|(column, _)| column.selected) {
            out.extend_from_slice(column.prefix.as_bytes());
            match column.origin {
                Origin::Graph => out.extend_from_slice(value.as_bytes()),
                Origin::Added => write_derived(find(derived, &column.name), out),
                Origin::Additional => write_additional(&additional, out),
                Origin::DeletionTime => out.extend_from_slice(self.deletion_time(&values, derived).as_bytes()),
            }
            out.push(b',');
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b'}');
    }

    /// Converts a string, such as a CSV value, to JSON for this column. An empty string becomes null. If the value does not match the type of the
    /// column, it remains a string.
    pub fn to_json(&self, name: &str, text: &str) -> Cow<'static, str> {
        let value_type = self.index_of(name).map(|at| &self.columns[at].value_type);
        match (value_type, text) {
            (_, "") => Cow::Borrowed("null"),
            (Some(ValueType::Boolean), "Yes" | "True" | "TRUE" | "true") => Cow::Borrowed("true"),
            (Some(ValueType::Boolean), "No" | "False" | "FALSE" | "false") => Cow::Borrowed("false"),
            (Some(ValueType::Integer), _) if text.parse::<i64>().is_ok_and(|number| number.to_string() == text) => {
                Cow::Owned(text.to_owned())
            }
            _ => Cow::Owned(quoted(text)),
        }
    }

    /// The index of the column for a Graph property.
    fn index_of(&self, name: &str) -> Option<usize> {
        let candidates = self.by_length.get(name.len())?;
        candidates.iter().copied().find(|&at| self.columns[at].name == name)
    }

    fn deletion_time<'v>(&self, values: &'v [Cow<'_, str>], derived: &[(&str, Added<'_>)]) -> &'v str {
        let value = |name: &str| self.index_of(name).map_or("null", |at| &*values[at]);
        match find(derived, IS_REMOVED) {
            Some(Added::True) => value("lastModifiedDateTime"),
            _ => value("deletedDateTime"),
        }
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

impl ValueType {
    fn from_schema(schema: &Value) -> Self {
        let name = match schema.get("type") {
            Some(Value::Array(names)) => names.first().and_then(Value::as_str),
            Some(name) => name.as_str(),
            None => None,
        };
        match name {
            Some("string") if schema.get("format").is_some_and(|format| format == "date-time") => Self::DateTime,
            Some("string") if schema.get("contentMediaType").is_some() => Self::JsonText,
            Some("string") => Self::Text,
            Some("boolean") => Self::Boolean,
            Some("integer") => Self::Integer,
            Some("array") => Self::Array(Box::new(schema.get("items").map_or(Self::Any, Self::from_schema))),
            Some("object") => {
                let property = |(name, schema): (&String, &Value)| Property {
                    name: name.clone(),
                    value_type: Self::from_schema(schema),
                    selected: true,
                };
                Self::Object(properties(schema).map(property).collect())
            }
            _ => Self::Any,
        }
    }

    /// Converts a JSON value to the type of the column. [`None`] if it does not match.
    fn convert<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let unchanged = Cow::Borrowed(text);
        match (self, text.as_bytes().first()?) {
            (_, b'n') | (Self::Text | Self::JsonText, b'"') | (Self::Boolean, b't' | b'f') => Some(unchanged),
            (Self::Integer, b'-' | b'0'..=b'9') => (is_portable(text) && !text.contains(['.', 'e', 'E'])).then_some(unchanged),
            (Self::Any, _) => is_portable(text).then_some(unchanged),
            (Self::DateTime, b'"') => date_time(text),
            (Self::JsonText, _) => Some(Cow::Owned(quoted(text))),
            (Self::Array(value_type), b'[') => elements(text).all(|element| value_type.convert(element).is_some()).then_some(unchanged),
            (Self::Object(declared), b'{') if declared.is_empty() => is_portable(text).then_some(unchanged),
            (Self::Object(declared), b'{') => {
                let declaration = |name: &str| declared.iter().find(|property| property.name == name);
                let fits = |(name, value): (Cow<'_, str>, &str)| match declaration(&name) {
                    Some(property) => property.value_type.convert(value).is_some(),
                    None => is_portable(value),
                };
                if !parts::properties(text).all(fits) {
                    return None;
                }
                Some(if declared.iter().all(|property| property.selected) {
                    unchanged
                } else {
                    Cow::Owned(without_deselected(declared, text))
                })
            }
            _ => None,
        }
    }
}

/// Converts a quoted date-time to the format used in columns. An empty string becomes null.
fn date_time(json: &str) -> Option<Cow<'_, str>> {
    if json == "\"\"" {
        return Some(Cow::Borrowed("null"));
    }
    let text = string(json)?;
    match column_date_time(&text)? {
        // It already has that format, without escapes.
        Cow::Borrowed(text) if text.len() + 2 == json.len() => Some(Cow::Borrowed(json)),
        text => Some(Cow::Owned(["\"", &text, "\""].concat())),
    }
}

fn find<'d>(derived: &[(&str, Added<'d>)], name: &str) -> Option<Added<'d>> {
    derived.iter().find(|(column, _)| *column == name).map(|(_, value)| *value)
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn write_derived(value: Option<Added<'_>>, out: &mut Vec<u8>) {
    match value {
        Some(Added::Text(text)) => write_string(text, out),
        Some(Added::Quoted(json)) => out.extend_from_slice(json.as_bytes()),
        Some(Added::True) => out.extend_from_slice(b"true"),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_additional(fields: &[(&str, &str)], out: &mut Vec<u8>) {
    if fields.is_empty() {
        out.extend_from_slice(b"null");
        return;
    }
    let last: HashMap<&str, usize> = fields.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    out.push(b'{');
    let effective = fields.iter().enumerate().filter(|(at, (name, _))| last[name] == *at).map(|(_, field)| field);
    for (name, value) in effective {
        write_string(name, out);
        out.push(b':');
        match is_portable(value) {
            true => out.extend_from_slice(value.as_bytes()),
            false => write_string(value, out),
        }
        out.push(b',');
    }
    out.pop();
    out.push(b'}');
}

/// Removes the deselected properties of an object.
fn without_deselected(declared: &[Property], object: &str) -> String {
    let is_selected = |name: &str| declared.iter().all(|property| property.selected || property.name != name);
    let kept = parts::properties(object).filter(|(name, _)| is_selected(name));
    let kept: Vec<_> = kept.map(|(name, value)| format!("{}:{value}", quoted(&name))).collect();
    format!("{{{}}}", kept.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::RawValue};

    use super::*;
    use crate::{
        record::json_schema,
        streams::{Message, Team},
    };

    fn record<T: schemars::JsonSchema>(item: &str, derived: &[(&str, Added<'_>)]) -> Value {
        let fields: Vec<(String, Box<RawValue>)> = serde_json::from_str::<serde_json::Map<String, Value>>(item)
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name, serde_json::value::to_raw_value(&value).unwrap()))
            .collect();
        let mut out = Vec::new();
        Columns::from_schema(&json_schema::<T>()).write(fields.iter().map(|(name, value)| (name.as_str(), value.get())), derived, &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn strings_are_converted_to_the_type_of_the_column() {
        let columns = Columns::from_schema(
            &serde_json::json!({"properties": {"name": {"type": "string"}, "used": {"type": ["boolean", "null"]}, "count": {"type": ["integer", "null"]}}}),
        );
        for (name, text, json) in [
            ("name", "", "null"),
            ("name", "Yes", "\"Yes\""),
            ("name", "a \"b\"", r#""a \"b\"""#),
            ("used", "Yes", "true"),
            ("used", "False", "false"),
            ("used", "Perhaps", "\"Perhaps\""),
            ("count", "-7", "-7"),
            ("count", "007", "\"007\""),
            ("unknown", "7", "\"7\""),
        ] {
            assert_eq!(columns.to_json(name, text), json, "{name}: {text}");
        }
        let mut record = Vec::new();
        columns.write([("count", "1.5"), ("used", "\"Perhaps\"")].into_iter(), &[], &mut record);
        assert_eq!(String::from_utf8(record).unwrap(), r#"{"name":null,"used":null,"count":null}"#);
    }

    #[test]
    fn writing_many_properties_takes_linear_time() {
        let (names, began): (Vec<_>, _) = ((0..200_000).map(|at| format!("p{}", at % 150_000)).collect(), std::time::Instant::now());
        let mut record = Vec::new();
        Columns::from_schema(&json_schema::<Message>()).write(names.iter().map(|name| (name.as_str(), "1")), &[], &mut record);
        let record: Value = serde_json::from_slice(&record).unwrap();
        assert_eq!(record[ADDITIONAL].as_object().unwrap().len(), 150_000);
        assert!(began.elapsed().as_secs() < 10);
    }

    #[test]
    fn records_have_all_columns_in_the_order_of_the_schema() {
        let record = record::<Message>(r#"{"id":"1"}"#, &[("team_id", Added::Text("t\"1"))]);
        let schema = json_schema::<Message>();
        assert!(record.as_object().unwrap().keys().eq(schema["properties"].as_object().unwrap().keys()));
        assert_eq!(record["team_id"], "t\"1");
        assert_eq!(record["is_removed"], Value::Null);
        assert_eq!(record["_additional_properties"], Value::Null);
    }

    #[test]
    fn values_of_another_type_are_written_unchanged_to_additional_properties() {
        let item = json!({
            "id": "1", "subject": 5, "createdDateTime": "soon", "lastModifiedDateTime": "", "deletedDateTime": "0001-01-01T00:00:00Z",
            "body": "not an object", "attachments": {"not": "a list"}, "mentions": ["not an object"], "reactions": [{"a": 1}, null], "from": [],
            "team_id": "sent by Graph", "brandNew": {"a": [1.50, null]},
        });
        let record = record::<Message>(&item.to_string(), &[("team_id", Added::Text("ours"))]);
        for name in ["subject", "createdDateTime", "lastModifiedDateTime", "deletedDateTime", "body", "attachments", "mentions", "from"] {
            assert_eq!(record[name], Value::Null, "{name}");
        }
        assert_eq!(record["reactions"], json!([{"a": 1}, null]));
        assert_eq!(record["team_id"], "ours");
        let additional = record["_additional_properties"].as_object().unwrap();
        for name in ["subject", "createdDateTime", "deletedDateTime", "body", "attachments", "mentions", "from", "team_id", "brandNew"] {
            assert_eq!(additional[name], item[name], "{name}");
        }
        assert_eq!(additional.len(), 9);
    }

    #[test]
    fn date_times_are_converted_to_one_format() {
        let expected = "\"2026-11-20T10:00:00.000000Z\"";
        let others = [r#""2026-11-20T10:00:00Z""#, r#""2026-11-20t10:00:00z""#, r#""2026-11-20T12:00:00+02:00""#];
        for same in others.into_iter().chain([expected, r#""2026-11-20T10:\u00300:00.000000Z""#]) {
            assert_eq!(date_time(same).as_deref(), Some(expected), "{same}");
        }
        assert_eq!(date_time(r#""""#).as_deref(), Some("null"));
        assert_eq!(date_time(r#""2026""#), None);
    }

    #[test]
    fn a_body_whose_content_is_not_a_string_is_an_additional_property() {
        assert_eq!(record::<Message>(r#"{"id":"1","body":{"content":"x","new":1}}"#, &[])["body"], json!({"content": "x", "new": 1}));
        let other = record::<Message>(r#"{"id":"1","body":{"content":7}}"#, &[]);
        assert_eq!((&other["body"], &other["_additional_properties"]), (&Value::Null, &json!({"body": {"content": 7}})));
    }

    #[test]
    fn values_that_some_parsers_reject_become_strings_in_additional_properties() {
        let deep = format!("{}{}", "[".repeat(51), "]".repeat(51));
        let body = format!(r#"{{"content":"x","new":{deep}}}"#);
        let fields = [
            ("id", "\"1\""),
            ("from", r#"{"user":{"age":1e400}}"#),
            ("mentions", r#"[{"a":1},{"b":[1e999]}]"#),
            ("body", &body),
            ("subject", &deep),
            ("new", "-1e400"),
            ("newer", "[1.50]"),
        ];
        let mut out = Vec::new();
        Columns::from_schema(&json_schema::<Message>()).write(fields.into_iter(), &[], &mut out);
        let record: Value = serde_json::from_slice(&out).unwrap();
        for name in ["from", "mentions", "body", "subject"] {
            assert_eq!(record[name], Value::Null, "{name}");
        }
        let additional =
            json!({"from": fields[1].1, "mentions": fields[2].1, "body": body, "subject": deep, "new": "-1e400", "newer": [1.5]});
        assert_eq!(record["_additional_properties"], additional);
    }

    #[test]
    fn settings_are_written_as_json_in_a_string() {
        let record = record::<Team>(r#"{"id":"1","funSettings":{"allowGiphy":true,"giphyContentRating":"strict"}}"#, &[]);
        assert_eq!(record["funSettings"], r#"{"allowGiphy":true,"giphyContentRating":"strict"}"#);
    }

    #[test]
    fn deselected_columns_are_not_written() {
        let columns = Columns::from_schema(&json_schema::<Message>())
            .selecting(|path| matches!(path, ["id" | "body" | "team_id"] | ["body", "contentType"]));
        let mut out = Vec::new();
        let fields = [("id", "\"1\""), ("subject", "\"x\""), ("body", r#"{"contentType":"text","content":"y","new":1}"#)];
        columns.write(fields.into_iter(), &[("team_id", Added::Text("t"))], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"id":"1","team_id":"t","body":{"contentType":"text","new":1}}"#);
        assert_eq!(columns.names().collect::<Vec<_>>(), ["id", "team_id", "body"]);
    }

    #[test]
    fn the_deletion_time_comes_from_the_message_or_its_removal() {
        let columns =
            Columns::from_schema(&json_schema::<Message>()).with_deletion_time("deleted_at").selecting(|path| path == ["deleted_at"]);
        let written = |removed: &[_]| {
            let mut out = Vec::new();
            let fields = [("deletedDateTime", "\"2026-01-01T00:00:00Z\""), ("lastModifiedDateTime", "\"2026-02-02T00:00:00Z\"")];
            columns.write(fields.into_iter(), removed, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(&[]), r#"{"deleted_at":"2026-01-01T00:00:00.000000Z"}"#);
        assert_eq!(written(&[(IS_REMOVED, Added::True)]), r#"{"deleted_at":"2026-02-02T00:00:00.000000Z"}"#);
    }

    #[test]
    fn the_last_value_that_is_not_null_wins() {
        let mut out = Vec::new();
        let fields = [
            ("displayName", "\"group\""),
            ("description", "\"kept\""),
            ("x", "1"),
            ("displayName", "\"team\""),
            ("description", "null"),
            ("x", "2"),
        ];
        Columns::from_schema(&json_schema::<Team>()).write(fields.into_iter(), &[], &mut out);
        let record: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&record["displayName"], &record["description"]), (&json!("team"), &json!("kept")));
        assert_eq!(record["_additional_properties"], json!({"x": 2}));
    }
}
