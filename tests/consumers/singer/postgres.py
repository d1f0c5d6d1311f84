"""target-postgres in its two well-known variants: keys, types and values in a real database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.postgres import Postgres
from ..support.truth import COLUMNS, KEYS, STREAMS
from .twice import twice

SCHEMA = "teams"
SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
TYPES = {"text": {"character varying", "text"}, "time": {"timestamp without time zone"}, "boolean": {"boolean"}, "object": {"jsonb"}}


def check_pipelinewise(bench: Bench) -> str:
    """It writes empty strings as NULL, and names in lower case."""
    return _check(bench, "target-postgres-pipelinewise", "dbname", "jsonb", empty_is_null=True)


def check_meltanolabs(bench: Bench) -> str:
    """It stores an array of objects as a database array."""
    return _check(bench, "target-postgres-meltanolabs", "database", "ARRAY")


def _check(bench: Bench, name: str, database: str, array: str, **how: Any) -> str:
    with Postgres() as postgres:
        config = bench.write("target.json", postgres.config(**{database: "postgres", "default_target_schema": SCHEMA}))
        target = [bench.environments.bin(name) / "target-postgres", "--config", config]
        counts = twice(bench, target, lambda stream: postgres.rows(f"{SCHEMA}.{stream}"), **how)
        for stream in STREAMS:
            check_table(postgres, SCHEMA, stream, {**TYPES, "array": {array}})
        return f"{bench.environments.version(name)}, {postgres.version}: {counts}"


def check_table(postgres: Postgres, schema: str, stream: str, types: dict[str, set[str]]) -> None:
    """Fails unless the table has every column of the stream with a suitable type, and the primary key of the stream."""
    found = postgres.types(schema, stream)
    columns = json.loads((SCHEMAS / f"{stream}.json").read_text())["properties"]
    if missing := [name for name in columns if name.lower() not in found]:
        raise Difference(f"{stream}: missing columns {missing}")
    for name, kind in COLUMNS[stream].items():
        if found.get(name.lower()) not in types[kind]:
            raise Difference(f"{stream}: the type of column {name} is {found.get(name.lower())}, not one of {sorted(types[kind])}")
    if sorted(postgres.primary_key(f"{schema}.{stream}")) != sorted(KEYS[stream]):
        raise Difference(f"{stream}: the primary key is {postgres.primary_key(f'{schema}.{stream}')}, not {KEYS[stream]}")
