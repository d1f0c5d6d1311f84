#!/usr/bin/env bash
# From a list of dicts, pyarrow takes the columns of the first row and Polars those of the first hundred: later keys are dropped.
#
# Version:  pyarrow 26.0.1, polars 2.1.0; for comparison pandas 3.1.1
# Expected: all rows are in memory, so all are inspected; what does not fit is an error.
# Found:    pyarrow.Table.from_pylist uses the keys of the first row as columns and silently drops all other keys. (For nested objects it
#           uses the keys of all rows.) polars.DataFrame inspects 100 rows; after them a new key is silently dropped, at the top level and in
#           objects, while a new type for a known key is an error.
# Matters:  in a page of Graph's delta, a removed item has only its id and "@removed". If it is first, pyarrow.Table.from_pylist(page["value"])
#           has two columns, and all items of the page lose everything except their id. Polars loses rare keys: `eventDetail` has different
#           ones for each kind of event, `from` has `application` only for messages of bots. `write_deltalake` and pyiceberg's append write the
#           table as it is.
# Instead:  pass the schema: from_pylist(rows, schema=...), polars.DataFrame(rows, schema=...); or infer_schema_length=None in Polars. Records of
#           this project's tap have all columns in every row, so pyarrow is safe with them; nested objects in Polars are not.
. "$(dirname "$0")/lib.sh"
install pyarrow==26.0.1 polars==2.1.0 pandas==3.1.1

python - <<'PY'
import pandas
import polars
import pyarrow
from stated import stated

removed = {"id": "1", "@removed": {"reason": "deleted"}}
person = {"id": "2", "subject": "Plan", "from": {"user": {"id": "u"}}}
bot = {"id": "3", "deletedDateTime": "2026-11-30", "from": {"application": {"id": "a"}}}

stated("pyarrow", pyarrow.Table.from_pylist([removed, person, bot]).column_names, ["id", "@removed"])
stated("pyarrow, nested", pyarrow.Table.from_pylist([person, bot]).to_pylist()[1],
       {"id": "3", "subject": None, "from": {"user": None, "application": {"id": "a"}}})
stated("pandas", list(pandas.DataFrame([removed, person, bot]).columns), ["id", "@removed", "subject", "from", "deletedDateTime"])

whole = {"id": "3", "subject": None, "deletedDateTime": "2026-11-30", "from": {"user": None, "application": {"id": "a"}}}
stated("polars, row 100", polars.DataFrame([person] * 99 + [bot]).row(-1, named=True), whole)
stated("polars, row 101", polars.DataFrame([person] * 100 + [bot]).row(-1, named=True), {"id": "3", "subject": None, "from": {"user": None}})
stated("polars, all rows", polars.DataFrame([person] * 100 + [bot], infer_schema_length=None).row(-1, named=True), whole)
PY
