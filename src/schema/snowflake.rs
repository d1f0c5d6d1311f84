//! SQL for Snowflake: loads each line as a VARIANT, extracts the columns and merges them into the table.

use super::{
    sql::{assignments, declarations, double_quotes as quote, is_newer, key, lines, names, newest_first, same_key},
    table::{Column, Kind, Table},
};
use crate::cli::Nested;

pub(super) fn section(table: &Table, nested: Nested) -> String {
    let name = table.name;
    let declarations = declarations(table, quote, kind, nested, "    ");
    let values = lines(table.columns.iter().map(|column| value(column, nested)), "        ");
    let (key, names) = (key(table, quote), names(table, quote, "    "));
    let order = newest_first(table, quote).unwrap_or_else(|| key.clone());
    let source =
        format!("SELECT\n        {values}\n    FROM {name}_new\n    QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order}) = 1");
    // The pattern matches whole file names: `members` must not match `channel_members`.
    let suffix = if table.cursor.is_some() { "[^/]*" } else { "" };
    let load = format!(
        "CREATE OR REPLACE TEMPORARY TABLE {name}_new (line VARIANT);\n\
        COPY INTO {name}_new FROM @your_stage PATTERN = '(.*/)?{name}{suffix}[.]jsonl' FILE_FORMAT = (TYPE = JSON);\n"
    );
    let Some(is_newer) = is_newer(table, quote, "source", "target") else {
        return format!(
            "-- {name}: each file contains all rows, so the newest file replaces the table.\n\
            {load}CREATE OR REPLACE TABLE {name} (\n    {declarations}\n) AS\n    {source};\n"
        );
    };
    let inserted = table.columns.iter().map(|column| format!("source.{}", quote(&column.name)));
    format!(
        "-- {name}: keeps the newest row of each key.\n\
        CREATE TABLE IF NOT EXISTS {name} (\n    {declarations},\n    PRIMARY KEY ({key})\n);\n\
        {load}MERGE INTO {name} AS target\n\
        USING (\n    {source}\n) AS source\n\
        ON {}\n\
        WHEN MATCHED AND {is_newer} THEN UPDATE SET\n    {}\n\
        WHEN NOT MATCHED THEN INSERT (\n    {names}\n) VALUES (\n    {}\n);\n",
        same_key(table, quote),
        assignments(table, quote, "source", "    "),
        lines(inserted, "    "),
    )
}

/// The value of a column in a line. Without `strip_null_value`, a JSON null would not be an SQL null.
fn value(column: &Column, nested: Nested) -> String {
    let name = quote(&column.name);
    match (&column.kind, kind(&column.kind, nested)) {
        (kind, _) if kind.is_nested() && nested == Nested::Json => format!("strip_null_value(line:{name}) AS {name}"),
        (Kind::OpenObject, _) => format!("strip_null_value(line:{name}) AS {name}"),
        (_, kind) => format!("line:{name}::{kind} AS {name}"),
    }
}

fn kind(kind: &Kind, nested: Nested) -> String {
    match kind {
        Kind::Text => "VARCHAR".to_owned(),
        Kind::DateTime => "TIMESTAMP_TZ".to_owned(),
        Kind::Boolean => "BOOLEAN".to_owned(),
        Kind::Integer => "NUMBER".to_owned(),
        Kind::List(_) if nested == Nested::Typed => "ARRAY".to_owned(),
        Kind::Object(_) if nested == Nested::Typed => "OBJECT".to_owned(),
        _ => "VARIANT".to_owned(),
    }
}
