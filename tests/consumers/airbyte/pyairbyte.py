"""PyAirbyte reads a simulated tenant into DuckDB, again without changes, and again after changes: the tables equal the tenant.

Compared are the columns of every row, and the types of all columns. An idle tenant brings no message, and a changed one what changed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from contextlib import redirect_stdout
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Set before the import, so that no registry and no telemetry is contacted.
os.environ |= {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"}

import airbyte as ab  # noqa: E402

from ..support.compare import compare, only_changes  # noqa: E402
from ..support.errors import Difference  # noqa: E402
from ..support.simulator import Simulator  # noqa: E402
from ..support.truth import KEYS, STREAMS, Key, Row, Truth  # noqa: E402

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
INCREMENTAL = ["messages", "message_replies"]
# Longer than any overlap between two reads.
HOURS = 3 * 3600


class Warehouse:
    """The tables that PyAirbyte wrote."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self._cache.get_sql_engine().connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def rows(self, stream: str) -> list[Row]:
        """All rows, except messages that Graph has reported as removed."""
        where = "WHERE is_removed IS NOT TRUE" if stream in INCREMENTAL else ""
        return [json.loads(text) for (text,) in self.query(f"SELECT to_json(t)::VARCHAR FROM {stream} t {where}")]

    def keys(self, stream: str, where: str) -> list[Key]:
        return self.query(f"SELECT {', '.join(KEYS[stream])} FROM {stream} WHERE {where}")

    def last_extraction(self, stream: str) -> datetime:
        return self.query(f"SELECT max(_airbyte_extracted_at) FROM {stream}")[0][0]

    def types(self, stream: str) -> dict[str, str]:
        return {name: kind for name, kind, *_ in self.query(f"DESCRIBE {stream}") if not name.startswith("_airbyte_")}


def expected_types(stream: str) -> dict[str, str]:
    properties = json.loads((SCHEMAS / f"{stream}.json").read_text())["properties"]
    return {name.lower(): column_type(schema) for name, schema in properties.items()}


def column_type(schema: dict[str, Any]) -> str:
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    kind = next(kind for kind in kinds if kind != "null")
    if schema.get("format") == "date-time":
        return "TIMESTAMP"
    return {"string": "VARCHAR", "boolean": "BOOLEAN", "integer": "BIGINT", "object": "JSON", "array": "JSON"}[kind]


class Runs:
    """Successive reads into the same tables, each compared with the tenant."""

    def __init__(self, tap: Path, simulator: Simulator, cache: Any) -> None:
        self._tap, self._simulator, self._cache = tap, simulator, cache
        self._warehouse = Warehouse(cache)
        self.counts: list[int] = []

    def read(self) -> Truth:
        config = self._simulator.config
        source = ab.get_source("source-microsoft-teams", local_executable=str(self._tap), config=config, streams=STREAMS)
        source.check()
        self.counts.append(source.read(cache=self._cache).processed_records)
        truth = self._simulator.truth()
        for stream in STREAMS:
            compare(truth, stream, self._warehouse.rows(stream))
        self._simulator.advance(HOURS)
        return truth

    def read_again(self, before: Truth) -> Truth:
        """A run that must read only the changes since `before`."""
        ends = {stream: self._warehouse.last_extraction(stream) for stream in INCREMENTAL}
        after = self.read()
        only_changes(before, after, lambda stream: self._warehouse.keys(stream, f"_airbyte_extracted_at > '{ends[stream]}'"))
        return after

    def compare_types(self) -> None:
        for stream in STREAMS:
            found, expected = self._warehouse.types(stream), expected_types(stream)
            if found != expected:
                raise Difference(f"columns of {stream}: found {found.items() - expected.items()}, expected {expected.items() - found.items()}")

    def compare_removed(self, before: Truth, after: Truth) -> None:
        removed = set(self._warehouse.keys("messages", "is_removed"))
        gone = before.rows("messages").keys() - after.rows("messages").keys()
        if removed != gone or not gone:
            raise Difference(f"messages: removed {sorted(removed)}, expected {sorted(gone)}")


def remove_a_message(simulator: Simulator) -> None:
    """Permanently removes a message without replies, which only Graph's delta can report."""
    truth = simulator.truth()
    answered = {(place["channel"], place["root"]) for place in truth.places("message_replies")}
    alone = [place for place in truth.places("messages") if (place["channel"], place["id"]) not in answered]
    simulator.change("remove", message=alone[0])


def read_thrice(tap: Path, sim: Path) -> list[int]:
    # The progress output of PyAirbyte is not a result.
    with redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as scratch, Simulator(sim) as simulator:
        simulator.switch(delta={"reports_removals": True})
        channels = sorted({place["channel"] for place in simulator.truth().places("messages")})
        simulator.change("post_corpus", channel=channels[-1])
        simulator.advance(HOURS)
        runs = Runs(tap, simulator, ab.caches.DuckDBCache(db_path=Path(scratch) / "teams.duckdb"))
        first = runs.read()
        runs.compare_types()
        idle = runs.read_again(first)
        remove_a_message(simulator)
        simulator.change_everything()
        last = runs.read_again(idle)
        runs.compare_removed(idle, last)
    return runs.counts


def main(tap: Path, sim: Path) -> int:
    consumer = f"PyAirbyte (airbyte {version('airbyte')}, DuckDB {version('duckdb')})"
    try:
        counts = read_thrice(tap, sim)
    except Difference as difference:
        print(f"FAILED  {consumer}: {difference}")
        return 1
    except Exception as error:
        traceback.print_exc()
        print(f"FAILED  {consumer}: {type(error).__name__}")
        return 1
    print(f"ok  {consumer}: {', '.join(map(str, counts))} records in the first run, when idle, after changes")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
