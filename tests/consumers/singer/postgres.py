"""target-postgres in its two well-known variants: keys, types and values in a real database."""

from __future__ import annotations

from typing import Any

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.postgres import Postgres
from ..support.truth import COLUMNS, KEYS, STREAMS
from .twice import twice

SCHEMA = "teams"
TYPES = {"text": {"character varying", "text"}, "time": {"timestamp without time zone"}, "boolean": {"boolean"}, "object": {"jsonb"}}


def check_pipelinewise(bench: Bench) -> str:
    """It writes an empty text as NULL, and names in lower case."""
    return _check(bench, "target-postgres-pipelinewise", "dbname", "jsonb", empty_is_null=True)


def check_meltanolabs(bench: Bench) -> str:
    """It makes an array of objects an array of the database."""
    return _check(bench, "target-postgres-meltanolabs", "database", "ARRAY")


def _check(bench: Bench, name: str, database: str, array: str, **how: Any) -> str:
    with Postgres() as postgres:
        config = bench.write("target.json", postgres.config(**{database: "postgres", "default_target_schema": SCHEMA}))
        target = [bench.environments.bin(name) / "target-postgres", "--config", config]
        said = twice(bench, target, lambda stream: postgres.rows(f"{SCHEMA}.{stream}"), **how)
        for stream in STREAMS:
            check_table(postgres, SCHEMA, stream, {**TYPES, "array": {array}})
        return f"{bench.environments.version(name)}, {postgres.version}: {said}"


def check_table(postgres: Postgres, schema: str, stream: str, types: dict[str, set[str]]) -> None:
    """Fails unless each compared column has a type of its kind, and the primary key is the stream's."""
    found = postgres.types(schema, stream)
    for name, kind in COLUMNS[stream].items():
        if found.get(name.lower()) not in types[kind]:
            raise Difference(f"{stream}: the column {name} is {found.get(name.lower())}, not one of {sorted(types[kind])}")
    if sorted(postgres.primary_key(f"{schema}.{stream}")) != sorted(KEYS[stream]):
        raise Difference(f"{stream}: the primary key is {postgres.primary_key(f'{schema}.{stream}')}, not {KEYS[stream]}")
