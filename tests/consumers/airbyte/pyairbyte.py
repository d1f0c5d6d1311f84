"""PyAirbyte reads a simulated tenant into DuckDB, again, and again after changes: the tables are what is true.

Compared are the keys, versions, times and texts of every row, and the types of all columns. An idle tenant brings no message, and a changed
one what changed.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from contextlib import redirect_stdout
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Before the import: nothing here asks a registry or tells anybody.
os.environ |= {"AIRBYTE_OFFLINE_MODE": "1", "DO_NOT_TRACK": "1"}

import airbyte as ab  # noqa: E402
from simulator import Simulator  # noqa: E402

SCHEMAS = Path(__file__).parents[3] / "schemas"
INCREMENTAL = ["messages", "message_replies"]
STREAMS = ["teams", "channels", "members", *INCREMENTAL]
# Longer than any overlap of two reads.
HOURS = 3 * 3600

Rows = dict[tuple[str, str], tuple[Any, ...]]


class Differences(list[str]):
    def compare(self, what: str, found: Any, expected: Any) -> None:
        if found != expected:
            self.append(f"{what}: found {shown(found, expected)}, expected {shown(expected, found)}")


def shown(one: Any, other: Any) -> str:
    """What `one` has and `other` has not."""
    if isinstance(one, dict) and isinstance(other, dict):
        own = {key: value for key, value in one.items() if other.get(key, ...) != value}
        return f"{len(one)} with {dict(list(own.items())[:3])}"
    if isinstance(one, set) and isinstance(other, set):
        return f"{len(one)} with {sorted(one - other)[:3]}"
    return repr(one)


def when(value: str | None) -> datetime | None:
    """A time of Graph as DuckDB has it: in UTC without zone, in microseconds; none for what is no time."""
    try:
        time = datetime.fromisoformat((value or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return time.astimezone(timezone.utc).replace(tzinfo=None)


class Tenant:
    """What is true, by key."""

    def __init__(self, truth: dict[str, list[dict[str, Any]]]) -> None:
        self.keys = {
            "teams": {(id,) for id in truth["teams"]},
            "channels": {(channel["id"],) for channel in truth["channels"]},
            "members": {(member["team"], member["id"]) for member in truth["members"]},
        }
        self.messages: dict[str, Rows] = {"messages": _rows(truth["messages"]), "message_replies": _rows(truth["replies"])}
        self.root_of = {(reply["channel"], str(reply["id"])): (reply["channel"], str(reply["root"])) for reply in truth["replies"]}

    def changed_since(self, before: Tenant) -> dict[str, set[tuple[str, str]]]:
        """What a run in between may tell: Graph's delta brings a root again when a reply below it changed."""
        changed = {
            stream: {key for key, row in rows.items() if before.messages[stream].get(key) != row} for stream, rows in self.messages.items()
        }
        gone = before.messages["messages"].keys() - self.messages["messages"].keys()
        changed["messages"] |= gone | {self.root_of[key] for key in changed["message_replies"]}
        return changed


def _rows(items: list[dict[str, Any]]) -> Rows:
    """Key to version, times and text of each message."""
    return {(item["channel"], str(item["id"])): _row(item["value"]) for item in items}


def _row(value: dict[str, Any]) -> tuple[Any, ...]:
    times = [when(value.get(name)) for name in ("createdDateTime", "lastModifiedDateTime", "deletedDateTime")]
    body = value.get("body")
    return (text(value.get("etag")), *times, text(body.get("content")) if isinstance(body, dict) else None)


def text(value: Any) -> str | None:
    """As a column of texts holds it: nothing that is no text, no NUL, no lone surrogate."""
    if not isinstance(value, str):
        return None
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in value if char != "\0")


