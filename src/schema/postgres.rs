//! SQL for psql. `\copy` uses delimiters that never occur in JSON, because its text format would interpret backslashes.

use super::{
    sql::{assignments, declarations, double_quotes as quote, is_newer, key, lines, names, newest_first},
    table::{Kind, Table},
};
use crate::cli::Nested;

pub(super) fn section(table: &Table, nested: Nested) -> String {
    let name = table.name;
    let declarations = declarations(table, quote, kind, nested, "    ");
    let record = lines(table.columns.iter().map(|column| format!("{} {}", quote(&column.name), kind(&column.kind, nested))), "    ");
    let (key, names) = (key(table, quote), names(table, quote, "    "));
    let (note, delete) = match table.cursor {
        Some(_) => ("keeps the newest row of each key", String::new()),
        None => ("each file contains all rows, so the newest file replaces the table", format!("DELETE FROM {name};\n")),
    };
    let order = newest_first(table, quote).map_or_else(|| key.clone(), |newest| format!("{key}, {newest}"));
    let update = match is_newer(table, quote, "excluded", name) {
        Some(is_newer) => format!("UPDATE SET\n    {}\nWHERE {is_newer}", assignments(table, quote, "excluded", "    ")),
        None => "NOTHING".to_owned(),
    };
    format!(
        "-- {name}: {note}.\n\
        CREATE TABLE IF NOT EXISTS {name} (\n    {declarations},\n    PRIMARY KEY ({key})\n);\n\
        BEGIN;\n\
        CREATE TEMPORARY TABLE {name}_lines (line jsonb) ON COMMIT DROP;\n\
        \\copy {name}_lines FROM '{name}.jsonl' WITH (FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01')\n\
        {delete}INSERT INTO {name}\n    ({names})\n\
        SELECT DISTINCT ON ({key})\n    {names}\n\
        FROM {name}_lines, jsonb_to_record(line) AS record(\n    {record}\n)\n\
        ORDER BY {order}\n\
        ON CONFLICT ({key}) DO {update};\n\
        COMMIT;\n"
    )
}

fn kind(kind: &Kind, nested: Nested) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::DateTime => "timestamptz".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Integer => "bigint".to_owned(),
        Kind::List(item) if nested == Nested::Typed => format!("{}[]", self::kind(item, nested)),
        // A struct would require a composite type.
        _ => "jsonb".to_owned(),
    }
}
