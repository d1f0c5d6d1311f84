"""target-csv (MeltanoLabs) writes nested values in Python syntax and overwrites its files, so each run gets its own file."""

from __future__ import annotations

import ast
import csv
import re
from typing import Any

from ..support.bench import Bench
from ..support.compare import last_of_each
from ..support.errors import Difference
from ..support.truth import Row
from .twice import twice


def check(bench: Bench) -> str:
    naming = {"file_naming_scheme": "{stream_name}-{timestamp}.csv", "timestamp_format": "%Y%m%dT%H%M%S.%f"}
    config = bench.write("target.json", {"output_path": str(bench.folder), **naming})
    target = [bench.environments.bin("target-csv") / "target-csv", "--config", config]
    csv.field_size_limit(1 << 30)

    def read(stream: str) -> list[Row]:
        rows: list[Row] = []
        for path in sorted(bench.folder.glob(f"{stream}-*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                lines = csv.DictReader(file)
                if stream == "messages" and {"is_removed", "_sdc_deleted_at"}.intersection(lines.fieldnames or ()) != {"is_removed"}:
                    raise Difference(f"according to docs/consumers.md, deletions only have the column is_removed: {lines.fieldnames}")
                rows += lines
        return last_of_each(stream, rows)

    return f"{bench.environments.version('target-csv')}: {twice(bench, target, read, decode=_nested, empty_is_null=True)}"


def _nested(text: str) -> Any:
    return ast.literal_eval(re.sub(r"Decimal\('([^']*)'\)", r"\1", text))
