//! Python code for dlt: a resource with a type for every column, because dlt infers the type of a column from its first value. `dedup_sort`
//! makes it keep the newest row of a key instead of the first.

use super::table::{Column, Kind, Table};
use crate::cli::Nested;

pub(super) const HEAD: &str = "import glob\nimport json\n\nimport dlt\n\n\
    def lines(pattern):\n    for path in sorted(glob.glob(pattern)):\n        with open(path, encoding=\"utf-8\") as file:\n            \
    for line in file:\n                yield json.loads(line)\n\n\n";

pub(super) fn section(table: &Table, nested: Nested) -> String {
    let name = table.name;
    let hints = table.columns.iter().filter_map(|column| Some(format!("        \"{}\": {},\n", column.name, hint(table, column, nested)?)));
    let key: Vec<_> = table.key.iter().map(|name| format!("\"{name}\"")).collect();
    let (disposition, files) = match table.cursor {
        Some(_) => ("merge", format!("{name}*.jsonl")),
        None => ("replace", format!("{name}.jsonl")),
    };
    format!(
        "@dlt.resource(\n    name=\"{name}\",\n    primary_key=[{}],\n    write_disposition=\"{disposition}\",\n    columns={{\n{}    }},\n)\n\
        def {name}():\n    yield from lines(\"{files}\")\n\n",
        key.join(", "),
        hints.collect::<String>(),
    )
}

/// The hint for a column, or [`None`] if dlt creates a child table.
fn hint(table: &Table, column: &Column, nested: Nested) -> Option<String> {
    let kind = match &column.kind {
        Kind::List(_) | Kind::Object(_) if nested == Nested::Typed => return None,
        Kind::Text => "text",
        Kind::DateTime => "timestamp",
        Kind::Boolean => "bool",
        Kind::Integer => "bigint",
        _ => "json",
    };
    let nullable = if column.is_required { ", \"nullable\": False" } else { "" };
    let newest = if table.cursor == Some(column.name.as_str()) { ", \"dedup_sort\": \"desc\"" } else { "" };
    Some(format!("{{\"data_type\": \"{kind}\"{nullable}{newest}}}"))
}
