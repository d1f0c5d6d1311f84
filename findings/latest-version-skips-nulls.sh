#!/usr/bin/env bash
# "The value of the latest version" is the latest non-null value in DuckDB, ClickHouse and pandas, and the latest value in Spark and Polars.
#
# Version:  duckdb 2.0.1, chdb 4.4.0 (ClickHouse 26.9.2.1), pandas 3.1.1; for comparison polars 2.1.0 (and pyspark 4.3.0, by hand: null)
# Expected: for an append-only table, arg_max(subject, modified) GROUP BY id returns the subject of the newest version, like a window with
#           row_number(); max_by is an alias, in DuckDB as in Spark. groupby("id").last() returns the last row.
# Found:    arg_max, max_by and any_value(.. ORDER BY) in DuckDB, argMax, anyLast and last_value in ClickHouse, and last() in pandas skip
#           nulls, column by column. The result is a row that never existed: new values mixed with old ones where the new version is null.
#           Polars' `sort_by().last()`, DuckDB's last(.. ORDER BY) and Spark's max_by return null.
# Matters:  in messages a null is information. After a deletion is undone, deletedDateTime is null again, but the message stays deleted. A
#           message that Graph reports as removed has only null columns, but its subject and text reappear.
# Instead:  QUALIFY row_number() OVER (PARTITION BY channel_id, id ORDER BY lastModifiedDateTime DESC) = 1. Or arg_max of the whole row:
#           max_by(messages, v) or arg_max_null in DuckDB, argMax(tuple(..), v) in ClickHouse; groupby().tail(1) or drop_duplicates in pandas.
. "$(dirname "$0")/lib.sh"
install duckdb==2.0.1 chdb==4.4.0 pandas==3.1.1 polars==2.1.0

python - <<'PY'
import chdb
import duckdb
import pandas
import polars
from stated import stated

# A message whose deletion was undone.
versions = {"id": ["1", "1"], "modified": [1, 2], "deleted": ["2026-11-30", None]}

table = duckdb.connect()
table.execute("CREATE TABLE messages (id VARCHAR, modified INT, deleted VARCHAR)")
table.execute("INSERT INTO messages VALUES ('1', 1, '2026-11-30'), ('1', 2, NULL)")
for latest, value in {
    "arg_max(deleted, modified)": "2026-11-30",
    "max_by(deleted, modified)": "2026-11-30",
    "any_value(deleted ORDER BY modified DESC)": "2026-11-30",
    "last(deleted ORDER BY modified)": None,
    "arg_max_null(deleted, modified)": None,
    "max_by(messages, modified).deleted": None,
}.items():
    stated(f"duckdb {latest}", table.sql(f"SELECT {latest} FROM messages GROUP BY id").fetchall()[0][0], value)
window = "SELECT deleted FROM messages QUALIFY row_number() OVER (PARTITION BY id ORDER BY modified DESC) = 1"
stated("duckdb, window", table.sql(window).fetchall()[0][0], None)

rows = "values('modified Int32, deleted Nullable(String)', (1, '2026-11-30'), (2, NULL))"
for latest, value in {
    "argMax(deleted, modified)": "2026-11-30",
    "anyLast(deleted)": "2026-11-30",
    "last_value(deleted)": "2026-11-30",
    "argMax(tuple(deleted), modified).1": "\\N",
}.items():
    stated(f"clickhouse {latest}", chdb.query(f"SELECT {latest} FROM {rows}", "TSVRaw").data().strip(), value)

frame = pandas.DataFrame(versions).sort_values("modified")
stated("pandas last()", frame.groupby("id").last()["deleted"].item(), "2026-11-30")
stated("pandas tail(1)", bool(frame.groupby("id").tail(1)["deleted"].isna().item()), True)
stated("polars last()", polars.DataFrame(versions).group_by("id").agg(polars.col("deleted").sort_by("modified").last())["deleted"].item(), None)
PY
