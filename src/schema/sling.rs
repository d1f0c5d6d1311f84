//! A sling replication of JSON Lines files. `flatten: 1` creates one column per property and keeps nested values as JSON. Every column has a
//! type, because sling infers types from the first values and skips columns that appear later.

use super::table::{Kind, Table};
use crate::cli::Nested;

pub(super) const HEAD: &str = "# A replication for `sling run -r`. Load the files of several runs one at a time, oldest first: sling does not\n\
    # read files in the order of their names, so it could keep older rows.\n\
    source: LOCAL\ntarget: YOUR_TARGET\nenv:\n  SAMPLE_SIZE: 1000000\nstreams:\n";

pub(super) fn section(table: &Table, _: Nested) -> String {
    let name = table.name;
    let types = table.columns.iter().map(|column| format!("      {}: {}\n", column.name, kind(&column.kind)));
    let mode = match table.cursor {
        Some(_) => format!("incremental\n    primary_key: [{}]", table.key.join(", ")),
        None => "full-refresh".to_owned(),
    };
    format!(
        "  \"file://./{name}.jsonl\":\n    object: your_schema.{name}\n    mode: {mode}\n    source_options:\n      format: jsonlines\n      flatten: 1\n    \
        columns:\n{}",
        types.collect::<String>()
    )
}

fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::DateTime => "timestampz",
        Kind::Boolean => "bool",
        Kind::Integer => "bigint",
        _ => "json",
    }
}
