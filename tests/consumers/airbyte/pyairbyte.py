"""PyAirbyte reads a simulated tenant into a database, again without changes, and again after changes: the tables equal the tenant.

DuckDB loses nothing. PostgreSQL has known losses, which are counted: see `PostgreSQL`.

Compared are the columns of every row, and the types of all columns. An idle tenant brings no message, and a changed one what changed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from abc import ABC, abstractmethod
from contextlib import redirect_stdout
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Set before the import, so that no registry and no telemetry is contacted.
os.environ |= {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"}

import airbyte as ab  # noqa: E402
from airbyte.caches import DuckDBCache, PostgresCache  # noqa: E402

from ..support.compare import compare, only_changes  # noqa: E402
from ..support.errors import Difference  # noqa: E402
from ..support.postgres import Postgres  # noqa: E402
from ..support.simulator import Simulator  # noqa: E402
from ..support.truth import COLUMNS, INCREMENTAL, KEYS, STREAMS, Key, Row, Truth  # noqa: E402

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
# Longer than any overlap between two reads.
HOURS = 3 * 3600
# The subjects of the messages in one read, and what PostgreSQL gets.
NUMBERS: dict[tuple[str | None, ...], str] = {
    ("007",): "007 is 7",
    ("1e5",): "1e5 is 100000",
    ("12345678901234567890",): "12345678901234567890 is 12345678901234567000",
    ("2026", None): "2026 is 2026.0",
}


class Warehouse(ABC):
    """The tables that PyAirbyte wrote."""

    to_json: str
    types_of_schemas: dict[str, str]

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    @abstractmethod
    def types(self, stream: str) -> dict[str, str]:
        """The type of each column."""

    def compare(self, truth: Truth, stream: str) -> None:
        compare(truth, stream, self.rows(stream))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.cache.get_sql_engine().connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def rows(self, stream: str) -> list[Row]:
        """All rows, except messages that Graph has reported as removed."""
        where = "WHERE is_removed IS NOT TRUE" if stream in INCREMENTAL else ""
        return [json.loads(text) for (text,) in self.query(f"SELECT {self.to_json}(t)::VARCHAR FROM {stream} t {where}")]

    def keys(self, stream: str, where: str) -> list[Key]:
        return self.query(f"SELECT {', '.join(KEYS[stream])} FROM {stream} WHERE {where}")

    def last_extraction(self, stream: str) -> datetime:
        return self.query(f"SELECT max(_airbyte_extracted_at) FROM {stream}")[0][0]


class DuckDB(Warehouse):
    to_json = "to_json"
    types_of_schemas = {"date-time": "TIMESTAMP", "string": "VARCHAR", "boolean": "BOOLEAN", "integer": "BIGINT", "object": "JSON", "array": "JSON"}

    def types(self, stream: str) -> dict[str, str]:
        return {name: kind for name, kind, *_ in self.query(f"DESCRIBE {stream}")}


class PostgreSQL(Warehouse):
    """PyAirbyte reads its files with pandas, which turns a column into numbers if all its texts look like numbers.

    A text that became the same number in another form counts as this loss. Null objects and lists become JSON null, not NULL.
    """

    to_json = "row_to_json"
    types_of_schemas = {
        "date-time": "timestamp without time zone",
        "string": "character varying",
        "boolean": "boolean",
        "integer": "bigint",
        "object": "json",
        "array": "json",
    }

    def __init__(self, server: Postgres) -> None:
        settings = server.config()
        super().__init__(PostgresCache(**{**settings, "username": settings.pop("user")}, database="postgres", schema_name="public"))
        self._server = server
        self.lost: dict[tuple[str, Key, str], str] = {}

    def types(self, stream: str) -> dict[str, str]:
        return self._server.types("public", stream)

    def compare(self, truth: Truth, stream: str) -> None:
        expected = truth.rows(stream)
        rows = self.rows(stream)
        for row in rows:
            key = tuple(row[part] for part in KEYS[stream])
            for name in (name for name, kind in COLUMNS[stream].items() if kind == "text"):
                found, true = row[name.lower()], expected.get(key, {}).get(name)
                if found != true and same_number(found, true):
                    self.lost[stream, key, name] = f"{true} is {found}"
                    row[name.lower()] = true
        compare(truth, stream, rows)


def same_number(found: Any, true: Any) -> bool:
    try:
        return float(found) == float(true)
    except (TypeError, ValueError):
        return False


def expected_types(stream: str, types: dict[str, str]) -> dict[str, str]:
    properties = json.loads((SCHEMAS / f"{stream}.json").read_text())["properties"]
    return {name.lower(): types[kind(schema)] for name, schema in properties.items()}


def kind(schema: dict[str, Any]) -> str:
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return schema.get("format") or next(kind for kind in kinds if kind != "null")


class Runs:
    """Successive reads into the same tables, each compared with the tenant."""

    def __init__(self, tap: Path, simulator: Simulator, warehouse: Warehouse) -> None:
        self._tap, self._simulator, self._warehouse = tap, simulator, warehouse
        self.counts: list[int] = []

    def read(self) -> Truth:
        config = self._simulator.config
        source = ab.get_source("source-microsoft-teams", local_executable=str(self._tap), config=config, streams=STREAMS)
        source.check()
        self.counts.append(source.read(cache=self._warehouse.cache).processed_records)
        truth = self._simulator.truth()
        for stream in STREAMS:
            self._warehouse.compare(truth, stream)
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
            found = {name: kind for name, kind in self._warehouse.types(stream).items() if not name.startswith("_airbyte_")}
            expected = expected_types(stream, self._warehouse.types_of_schemas)
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


def read_thrice(tap: Path, simulator: Simulator, warehouse: Warehouse) -> str:
    simulator.switch(delta={"reports_removals": True})
    channels = sorted({place["channel"] for place in simulator.truth().places("messages")})
    simulator.change("post_corpus", channel=channels[-1])
    simulator.advance(HOURS)
    runs = Runs(tap, simulator, warehouse)
    first = runs.read()
    runs.compare_types()
    idle = runs.read_again(first)
    remove_a_message(simulator)
    simulator.change_everything()
    last = runs.read_again(idle)
    runs.compare_removed(idle, last)
    result = f"{', '.join(map(str, runs.counts))} records in the first run, when idle, after changes"
    return f"{result}; {known_losses(runs, simulator, warehouse, channels[0])}" if isinstance(warehouse, PostgreSQL) else result


def known_losses(runs: Runs, simulator: Simulator, warehouse: PostgreSQL, channel: str) -> str:
    before = dict(warehouse.lost)
    for subjects in NUMBERS:
        for subject in subjects:
            simulator.change("post", channel=channel, text="A number for a subject", subject=subject)
        simulator.advance(HOURS)
        runs.read()
    lost = [how for where, how in warehouse.lost.items() if where not in before]
    # Which texts are changed depends on the rows that share a file with them, so not every read changes its text. No other may be changed.
    if before or not lost or not set(lost) <= set(NUMBERS.values()):
        raise Difference(f"numbers made of texts: {before}, then {lost}; expected some of {list(NUMBERS.values())}, and no others")
    ((json_nulls, nulls),) = warehouse.query(
        "SELECT count(*) FILTER (WHERE eventdetail::text = 'null'), count(*) FILTER (WHERE eventdetail IS NULL) FROM messages"
    )
    if nulls or not json_nulls:
        raise Difference(f"messages: {json_nulls} eventDetail are JSON null, {nulls} are NULL; all were JSON null so far")
    return f"known losses: texts become numbers ({', '.join(lost)}); {json_nulls} objects that are null are JSON null"


def duckdb(tap: Path, sim: Path) -> str:
    with tempfile.TemporaryDirectory() as scratch, Simulator(sim) as simulator:
        return read_thrice(tap, simulator, DuckDB(DuckDBCache(db_path=Path(scratch) / "teams.duckdb")))


def postgresql(tap: Path, sim: Path) -> str:
    with Postgres() as server, Simulator(sim) as simulator:
        return f"{server.version}: {read_thrice(tap, simulator, PostgreSQL(server))}"


def main(tap: Path, sim: Path) -> int:
    failed = 0
    for database, read in {f"DuckDB {version('duckdb')}": duckdb, "PostgreSQL": postgresql}.items():
        consumer = f"PyAirbyte (airbyte {version('airbyte')}, {database})"
        try:
            # The progress output of PyAirbyte is not a result.
            with redirect_stdout(sys.stderr):
                result = read(tap, sim)
            print(f"ok  {consumer}: {result}", flush=True)
        except Exception as error:
            failed = 1
            if not isinstance(error, Difference):
                traceback.print_exc()
            print(f"FAILED  {consumer}: {error if isinstance(error, Difference) else type(error).__name__}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
