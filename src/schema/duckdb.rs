//! SQL for DuckDB. `read_json` gets the type of every column, because DuckDB 2.0 otherwise treats a column that is null in its sample as null
//! everywhere.

use super::{
    sql::{assignments, declarations, double_quotes as quote, is_newer, key, lines, newest_first},
    table::{Kind, Table},
};
use crate::cli::Nested;

pub(super) const HEAD: &str = "SET TimeZone = 'UTC';\n\n";

pub(super) fn section(table: &Table, nested: Nested) -> String {
    let name = table.name;
    let types = lines(table.columns.iter().map(|column| format!("{}: '{}'", quote(&column.name), kind(&column.kind, nested))), "    ");
    let key = key(table, quote);
    let Some(newest) = newest_first(table, quote) else {
        return format!(
            "-- {name}: each file contains all rows, so the newest file replaces the table.\n\
            CREATE OR REPLACE TABLE {name} AS\n\
            FROM read_json('{name}.jsonl', format = 'newline_delimited', columns = {{\n    {types}\n}})\n\
            QUALIFY row_number() OVER (PARTITION BY {key}) = 1;\n"
        );
    };
    let declarations = declarations(table, quote, kind, nested, "    ");
    let is_newer = is_newer(table, quote, "excluded", name).unwrap_or_default();
    format!(
        "-- {name}: keeps the newest row of each key.\n\
        CREATE TABLE IF NOT EXISTS {name} (\n    {declarations},\n    PRIMARY KEY ({key})\n);\n\
        INSERT INTO {name} BY NAME\n\
        SELECT * FROM read_json('{name}*.jsonl', format = 'newline_delimited', columns = {{\n    {types}\n}})\n\
        QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {newest}) = 1\n\
        ON CONFLICT DO UPDATE SET\n    {}\n\
        WHERE {is_newer};\n",
        assignments(table, quote, "excluded", "    ")
    )
}

fn kind(kind: &Kind, nested: Nested) -> String {
    match kind {
        Kind::Text => "VARCHAR".to_owned(),
        Kind::DateTime => "TIMESTAMPTZ".to_owned(),
        Kind::Boolean => "BOOLEAN".to_owned(),
        Kind::Integer => "BIGINT".to_owned(),
        Kind::List(item) if nested == Nested::Typed => format!("{}[]", self::kind(item, nested)),
        Kind::Object(fields) if nested == Nested::Typed => {
            let fields = fields.iter().map(|field| format!("{} {}", quote(&field.name), self::kind(&field.kind, nested)));
            format!("STRUCT({})", fields.collect::<Vec<_>>().join(", "))
        }
        _ => "JSON".to_owned(),
    }
}
