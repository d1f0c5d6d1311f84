#!/usr/bin/env bash
# A JSON column in a Parquet file written by DuckDB is text for some readers, bytes for Polars, and retyped by ClickHouse.
#
# Version:  duckdb 2.0.1; polars 2.1.0, pyarrow 26.0.1, chdb 4.4.0 (ClickHouse 26.9.2.1), pyiceberg 0.12.0
# Expected: Parquet is a safe exchange format: `COPY messages TO 'messages.parquet'` writes JSON columns as text, and all readers read text.
# Found:    DuckDB marks the columns with Parquet's logical type JSON, which each reader handles differently. pyarrow: an extension type
#           (arrow.json) with text. Polars: Binary; every `.str` function on it is an error. pyiceberg refuses to append: "unsupported
#           type: extension<arrow.json>". ClickHouse: its JSON type, without being asked. Texts that look like dates are then
#           rewritten while reading (2026-02-30 became 2026-03-02), "@odata.type" becomes {"@odata": {"type": ...}}, null
#           properties disappear, and the two settings that turn off date inference (input_format_try_infer_dates,
#           input_format_try_infer_datetimes) have no effect here.
# Matters:  docs/streams.md writes Parquet with DuckDB, and `body`, `from`, `eventDetail` and the other nested columns are JSON there.
# Instead:  cast to VARCHAR when writing: COPY (SELECT * REPLACE (body::VARCHAR AS body, ...) FROM messages) TO ... Then every reader has text.
#           For an existing file: `.cast(pl.String)` in Polars, input_format_parquet_enable_json_parsing = 0 in ClickHouse.
. "$(dirname "$0")/lib.sh"
install duckdb==2.0.1 polars==2.1.0 pyarrow==26.0.1 chdb==4.4.0 "pyiceberg[sql-sqlite]==0.12.0"

python - <<'PY'
import os

import chdb
import duckdb
import polars
import pyarrow.parquet
from pyiceberg.catalog.sql import SqlCatalog
from stated import stated

body = '{"content":"2026-02-30"}'
event = '{"@odata.type":"#microsoft.graph.x","channelId":null}'
duckdb.sql(f"""COPY (SELECT '{body}'::JSON AS body, '{event}'::JSON AS event) TO 'json.parquet'""")
duckdb.sql("COPY (SELECT * REPLACE (body::VARCHAR AS body, event::VARCHAR AS event) FROM 'json.parquet') TO 'text.parquet'")


def clickhouse(file, settings=""):
    return chdb.query(f"SELECT body, event FROM file('{file}') {settings}", "TSVRaw").data().strip().split("\t")


stated("pyarrow", str(pyarrow.parquet.read_schema("json.parquet").field("body").type), "extension<arrow.json>")
stated("polars", str(polars.read_parquet("json.parquet").schema["body"]), "Binary")
table = pyarrow.parquet.read_table("text.parquet")
iceberg = SqlCatalog("c", uri="sqlite:///:memory:", warehouse="file://" + os.getcwd())
iceberg.create_namespace("teams")
iceberg = iceberg.create_table("teams.messages", schema=table.schema)
try:
    iceberg.append(pyarrow.parquet.read_table("json.parquet"))
    refused = None
except Exception as error:
    refused = str(error)
stated("pyiceberg", refused, "Column 'body' has an unsupported type: extension<arrow.json>")
iceberg.append(table)
stated("pyiceberg, written as text", iceberg.scan().to_arrow()["body"].to_pylist(), [body])
retyped = ['{"content":"2026-03-02"}', '{"@odata":{"type":"#microsoft.graph.x"}}']
stated("clickhouse", clickhouse("json.parquet"), retyped)
stated("clickhouse, with guessing off",
       clickhouse("json.parquet", "SETTINGS input_format_try_infer_dates = 0, input_format_try_infer_datetimes = 0"), retyped)

stated("clickhouse, without its JSON type", clickhouse("json.parquet", "SETTINGS input_format_parquet_enable_json_parsing = 0"), [body, event])
stated("polars, cast", polars.read_parquet("json.parquet").select(polars.col("body").cast(polars.String)).item(), body)
stated("polars, written as text", polars.read_parquet("text.parquet")["body"].item(), body)
stated("clickhouse, written as text", clickhouse("text.parquet"), [body, event])
PY
