//! SQL for ClickHouse. The tables keep the last inserted row of each key.

use super::{
    sql::{double_quotes as quote, key, lines, names},
    table::{Column, Kind, Table},
};
use crate::cli::Nested;

pub(super) fn section(table: &Table, nested: Nested) -> String {
    let name = table.name;
    let declarations: Vec<_> = table.columns.iter().map(|column| format!("{} {}", quote(&column.name), declared(column, nested))).collect();
    let structure = lines(declarations.iter().map(|declaration| declaration.replace('\'', "\\'")), "    ");
    let declarations = lines(declarations, "    ");
    let key = key(table, quote);
    let (note, truncate) = match table.cursor {
        Some(_) => ("keeps the last inserted row of each key, so load the files of several runs in order", String::new()),
        None => ("each file contains all rows, so the newest file replaces the table", format!("TRUNCATE TABLE {name};\n")),
    };
    format!(
        "-- {name}: {note}. Read with FINAL: SELECT * FROM {name} FINAL\n\
        CREATE TABLE IF NOT EXISTS {name} (\n    {declarations}\n) ENGINE = ReplacingMergeTree ORDER BY ({key});\n\
        {truncate}INSERT INTO {name}\n    ({})\n\
        SELECT * FROM file('{name}.jsonl', JSONEachRow, '\n    {structure}\n')\n\
        SETTINGS input_format_json_read_objects_as_strings = 1, max_insert_threads = 1, max_threads = 1;\n",
        names(table, quote, "    ")
    )
}

fn declared(column: &Column, nested: Nested) -> String {
    let kind = kind(&column.kind, nested);
    match &column.kind {
        // In ClickHouse, lists and tuples cannot be null. They are empty instead.
        Kind::List(_) | Kind::Object(_) if nested == Nested::Typed => kind,
        _ if column.is_required => kind,
        _ => format!("Nullable({kind})"),
    }
}

fn kind(kind: &Kind, nested: Nested) -> String {
    match kind {
        Kind::DateTime => "DateTime64(6, 'UTC')".to_owned(),
        Kind::Boolean => "Bool".to_owned(),
        Kind::Integer => "Int64".to_owned(),
        Kind::List(item) if nested == Nested::Typed => format!("Array(Nullable({}))", self::kind(item, nested)),
        Kind::Object(fields) if nested == Nested::Typed => {
            let fields = fields.iter().map(|field| format!("{} {}", quote(&field.name), declared(field, nested)));
            format!("Tuple({})", fields.collect::<Vec<_>>().join(", "))
        }
        _ => "String".to_owned(),
    }
}
