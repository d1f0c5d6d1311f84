#!/usr/bin/env bash
# One integer beyond 64 bits, anywhere in a nested value, makes dlt and pandas refuse a whole file, and pyarrow changes it.
#
# Version:  dlt 1.31.0, pandas 3.1.1, pyarrow 26.0.1, duckdb 2.0.1
# Expected: the value is in a column that is declared as JSON or object, so it is kept as it is, or as text.
# Found:    dlt: TypeError "Integer exceeds 64-bit range" (the records were parsed by Python's json; dlt writes them with orjson), although
#           the column's data_type is json. pandas: ValueError "Value is too big", also with dtype=object. pyarrow infers a double, which
#           loses digits. DuckDB keeps the text.
# Matters:  properties that Graph does not document (in `_additional_properties`, event details) may have any type; one such message would
#           stop the pipeline until it is deleted.
# Instead:  write such integers as text before loading: the tap does so, in `_additional_properties`.
. "$(dirname "$0")/lib.sh"
install "dlt[duckdb]==1.31.0" pandas==3.1.1 pyarrow==26.0.1 duckdb==2.0.1

python - <<'PY'
import json
import os

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
import duckdb
import pandas
import pyarrow.json
from stated import stated

number = 123456789012345678901234567890
rows = [{"id": "1", "extra": {"n": number}}, {"id": "2", "extra": None}]
with open("rows.jsonl", "w") as out:
    for row in rows:
        out.write(json.dumps(row) + "\n")


def error(action):
    try:
        action()
    except Exception as raised:
        while raised.__cause__ or raised.__context__:
            raised = raised.__cause__ or raised.__context__
        return f"{type(raised).__name__}: {raised}"
    return None


resource = dlt.resource(rows, name="rows", columns={"extra": {"data_type": "json"}})
pipeline = dlt.pipeline("p", destination=dlt.destinations.duckdb("dlt.db"), dataset_name="data", pipelines_dir="state")
stated("dlt", error(lambda: pipeline.run(resource)), "TypeError: Integer exceeds 64-bit range")
stated("pandas", error(lambda: pandas.read_json("rows.jsonl", lines=True, dtype=object)).split("!")[0], "ValueError: Value is too big")
table = pyarrow.json.read_json("rows.jsonl")
stated("pyarrow", str(table.schema.field("extra").type), "struct<n: double>")
stated("pyarrow, the value", int(table["extra"][0]["n"].as_py()) == number, False)
duck = duckdb.sql("SELECT extra::VARCHAR FROM read_json('rows.jsonl', columns = {id: 'VARCHAR', extra: 'JSON'}) WHERE id = '1'")
stated("duckdb", duck.fetchall()[0][0].replace(" ", ""), '{"n":%d}' % number)
text = [{"id": "1", "extra": {"n": str(number)}}]
stated("dlt, as text", error(lambda: pipeline.run(dlt.resource(text, name="texts", columns={"extra": {"data_type": "json"}}))), None)
PY
