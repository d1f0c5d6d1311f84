//! SQL for BigQuery: loads the files into a staging table and merges it into the table.

use super::{
    sql::{assignments, backticks as quote, declarations, is_newer, key, names, newest_first, same_key},
    table::{Kind, Table},
};
use crate::cli::Nested;

pub(super) fn section(table: &Table, nested: Nested) -> String {
    let name = table.name;
    let declarations = declarations(table, quote, kind, nested, "  ");
    let load = |into: &str, files: &str| {
        format!(
            "LOAD DATA OVERWRITE {into} (\n  {declarations}\n)\n\
            FROM FILES (format = 'JSON', uris = ['gs://your-bucket/{files}.jsonl']);\n"
        )
    };
    let Some(newest) = newest_first(table, quote) else {
        return format!(
            "-- {name}: each file contains all rows, so the newest file replaces the table.\n{}",
            load(&format!("your_dataset.{name}"), name)
        );
    };
    let (key, names) = (key(table, quote), names(table, quote, "  "));
    format!(
        "-- {name}: keeps the newest row of each key.\n\
        CREATE TABLE IF NOT EXISTS your_dataset.{name} (\n  {declarations}\n) CLUSTER BY {key};\n\
        {}\
        MERGE your_dataset.{name} AS target\n\
        USING (\n  SELECT * FROM your_dataset.{name}_new WHERE true\n  QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {newest}) = 1\n) AS source\n\
        ON {}\n\
        WHEN MATCHED AND {} THEN UPDATE SET\n  {}\n\
        WHEN NOT MATCHED THEN INSERT (\n  {names}\n) VALUES (\n  {names}\n);\n",
        load(&format!("your_dataset.{name}_new"), &format!("{name}*")),
        same_key(table, quote),
        is_newer(table, quote, "source", "target").unwrap_or_default(),
        assignments(table, quote, "source", "  "),
    )
}

fn kind(kind: &Kind, nested: Nested) -> String {
    match kind {
        Kind::Text => "STRING".to_owned(),
        Kind::DateTime => "TIMESTAMP".to_owned(),
        Kind::Boolean => "BOOL".to_owned(),
        Kind::Integer => "INT64".to_owned(),
        Kind::List(item) if nested == Nested::Typed => format!("ARRAY<{}>", self::kind(item, nested)),
        Kind::Object(fields) if nested == Nested::Typed => {
            let fields = fields.iter().map(|field| format!("{} {}", quote(&field.name), self::kind(&field.kind, nested)));
            format!("STRUCT<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        _ => "JSON".to_owned(),
    }
}
