"""Loaders: dlt into DuckDB, sling into SQLite."""

from __future__ import annotations

import os
import re
import subprocess

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.truth import STREAMS, Row
from . import programs
from .files import schema, thrice

DLT = """
pipeline = dlt.pipeline("teams", destination=dlt.destinations.duckdb("warehouse.duckdb"), dataset_name="data", pipelines_dir="state")
pipeline.run([{resources}])
"""

ROWS = """
import sys, duckdb
database = duckdb.connect("warehouse.duckdb")
database.execute("SET TimeZone = 'UTC'")
for line, in database.execute(f"SELECT to_json(t) FROM data.{sys.argv[1]} t").fetchall():
    print(line)
"""

SQLITE = """
import json, sqlite3, sys
database = sqlite3.connect("warehouse.db")
database.row_factory = sqlite3.Row
for row in database.execute(f"SELECT * FROM {sys.argv[1]}"):
    print(json.dumps(dict(row)))
"""


def dlt(bench: Bench) -> str:
    program = schema(bench, "dlt") + DLT.format(resources=", ".join(f"{stream}()" for stream in STREAMS))

    def load() -> None:
        programs.run(bench, "dlt", program)

    def read(stream: str) -> list[Row]:
        found = programs.rows(programs.run(bench, "dlt", ROWS, stream))
        return [{_camel(name): value for name, value in row.items()} for row in found]

    return f"{bench.environments.version('dlt')}: {thrice(bench, load, read, all_runs=True)}"


def _camel(name: str) -> str:
    """dlt writes names in snake case; those that the tap derives are in it already, and are compared without case."""
    return name if name in ("team_id", "channel_id", "parent_message_id", "is_removed", "_additional_properties") else name.replace("_", "")


def sling(bench: Bench) -> str:
    text = schema(bench, "sling").replace("YOUR_TARGET", "WAREHOUSE").replace("your_schema.", "main.")
    (bench.folder / "replication.yaml").write_text(text)
    program = next(bench.environments.bin("sling").parent.glob("lib/python*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"))
    program.chmod(0o755)
    environment = {**os.environ, "WAREHOUSE": f"sqlite://{bench.folder}/warehouse.db", "SLING_HOME_DIR": str(bench.folder / "home"), "SLING_DISABLE_TELEMETRY": "true"}

    def load() -> None:
        done = subprocess.run([program, "run", "-r", "replication.yaml"], cwd=bench.folder, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise Difference(re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)[-2000:])

    def read(stream: str) -> list[Row]:
        return programs.rows(programs.run(bench, "sling", SQLITE, stream))

    return f"{bench.environments.version('sling')}: {thrice(bench, load, read, all_runs=False)}"
