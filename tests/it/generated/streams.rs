//! Generates the tables of docs/streams.md from the types.

use std::fmt::Write;

use clap::ValueEnum;
use serde_json::Value;
use tap_microsoft_teams::{
    cli::{Nested, Reader},
    schema,
    streams::{CHANNELS, MESSAGE_REPLIES, MESSAGES, Stream},
};

/// The document with new tables between `<!-- generated: NAME -->` and `<!-- end -->`.
pub fn with_tables(document: &str) -> String {
    let (open, close, end) = ("<!-- generated: ", " -->\n", "<!-- end -->");
    let mut parts = document.split(open);
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(close).unwrap();
        let (_, rest) = rest.split_once(end).unwrap();
        write!(text, "{open}{name}{close}{}{end}{rest}", table(name)).unwrap();
    }
    text
}

fn table(name: &str) -> String {
    match name {
        "streams" => {
            format!(
                "| stream | description | primary key | cursor | permissions |\n|---|---|---|---|---|\n{}",
                Stream::all().map(summary).collect::<String>()
            )
        }
        "readers" => {
            format!(
                "| `--for` | prints | text | date-time | boolean | object, list |\n|---|---|---|---|---|---|\n{}",
                Reader::value_variants().iter().map(|reader| reader_types(*reader)).collect::<String>()
            )
        }
        "message_replies" => fields(&MESSAGE_REPLIES, |name, schema| MESSAGES.schema()["properties"][name] != *schema),
        name => fields(Stream::by_name(name).unwrap(), |_, _| true),
    }
}

fn summary(stream: &Stream) -> String {
    let code = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    format!(
        "| [`{0}`](#{0}) | {1} | {2} | {3} | {4} |\n",
        stream.name,
        stream.description.trim_end_matches('.'),
        code(stream.primary_key),
        stream.cursor.map(|cursor| code(&[cursor])).unwrap_or_default(),
        code(&stream.permissions.iter().map(|permission| permission.least_privileged()).collect::<Vec<_>>()),
    )
}

/// A row of the table of readers: how each declares the types of a channel's columns.
fn reader_types(reader: Reader) -> String {
    let value = reader.to_possible_value().unwrap();
    let text = schema::text(reader, &[&CHANNELS, &MESSAGES], Nested::Json);
    let declared = |column: &str| {
        let line = text.lines().find(|line| line.contains(column)).unwrap();
        let (_, kind) = line.split_once(column).unwrap();
        let kind = kind.trim_start_matches(['"', '`', '\'', ':', ',', ' ']).trim_end_matches([',', '\'', '"']);
        // The parenthesis of the call that the line is in.
        let is_open = kind.matches(')').count() > kind.matches('(').count();
        if is_open { &kind[..kind.len() - 1] } else { kind }.to_owned()
    };
    let types = ["displayName", "createdDateTime", "isArchived", "attachments"].map(|column| format!("`{}`", declared(column)));
    format!("| `{}` | {} | {} |\n", value.get_name(), value.get_help().unwrap(), types.join(" | "))
}

/// The selected fields of a stream, followed by those of nested objects.
fn fields(stream: &Stream, wanted: impl Fn(&str, &Value) -> bool) -> String {
    let mut table = "| field | type | null | meaning |\n|---|---|---|---|\n".to_owned();
    for (name, schema) in stream.schema()["properties"].as_object().unwrap() {
        if wanted(name, schema) {
            rows(name, schema, &mut table);
        }
    }
    table
}

fn rows(path: &str, schema: &Value, table: &mut String) {
    let can_be_null = schema["type"].is_array();
    let kind = if can_be_null { &schema["type"][0] } else { &schema["type"] };
    let kind = match (kind.as_str().unwrap(), schema["format"].as_str()) {
        (_, Some(format)) => format.to_owned(),
        ("array", _) => format!("list of {}s", schema["items"]["type"][0].as_str().or(schema["items"]["type"].as_str()).unwrap()),
        (kind, _) => kind.to_owned(),
    };
    let meaning = schema["description"].as_str().unwrap();
    writeln!(table, "| `{path}` | {kind} | {} | {meaning} |", if can_be_null { "yes" } else { "no" }).unwrap();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        rows(&format!("{path}.{name}"), schema, table);
    }
}
