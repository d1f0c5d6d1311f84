"""Programs in the environment of a reader, in the folder of a check: they load files, or write a table as JSON lines."""

from __future__ import annotations

import json
import subprocess

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.truth import Row


def run(bench: Bench, environment: str, program: str, *arguments: str) -> str:
    """What the program printed."""
    python = bench.environments.bin(environment) / "python"
    done = subprocess.run([python, "-c", program, *arguments], cwd=bench.folder, capture_output=True, text=True, encoding="utf-8")
    (bench.folder / "program.stderr").write_text(done.stderr)
    if done.returncode != 0:
        raise Difference(f"the program of {environment} failed:\n{done.stdout[-500:]}{done.stderr[-3000:]}")
    return done.stdout


class Program:
    """A program that keeps running, because it starts slowly: it handles each line of its stdin and then prints `done`."""

    def __init__(self, bench: Bench, environment: str, program: str) -> None:
        self._name, self._log = environment, bench.folder.with_suffix(".stderr")
        python = bench.environments.bin(environment) / "python"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [python, "-c", program], cwd=bench.folder.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8"
            )

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def do(self, line: str) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        if self._process.stdout.readline() != "done\n":
            self._process.wait()
            raise Difference(f"the program of {self._name} failed:\n{self._log.read_text()[-3000:]}")


def rows(text: str) -> list[Row]:
    return [json.loads(line) for line in text.split("\n") if line]


def with_nulls(row: Row) -> Row:
    """A row of ClickHouse, whose typed objects and lists cannot be null: they are empty instead."""
    return {name: None if value == [] or (isinstance(value, dict) and not any(value.values())) else value for name, value in row.items()}


def nested_texts(row: Row) -> Row:
    """A row whose typed lists hold JSON texts, as the values that these mean."""
    lists = ("attachments", "mentions", "reactions", "messageHistory")
    return {name: [json.loads(item) if isinstance(item, str) else item for item in value] if name in lists and isinstance(value, list) else value for name, value in row.items()}
