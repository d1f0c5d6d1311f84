"""Databases: the statements are run as they are printed, and the tables compared."""

from __future__ import annotations

from ..support.bench import Bench
from ..support.postgres import Postgres
from ..support.truth import Row
from . import programs
from .files import schema, thrice

DUCKDB = """
import sys, duckdb
database = duckdb.connect("warehouse.duckdb")
if len(sys.argv) == 1:
    database.execute(open("schema.sql").read())
else:
    database.execute("SET TimeZone = 'UTC'")
    for line, in database.execute(f"SELECT to_json(t) FROM {sys.argv[1]} t").fetchall():
        print(line)
"""

CLICKHOUSE = """
import sys
from chdb.session import Session
session = Session("warehouse")
session.query("CREATE DATABASE IF NOT EXISTS teams")
session.query("USE teams")
if len(sys.argv) == 1:
    for statement in open("schema.sql").read().split(";\\n"):
        if statement.strip():
            session.query(statement)
else:
    print(session.query(f"SELECT * FROM {sys.argv[1]} FINAL", "JSONEachRow"), end="")
"""

DIALECTS = """
import sys, sqlglot
count = 0
for statement in sqlglot.parse(open("schema.sql").read(), read=sys.argv[1], error_level=sqlglot.ErrorLevel.RAISE):
    count += 1
    if isinstance(statement, sqlglot.exp.Command):
        print(f"not understood: {statement.sql()[:80]}")
print(f"{count} statements")
"""


def duckdb(bench: Bench) -> str:
    return "; ".join(_both(bench, "duckdb", DUCKDB, all_runs=True))


def clickhouse(bench: Bench) -> str:
    return "; ".join(_both(bench, "clickhouse", CLICKHOUSE, all_runs=False))


def _both(bench: Bench, reader: str, program: str, *, all_runs: bool) -> list[str]:
    said = [bench.environments.version(reader)]
    for nested in ("json", "typed"):
        bench.fresh_folder()
        (bench.folder / "schema.sql").write_text(schema(bench, reader, nested))

        def load() -> None:
            programs.run(bench, reader, program)

        def read(stream: str) -> list[Row]:
            found = [programs.nested_texts(row) for row in programs.rows(programs.run(bench, reader, program, stream))]
            return found if reader == "duckdb" else [programs.with_nulls(row) for row in found]

        said.append(f"{nested}: {thrice(bench, load, read, all_runs=all_runs, empty_is_null=reader == 'clickhouse')}")
    return said


def postgres(bench: Bench) -> str:
    said = []
    for nested in ("json", "typed"):
        bench.fresh_folder()
        (bench.folder / "schema.sql").write_text(schema(bench, "postgres", nested))
        with Postgres() as server:

            def load() -> None:
                server.run_file(bench.folder / "schema.sql")

            said += [server.version] if not said else []
            said.append(f"{nested}: {thrice(bench, load, lambda stream: server.rows(stream), all_runs=False)}")
    return "; ".join(said)


def dialects(bench: Bench) -> str:
    """BigQuery and Snowflake run nowhere but at their makers': their statements are parsed."""
    said = [bench.environments.version("sqlglot")]
    for dialect in ("bigquery", "snowflake"):
        for nested in ("json", "typed"):
            (bench.folder / "schema.sql").write_text(schema(bench, dialect, nested))
            found = programs.run(bench, "sqlglot", DIALECTS, dialect).strip()
            said.append(f"{dialect} {nested}: {found}")
    return "; ".join(said)
