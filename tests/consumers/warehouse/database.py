"""DuckDB in its own environment, controlled over a pipe: one JSON line per statement, and one for its rows."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from ..support.bench import Bench
from ..support.errors import Difference

SERVER = """
import json, sys, duckdb
database = duckdb.connect()
database.execute("SET TimeZone = 'UTC'")
for line in sys.stdin:
    try:
        result = database.execute(json.loads(line))
        names = [column[0] for column in result.description]
        answer = [dict(zip(names, row)) for row in result.fetchall()]
    except duckdb.Error as error:
        answer = str(error)
    print(json.dumps(answer, default=str), flush=True)
"""


class Database:
    """A context manager that stops the process at the end."""

    def __init__(self, bench: Bench) -> None:
        python = bench.environments.bin("duckdb") / "python"
        self._process = subprocess.Popen([python, "-c", SERVER], cwd=bench.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(self, statements: str) -> list[dict[str, Any]]:
        """Runs the statements and returns the rows of the last one."""
        assert self._process.stdin and self._process.stdout
        print(json.dumps(statements), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if isinstance(answer, str):
            raise Difference(f"{statements}\n{answer}")
        return answer
