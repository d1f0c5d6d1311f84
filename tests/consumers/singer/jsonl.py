"""target-jsonl appends lines: the last one for each key counts."""

from ..support.bench import Bench
from ..support.compare import last_of_each
from ..support.pipe import json_lines
from ..support.truth import Row
from .twice import twice


def check(bench: Bench) -> str:
    config = bench.write("target.json", {"destination_path": str(bench.folder), "do_timestamp_file": False})
    target = [bench.environments.bin("target-jsonl") / "target-jsonl", "--config", config]

    def read(stream: str) -> list[Row]:
        return last_of_each(stream, json_lines(bench.folder / f"{stream}.jsonl"))

    return f"{bench.environments.version('target-jsonl')}: {twice(bench, target, read)}"
