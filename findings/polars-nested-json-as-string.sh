#!/usr/bin/env bash
# Polars reads a nested value into a String column as text that is not JSON: it does not escape backslashes, nor quotation marks in keys.
#
# Version:  polars 2.1.0
# Expected: a schema with `pl.String` for a nested column keeps the value as its JSON text, as ClickHouse, Spark and DuckDB do.
# Found:    quotation marks and line breaks in strings are escaped again, but not backslashes, nor quotation marks in keys: "C:\\x" becomes
#           "C:\x", which is not JSON, and "x\\ny" becomes "x\ny", which is a line break: the text changes without an error.
#           1.0 becomes 1, and 1e5 becomes 100000.
# Matters:  message bodies and cards contain backslashes (paths, LaTeX, Markdown). `str.json_decode` then fails on the whole column.
# Instead:  read the lines with Python's json module and dump nested values again, as `tap-microsoft-teams schema --for polars` prints it;
#           or declare the whole structure with pl.Struct.
. "$(dirname "$0")/lib.sh"
install polars==2.1.0

python - <<'PY'
import json

import polars as pl
from stated import stated

values = [{"path": "C:\\x"}, {'quo"ted': 1}, {"n": 1.0}, {"n": 1e5}, ['a"b', "c\\d"], {"a": "x\\ny"}]
with open("lines.jsonl", "w") as out:
    for value in values:
        out.write(json.dumps({"id": "1", "value": value}) + "\n")
texts = pl.read_ndjson("lines.jsonl", schema={"id": pl.String, "value": pl.String})["value"].to_list()


def parsed(text):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return "not JSON"


stated("a backslash", texts[0], '{"path": "C:\\x"}')
stated("a backslash, parsed", parsed(texts[0]), "not JSON")
stated("a quotation mark in a key, parsed", parsed(texts[1]), "not JSON")
stated("numbers", texts[2:4], ['{"n": 1}', '{"n": 100000}'])
stated("a list of strings, parsed", parsed(texts[4]), "not JSON")
stated("a backslash before an n, parsed", parsed(texts[5]), {"a": "x\ny"})
try:
    pl.Series([texts[0]]).str.json_decode(pl.Struct({"path": pl.String}))
    decoded = "decoded"
except pl.exceptions.ComputeError:
    decoded = "ComputeError"
stated("json_decode", decoded, "ComputeError")
with open("line.jsonl", "w") as out:
    out.write(json.dumps({"value": values[0]}) + "\n")
stated("with the structure declared", pl.read_ndjson("line.jsonl", schema={"value": pl.Struct({"path": pl.String})})["value"][0], {"path": "C:\\x"})
PY
