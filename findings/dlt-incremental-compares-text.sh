#!/usr/bin/env bash
# dlt compares an incremental cursor that is a date-time string as text, so newer rows count as old.
#
# Version:  dlt 1.31.0 (DuckDB)
# Expected: dlt knows that lastModifiedDateTime is a timestamp (it creates a timestamp column) and compares times, so initial_value may have any
#           ISO form. A row whose cursor equals the last one is loaded if it has changed, because the primary key merges it.
# Found:    the strings are compared. After the last value "10:00:00Z", "10:00:00.31Z" counts as older, because "." sorts before "Z"; Graph
#           omits trailing zeros, so both forms occur. initial_value="2026-11-30T12:00:00+02:00" drops two hours. data_type="timestamp" has
#           no effect; an aware datetime as initial_value is an error, a naive one works. A row with the last cursor and a known
#           key is dropped as a duplicate even if its content differs: the old content is kept.
# Matters:  dlt pipelines that read Graph with rest_api, or files with fractions of varying length, lose messages of part of a second in
#           each run, several in busy channels. Files of this project's tap always have six digits; with them only the initial
#           value matters, and a second filter by cursor drops channels that the tap read later than others.
# Instead:  convert the strings to datetimes first: .add_map(...) with dlt.common.time.ensure_pendulum_datetime, and a datetime as initial_value.
#           primary_key=() in incremental() disables dropping equal rows. With the tap's files, use only merge and no incremental().
. "$(dirname "$0")/lib.sh"
install "dlt[duckdb]==1.31.0"

export RUNTIME__DLTHUB_TELEMETRY=false RUNTIME__LOG_LEVEL=CRITICAL
python - <<'PY'
import itertools
import os

import dlt
from dlt.common.time import ensure_pendulum_datetime
from stated import stated

numbers = itertools.count()


def loads(*runs, cast=False, **options):
    """What is in the table after these runs: ids and subjects."""
    name = f"run{next(numbers)}"
    pipeline = dlt.pipeline(name, destination=dlt.destinations.duckdb(name + ".db"), dataset_name="teams", pipelines_dir=os.getcwd())
    column = {"lastModifiedDateTime": {"data_type": "timestamp"}}
    for rows in runs:
        @dlt.resource(name="messages", primary_key="id", write_disposition="merge", columns=column)
        def messages():
            yield [{"id": id, "lastModifiedDateTime": f"2026-11-30T{time}", "subject": subject} for id, time, subject in rows]

        resource = messages()
        if cast:
            resource.add_map(lambda row: {**row, "lastModifiedDateTime": ensure_pendulum_datetime(row["lastModifiedDateTime"])}, insert_at=1)
        resource.apply_hints(incremental=dlt.sources.incremental("lastModifiedDateTime", **options))
        pipeline.run(resource)
    with pipeline.sql_client() as client:
        return client.execute_sql("SELECT id, subject FROM messages ORDER BY id")


first, second = [("1", "10:00:00Z", "a")], [("2", "10:00:00.31Z", "b"), ("3", "10:00:01Z", "c")]
stated("a newer row", loads(first, second), [("1", "a"), ("3", "c")])
stated("a newer row, as datetimes", loads(first, second, cast=True), [("1", "a"), ("2", "b"), ("3", "c")])

rows = [("1", "10:30:00Z", "a"), ("2", "11:30:00Z", "b"), ("3", "12:30:00Z", "c")]
stated("initial value of 10:00Z", loads(rows, initial_value="2026-11-30T10:00:00Z"), [("1", "a"), ("2", "b"), ("3", "c")])
stated("initial value of 10:00Z, written +02:00", loads(rows, initial_value="2026-11-30T12:00:00+02:00"), [("3", "c")])

again = [("1", "10:00:00Z", "edited")]
stated("the same time and key, other content", loads(first, again), [("1", "a")])
stated("with primary_key=()", loads(first, again, primary_key=()), [("1", "edited")])
PY
