//! Python code for Spark: a schema for `spark.read`, and SQL that merges the rows into a Delta table.

use super::{
    sql::{assignments, backticks as quote, declarations, is_newer, key, lines, names, newest_first, same_key},
    table::{Kind, Table},
};
use crate::cli::Nested;

pub(super) const HEAD: &str = "# `spark` is the SparkSession.\n\n";

pub(super) fn section(table: &Table, nested: Nested) -> String {
    let name = table.name;
    let declarations = declarations(table, quote, kind, nested, "    ");
    let schema = format!("{name}_schema = \"\"\"\n    {declarations}\n\"\"\"\n");
    let (key, names) = (key(table, quote), names(table, quote, "    "));
    let order = newest_first(table, quote).unwrap_or_else(|| key.clone());
    let once = format!(
        "SELECT\n    {names}\n    FROM (SELECT *, row_number() OVER (PARTITION BY {key} ORDER BY {order}) AS version FROM {name}_new)\n    WHERE version = 1"
    );
    let Some(is_newer) = is_newer(table, quote, "source", "target") else {
        return format!(
            "# {name}: each file contains all rows, so the newest file replaces the table.\n{schema}\
            spark.read.schema({name}_schema).json(\"{name}.jsonl\").createOrReplaceTempView(\"{name}_new\")\n\
            spark.sql(f\"CREATE TABLE IF NOT EXISTS {name} ({{{name}_schema}}) USING delta\")\n\
            spark.sql(\"\"\"\n    INSERT OVERWRITE {name}\n    {once}\n\"\"\")\n"
        );
    };
    let inserted = table.columns.iter().map(|column| format!("source.{}", quote(&column.name)));
    format!(
        "# {name}: keeps the newest row of each key.\n{schema}\
        spark.read.schema({name}_schema).json(\"{name}*.jsonl\").createOrReplaceTempView(\"{name}_new\")\n\
        spark.sql(f\"CREATE TABLE IF NOT EXISTS {name} ({{{name}_schema}}) USING delta\")\n\
        spark.sql(\"\"\"\n    MERGE INTO {name} AS target\n    USING (\n    {once}\n    ) AS source\n    ON {}\n\
        \x20   WHEN MATCHED AND {is_newer} THEN UPDATE SET\n    {}\n\
        \x20   WHEN NOT MATCHED THEN INSERT (\n    {names}\n    ) VALUES (\n    {}\n    )\n\"\"\")\n",
        same_key(table, quote),
        assignments(table, quote, "source", "    "),
        lines(inserted, "    "),
    )
}

fn kind(kind: &Kind, nested: Nested) -> String {
    match kind {
        Kind::DateTime => "TIMESTAMP".to_owned(),
        Kind::Boolean => "BOOLEAN".to_owned(),
        Kind::Integer => "BIGINT".to_owned(),
        Kind::List(item) if nested == Nested::Typed => format!("ARRAY<{}>", self::kind(item, nested)),
        Kind::Object(fields) if nested == Nested::Typed => {
            let fields = fields.iter().map(|field| format!("{}: {}", quote(&field.name), self::kind(&field.kind, nested)));
            format!("STRUCT<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        // Spark reads an object into a string column as JSON text.
        _ => "STRING".to_owned(),
    }
}
