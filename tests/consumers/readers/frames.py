"""Data frames: what is printed is run as a program, and each frame written as JSON lines."""

from __future__ import annotations

from ..support.bench import Bench
from ..support.truth import STREAMS, Row
from . import programs
from .files import schema, thrice

POLARS = """
for name in {streams}:
    with open(name + ".rows", "w", encoding="utf-8") as out:
        for row in globals()[name].to_dicts():
            out.write(json.dumps(row, default=str) + "\\n")
"""

PYARROW = """
for name in {streams}:
    with open(name + ".rows", "w", encoding="utf-8") as out:
        for row in globals()[name].to_pylist():
            out.write(json.dumps(row, default=str) + "\\n")
"""

PANDAS = """
for name in {streams}:
    with open(name + ".rows", "w", encoding="utf-8") as out:
        for row in globals()[name].to_dict("records"):
            row = {{key: None if not isinstance(value, (list, dict)) and pd.isna(value) else value for key, value in row.items()}}
            out.write(json.dumps(row, default=str) + "\\n")
"""


def polars(bench: Bench) -> str:
    return _check(bench, "polars", POLARS)


def pyarrow(bench: Bench) -> str:
    return _check(bench, "pyarrow", PYARROW)


def pandas(bench: Bench) -> str:
    return _check(bench, "pandas", PANDAS)


def _check(bench: Bench, reader: str, write: str) -> str:
    said = [bench.environments.version(reader)]
    for nested in ("json", "typed"):
        bench.fresh_folder()
        program = schema(bench, reader, nested) + write.format(streams=STREAMS)

        def load() -> None:
            programs.run(bench, reader, program)

        def read(stream: str) -> list[Row]:
            rows = programs.rows((bench.folder / f"{stream}.rows").read_text(encoding="utf-8"))
            return [programs.nested_texts(row) for row in rows]

        said.append(f"{nested}: {thrice(bench, load, read, all_runs=True)}")
    return "; ".join(said)
