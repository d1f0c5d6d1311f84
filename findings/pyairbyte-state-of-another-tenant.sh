#!/usr/bin/env bash
# PyAirbyte: two sources with the same name in one cache share their state, whatever their configuration.
#
# Version:  airbyte 0.71.3 (PyAirbyte), DuckDB cache
# Expected: a cache separates states by source and configuration, or at least warns when two configurations write to one table.
# Found:    the state is stored by the name of the source and the stream only. `get_source("source-x", config=A)` and `get_source("source-x",
#           config=B)` are the same: B starts where A ended and skips everything older, and A then continues from B's state. Of two messages
#           of tenant B one was loaded, because the other is older than the newest of tenant A. A's next message was then lost to B's state.
#           No warning. The rows of both end up in one table.
# Matters:  reading several tenants, or one tenant with several lists of teams, in a loop into one cache permanently loses the older messages of
#           all but the first: the next incremental read does not load them either.
# Instead:  a cache for each configuration, or at least a `table_prefix` for each (tested below: the states are then separate).
#           This project's connector stores the tenant in its state and fails if it is a different one; most connectors do not.
. "$(dirname "$0")/lib.sh"
install airbyte==0.71.3

# A small but typical source: it emits records newer than the cursor in the state and advances the cursor.
cat > source <<'PY'
#!/usr/bin/env python
import json
import sys

command, arguments = sys.argv[1], sys.argv[2:]


def given(flag):
    return json.load(open(arguments[arguments.index(flag) + 1])) if flag in arguments else None


def emit(type_, **content):
    print(json.dumps({"type": type_, **content}), flush=True)


if command == "spec":
    emit("SPEC", spec={"connectionSpecification": {"type": "object", "properties": {}, "additionalProperties": True}})
elif command == "check":
    emit("CONNECTION_STATUS", connectionStatus={"status": "SUCCEEDED"})
elif command == "discover":
    emit("CATALOG", catalog={"streams": [{
        "name": "messages", "supported_sync_modes": ["full_refresh", "incremental"], "source_defined_cursor": True,
        "default_cursor_field": ["modified"], "source_defined_primary_key": [["id"]],
        "json_schema": {"type": "object", "properties": {"id": {"type": "string"}, "modified": {"type": "string"}}}}]})
else:
    states = given("--state") or []
    cursor = states[0]["stream"]["stream_state"]["modified"] if states else ""
    for record in given("--config")["records"]:
        if record["modified"] > cursor:
            emit("RECORD", record={"stream": "messages", "data": record, "emitted_at": 1})
            cursor = max(cursor, record["modified"])
    emit("STATE", state={"type": "STREAM", "stream": {"stream_descriptor": {"name": "messages"}, "stream_state": {"modified": cursor}}})
PY
chmod +x source
cat > read.py <<'PY'
import json
import os
import sys

import airbyte

sources = {
    "A": [{"id": "a1", "modified": "2026-11-01"}, {"id": "a2", "modified": "2026-11-20"}],
    "B": [{"id": "b1", "modified": "2026-11-10"}, {"id": "b2", "modified": "2026-11-30"}],
    "A later": [{"id": "a3", "modified": "2026-11-25"}],
}
prefixed = sys.argv[1] == "prefixed"
loaded = {}
for name, records in sources.items():
    prefix = name[0] + "_" if prefixed else ""
    cache = airbyte.caches.DuckDBCache(db_path=f"{sys.argv[1]}.duckdb", cache_dir="cache", table_prefix=prefix)
    source = airbyte.get_source("source-posts", local_executable=os.path.abspath("source"), config={"records": records}, streams=["messages"])
    source.read(cache=cache)
    loaded[prefix] = sorted(cache.get_pandas_dataframe("messages")["id"])
json.dump(loaded, open("loaded.json", "w"))
PY
python - <<'PY'
import json
import os
import subprocess

from stated import stated

environment = {**os.environ, "AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"}


def read(how):
    subprocess.run(["python", "read.py", how], env=environment, check=True, capture_output=True)
    return json.load(open("loaded.json"))


stated("one cache", read("plain"), {"": ["a1", "a2", "b2"]})
stated("a prefix for each", read("prefixed"), {"A_": ["a1", "a2", "a3"], "B_": ["b1", "b2"]})
PY
