#!/usr/bin/env bash
# dlt: an incremental cursor that is a date-time text is compared as text, and newer rows count as old.
#
# Version:  dlt 1.31.0 (DuckDB)
# Expected: dlt knows that lastModifiedDateTime is a timestamp (it makes the column one), and compares times: initial_value may be any ISO
#           form. A row whose cursor equals the last one is loaded if it has changed, since the primary key merges it.
# Found:    the texts are compared. With "10:00:00Z" as the last value, "10:00:00.31Z" is older, for "." sorts before "Z": Graph leaves out
#           zeros at the end, so both forms come. initial_value="2026-11-30T12:00:00+02:00" drops two hours. A hint data_type="timestamp" changes
#           nothing; an aware datetime as initial_value is an error, a naive one works. And a row with the last cursor and a known
#           key is dropped as a duplicate though its content differs: the old content stays.
# Matters:  dlt pipelines that read Graph by rest_api, or files with fractions of any length, lose the messages of a part of a second in each
#           run, in busy channels several. Files of this project's tap always have six digits; for them it is the initial value that matters,
#           and a second filter by cursor on what the tap has already chosen drops channels that it read later than others.
# Instead:  turn the texts into datetimes first: .add_map(...) with dlt.common.time.ensure_pendulum_datetime, and a datetime as initial_value.
#           primary_key=() in incremental() switches the dropping of equal rows off. On the tap's files: no incremental(), only merge.
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
