"""target-csv (MeltanoLabs) overwrites its files, so each run gets its own file. Nested values are in Python syntax, or JSON with flattening."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Callable
from typing import Any

from ..support.bench import Bench
from ..support.compare import last_of_each
from ..support.errors import Difference
from ..support.truth import INCREMENTAL, Row
from .twice import twice

FLATTENING = {
    "flattening_enabled": True,
    "flattening_max_depth": 1,
    # A null body is not flattened. It would keep the name `body`, which has no column any more, and target-csv would stop.
    "stream_maps": {stream: {"body": "body or {}"} for stream in INCREMENTAL},
}


def check(bench: Bench) -> str:
    return _check(bench, {}, lambda row: row, decode=_python)


def check_flattened(bench: Bench) -> str:
    """`body` becomes one column per property; other nested values become JSON text."""
    return _check(bench, FLATTENING, _with_body, empty_parts_are_null=True)


def _check(bench: Bench, settings: dict[str, Any], whole: Callable[[Row], Row], **how: Any) -> str:
    naming = {"file_naming_scheme": "{stream_name}-{timestamp}.csv", "timestamp_format": "%Y%m%dT%H%M%S.%f"}
    config = bench.write("target.json", {"output_path": str(bench.folder), **naming, **settings})
    target = [bench.environments.bin("target-csv") / "target-csv", "--config", config]
    csv.field_size_limit(1 << 30)

    def read(stream: str) -> list[Row]:
        rows: list[Row] = []
        for path in sorted(bench.folder.glob(f"{stream}-*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                lines = csv.DictReader(file)
                if stream == "messages" and {"is_removed", "_sdc_deleted_at"}.intersection(lines.fieldnames or ()) != {"is_removed"}:
                    raise Difference(f"according to docs/consumers.md, deletions only have the column is_removed: {lines.fieldnames}")
                rows += map(whole, lines)
        return last_of_each(stream, rows)

    return f"{bench.environments.version('target-csv')}: {twice(bench, target, read, empty_is_null=True, **how)}"


def _with_body(row: Row) -> Row:
    if "body__content" not in row:
        return row
    parts = {name: row[f"body__{name}"] for name in ("contentType", "content")}
    return {**row, "body": json.dumps(parts) if any(parts.values()) else None}


def _python(text: str) -> Any:
    return ast.literal_eval(re.sub(r"Decimal\('([^']*)'\)", r"\1", text))
