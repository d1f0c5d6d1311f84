"""`meltano run` into target-duckdb, twice, with state.

Version 0.8.0 takes the first row of a batch for the header of a file, and loses it. A stream of ours is one batch a run here:
so one row of each may be missing after a run, and no more; what is there must be right.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

from ..support.bench import Bench
from ..support.compare import compare
from ..support.errors import Difference
from ..support.truth import KEYS, STREAMS, Row, Truth
from .project import Project

LOADER = "target-duckdb"
DUMP = """
import sys, duckdb
for line in duckdb.connect(sys.argv[1], read_only=True).execute(f"select to_json(t) from teams.{sys.argv[2]} t").fetchall():
    print(line[0])
"""


def check(bench: Bench) -> str:
    with bench.simulator() as sim:
        project = Project(bench, sim, {LOADER: LOADER})
        python = bench.environments.bin(LOADER) / "python"

        def read(stream: str) -> list[Row]:
            command = [python, "-c", DUMP, project.folder / "output/warehouse.duckdb", stream]
            lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout
            return [json.loads(line) for line in lines.split("\n") if line]

        project.run(LOADER)
        first = _compare(sim.truth(), read, 1)
        sim.change_everything()
        project.run(LOADER)
        second = _compare(sim.truth(), read, 2)
    return f"{project.version}, {bench.environments.version(LOADER)}: {first}; after changes {second}"


def _compare(truth: Truth, read: Callable[[str], list[Row]], runs: int) -> str:
    rows, lost = 0, []
    for stream in STREAMS:
        found = read(stream)
        there = {tuple(row[part] for part in KEYS[stream]) for row in found}
        missing = truth.rows(stream).keys() - there
        if len(missing) > runs:
            raise Difference(f"{stream}: {len(missing)} rows are missing after {runs} runs, which the known bug does not explain")
        rows += compare(truth.without(stream, missing), stream, found, empty_is_null=True)
        lost += [stream] * len(missing)
    return f"{rows} rows, the target lost {len(lost)} first rows ({', '.join(lost) or 'none'})"
