//! Generates the tables of docs/streams.md from the types.

use std::fmt::Write;

use serde_json::Value;
use tap_microsoft_teams::streams::{MESSAGE_REPLIES, MESSAGES, Stream};

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
        "tables" => format!("```sql\n-- tables\n{}```\n", Stream::defaults().map(create_table).collect::<String>()),
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

/// The statement that creates a DuckDB table from a file of records.
fn create_table(stream: &Stream) -> String {
    let columns = stream.schema()["properties"].as_object().unwrap().iter().map(|(name, schema)| {
        let column = match (schema["type"].as_str().or(schema["type"][0].as_str()).unwrap(), schema["format"].as_str()) {
            ("string", Some("date-time")) => "TIMESTAMPTZ",
            ("string", _) => "VARCHAR",
            ("boolean", _) => "BOOLEAN",
            _ => "JSON",
        };
        format!("\"{name}\": '{column}'")
    });
    let columns = textwrap::fill(&columns.collect::<Vec<_>>().join(", ").replace(": ", ":\u{a0}"), 130).replace('\u{a0}', " ");
    let columns = textwrap::indent(&columns, "  ");
    format!("CREATE TABLE {0} AS FROM read_json('{0}.jsonl', columns = {{\n{columns}\n}});\n", stream.name)
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
