//! Python code for Polars, pandas and pyarrow. It parses the files with the `json` module, because the libraries' own JSON readers change or
//! reject some nested values.

use super::table::{Column, Kind, Table};
use crate::cli::Nested;

/// The code that all three share.
const READ: &str = r#"

def read(key, convert, pattern):
    """Reads JSON Lines files in the order of their names and keeps the last row of each key."""
    rows = {}
    for path in sorted(glob.glob(pattern)):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                rows[tuple(row[name] for name in key)] = convert(row)
    return list(rows.values())


"#;

const POLARS: &str = r#"def frame(schema, key, pattern):
    def convert(row):
        return {name: value(row[name], kind) for name, kind in schema.items()}

    return pl.DataFrame(read(key, convert, pattern), schema=schema)


def value(item, kind):
    if item is None:
        return None
    if kind == pl.Datetime:
        return datetime.fromisoformat(item.replace("Z", "+00:00"))
    if kind == pl.List:
        return [value(element, kind.inner) for element in item]
    if kind == pl.Struct:
        return {field.name: value(item.get(field.name), field.dtype) for field in kind.fields}
    if kind == pl.String and not isinstance(item, str):
        return json.dumps(item, ensure_ascii=False)
    return item


"#;

const PYARROW: &str = r#"def table(schema, key, pattern):
    def convert(row):
        return {field.name: value(row[field.name], field.type) for field in schema}

    return pa.Table.from_pylist(read(key, convert, pattern), schema=schema)


def value(item, kind):
    if item is None:
        return None
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(item.replace("Z", "+00:00"))
    if pa.types.is_list(kind):
        return [value(element, kind.value_type) for element in item]
    if pa.types.is_struct(kind):
        return {field.name: value(item.get(field.name), field.type) for field in kind}
    if pa.types.is_string(kind) and not isinstance(item, str):
        return json.dumps(item, ensure_ascii=False)
    return item


"#;

const PANDAS: &str = r#"def frame(types, key, pattern):
    def convert(row):
        return [value(row[name], kind) for name, kind in types.items()]

    frame = pd.DataFrame(read(key, convert, pattern), columns=list(types), dtype=object)
    for name, kind in types.items():
        if kind == "datetime":
            frame[name] = pd.to_datetime(frame[name], format="ISO8601", utc=True).astype("datetime64[us, UTC]")
        elif kind != "object":
            frame[name] = frame[name].astype("string" if kind == "json" else kind)
    return frame


def value(item, kind):
    return json.dumps(item, ensure_ascii=False) if kind == "json" and item is not None else item


"#;

pub(super) fn polars_head() -> String {
    format!("import glob\nimport json\nfrom datetime import datetime\n\nimport polars as pl\n{READ}{POLARS}")
}

pub(super) fn pyarrow_head() -> String {
    format!("import glob\nimport json\nfrom datetime import datetime\n\nimport pyarrow as pa\n{READ}{PYARROW}")
}

pub(super) fn pandas_head() -> String {
    format!("import glob\nimport json\n\nimport pandas as pd\n{READ}{PANDAS}")
}

pub(super) fn polars(table: &Table, nested: Nested) -> String {
    let types = table.columns.iter().map(|column| format!("    \"{}\": {},\n", column.name, polars_kind(&column.kind, nested)));
    section(table, "frame", &format!("{{\n{}}}", types.collect::<String>()))
}

fn polars_kind(kind: &Kind, nested: Nested) -> String {
    match kind {
        Kind::DateTime => "pl.Datetime(\"us\", \"UTC\")".to_owned(),
        Kind::Boolean => "pl.Boolean".to_owned(),
        Kind::Integer => "pl.Int64".to_owned(),
        Kind::List(item) if nested == Nested::Typed => format!("pl.List({})", polars_kind(item, nested)),
        Kind::Object(fields) if nested == Nested::Typed => {
            let fields = fields.iter().map(|field| format!("\"{}\": {}", field.name, polars_kind(&field.kind, nested)));
            format!("pl.Struct({{{}}})", fields.collect::<Vec<_>>().join(", "))
        }
        _ => "pl.String".to_owned(),
    }
}

pub(super) fn pyarrow(table: &Table, nested: Nested) -> String {
    let fields = table.columns.iter().map(|column| format!("        {},\n", pyarrow_field(column, nested)));
    section(table, "table", &format!("pa.schema(\n    [\n{}    ]\n)", fields.collect::<String>()))
}

fn pyarrow_field(column: &Column, nested: Nested) -> String {
    let nullable = if column.is_required { ", nullable=False" } else { "" };
    format!("pa.field(\"{}\", {}{nullable})", column.name, pyarrow_kind(&column.kind, nested))
}

fn pyarrow_kind(kind: &Kind, nested: Nested) -> String {
    match kind {
        Kind::DateTime => "pa.timestamp(\"us\", \"UTC\")".to_owned(),
        Kind::Boolean => "pa.bool_()".to_owned(),
        Kind::Integer => "pa.int64()".to_owned(),
        Kind::List(item) if nested == Nested::Typed => format!("pa.list_({})", pyarrow_kind(item, nested)),
        Kind::Object(fields) if nested == Nested::Typed => {
            let fields: Vec<_> = fields.iter().map(|field| pyarrow_field(field, nested)).collect();
            format!("pa.struct([{}])", fields.join(", "))
        }
        _ => "pa.string()".to_owned(),
    }
}

pub(super) fn pandas(table: &Table, nested: Nested) -> String {
    let types = table.columns.iter().map(|column| format!("    \"{}\": \"{}\",\n", column.name, pandas_kind(&column.kind, nested)));
    section(table, "frame", &format!("{{\n{}}}", types.collect::<String>()))
}

fn pandas_kind(kind: &Kind, nested: Nested) -> &'static str {
    match kind {
        Kind::Text => "string",
        Kind::DateTime => "datetime",
        Kind::Boolean => "boolean",
        Kind::Integer => "Int64",
        Kind::List(_) | Kind::Object(_) if nested == Nested::Typed => "object",
        _ => "json",
    }
}

/// The schema of a stream, and the line that reads its files. Incremental streams have one file per run.
fn section(table: &Table, function: &str, schema: &str) -> String {
    let name = table.name;
    let (note, files) = match table.cursor {
        Some(_) => ("Reads the files of all runs and keeps the last row of each key.", format!("{name}*.jsonl")),
        None => ("Reads the newest file, which contains all rows.", format!("{name}.jsonl")),
    };
    let key: Vec<_> = table.key.iter().map(|name| format!("\"{name}\"")).collect();
    let schema_name = name.to_uppercase();
    format!("{schema_name} = {schema}\n\n# {note}\n{name} = {function}({schema_name}, [{}], \"{files}\")\n", key.join(", "))
}