class Warehouse:
    """The tables as PyAirbyte left them."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self._cache.get_sql_engine().connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def keys(self, stream: str) -> list[tuple[str, ...]]:
        columns = {"teams": "id", "channels": "id", "members": "team_id, id"}[stream]
        return self.query(f"SELECT {columns} FROM {stream}")

    def messages(self, stream: str, where: str = "_deleted IS NOT TRUE") -> list[tuple[tuple[str, str], tuple[Any, ...]]]:
        content = "CASE json_type(body, '$.content') WHEN 'VARCHAR' THEN body->>'$.content' END"
        columns = f"channel_id, id, etag, createddatetime, lastmodifieddatetime, deleteddatetime, {content}"
        return [((row[0], row[1]), row[2:]) for row in self.query(f"SELECT {columns} FROM {stream} WHERE {where}")]

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


def awkward_channel(simulator: Simulator) -> str:
    """One that `change`, which takes from both ends, leaves alone: what is hardly JSON cannot be edited."""
    channels = sorted(channel["id"] for team in simulator.ask("/tree") for channel in team["channels"])
    return channels[len(channels) // 2]


def change(simulator: Simulator) -> None:
    """One of each kind of change, all over the tenant."""
    truth = simulator.truth()
    roots, replies = ([{name: item[name] for name in ("channel", "root", "id")} for item in truth[table]] for table in ("messages", "replies"))
    answered = {(reply["channel"], reply["root"]) for reply in replies}
    unanswered = [root for root in roots if (root["channel"], root["id"]) not in answered]
    posted = simulator.change("post", channel=roots[0]["channel"], text="new")["message"]
    simulator.change("reply", message=posted, text="new, below new")
    simulator.change("reply", message=roots[1], text="new, below old")
    simulator.change("edit", message=roots[2], text="edited")
    simulator.change("edit", message=replies[0], text="edited reply")
    simulator.change("delete", message=roots[3])
    simulator.change("delete", message=replies[-1])
    simulator.change("remove", message=unanswered[-1])


def verify(found: Differences, run: str, warehouse: Warehouse, tenant: Tenant) -> None:
    for stream in STREAMS[:3]:
        rows = warehouse.keys(stream)
        found.compare(f"{run}, {stream}: rows and keys", len(rows), len(set(rows)))
        found.compare(f"{run}, {stream}: keys", set(rows), tenant.keys[stream])
    for stream in INCREMENTAL:
        rows = warehouse.messages(stream)
        found.compare(f"{run}, {stream}: rows and keys", len(rows), len(dict(rows)))
        found.compare(f"{run}, {stream}: rows", dict(rows), tenant.messages[stream])


class Runs:
    """Reads one after the other into the same tables; each is compared with what is true then."""

    def __init__(self, tap: Path, simulator: Simulator, cache: Any) -> None:
        self._tap, self._simulator, self._cache = tap, simulator, cache
        self._warehouse = Warehouse(cache)
        self.found = Differences()
        self.counts: list[int] = []

    def read(self) -> Tenant:
        config, run = self._simulator.config(), f"run {len(self.counts) + 1}"
        source = ab.get_source("source-microsoft-teams", local_executable=str(self._tap), config=config, streams=STREAMS)
        source.check()
        self.counts.append(source.read(cache=self._cache).processed_records)
        tenant = Tenant(self._simulator.truth())
        verify(self.found, run, self._warehouse, tenant)
        # More than any overlap of two runs.
        self._simulator.advance(HOURS)
        return tenant

    def read_again(self, before: Tenant) -> Tenant:
        """A run that brings what has changed since `before`, and nothing else."""
        ends = {stream: self._warehouse.last_extraction(stream) for stream in INCREMENTAL}
        after = self.read()
        for stream, expected in after.changed_since(before).items():
            rows = self._warehouse.messages(stream, f"_airbyte_extracted_at > '{ends[stream]}'")
            self.found.compare(f"run {len(self.counts)}, {stream}: what was read", {key for key, _ in rows}, expected)
        return after

    def compare_types(self) -> None:
        for stream in STREAMS:
            self.found.compare(f"columns of {stream}", self._warehouse.types(stream), expected_types(stream))

    def compare_removed(self, before: Tenant, after: Tenant) -> None:
        removed = {key for key, _ in self._warehouse.messages("messages", "_deleted")}
        gone = before.messages["messages"].keys() - after.messages["messages"].keys()
        self.found.compare("removed messages", removed, gone)


def read_thrice(tap: Path, sim: Path) -> Runs:
    # What PyAirbyte says of its progress is no result.
    with redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as scratch, Simulator(sim) as simulator:
        simulator.switch(delta={"tells_removals": True})
        simulator.change("post_corpus", channel=awkward_channel(simulator))
        simulator.advance(HOURS)
        runs = Runs(tap, simulator, ab.caches.DuckDBCache(db_path=Path(scratch) / "teams.duckdb"))
        first = runs.read()
        runs.compare_types()
        idle = runs.read_again(first)
        change(simulator)
        last = runs.read_again(idle)
        runs.compare_removed(idle, last)
    return runs


def main(tap: Path, sim: Path) -> int:
    consumer = f"PyAirbyte (airbyte {version('airbyte')}, DuckDB {version('duckdb')})"
    try:
        runs = read_thrice(tap, sim)
    except Exception as error:
        traceback.print_exc()
        print(f"FAILED  {consumer}: {type(error).__name__}")
        return 1
    counts = ", ".join(str(count) for count in runs.counts)
    print(f"{'FAILED' if runs.found else 'ok'}  {consumer}: {counts} records at first, when idle, after changes")
    for difference in runs.found:
        print(f"        {difference}")
    return 1 if runs.found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
