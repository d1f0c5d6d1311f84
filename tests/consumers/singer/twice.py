"""The test for every target: read everything, then only the changes, then nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..support.bench import Bench
from ..support.compare import compare, only_changes
from ..support.errors import Difference
from ..support.pipe import Command, pipe
from ..support.truth import STREAMS, Row, Truth

Read = Callable[[str], Iterable[Row]]


def twice(bench: Bench, target: Command, read: Read, **how: Any) -> str:
    """`read` returns the rows of a stream in the destination; `how` is passed to the comparison. Returns the counts as text."""
    with bench.simulator() as sim:
        tap = [bench.tap, "--config", bench.write("config.json", sim.config)]
        before = sim.truth()
        first = pipe(tap, target, bench.folder)
        rows = _compare_all(before, read, how)

        sim.change_everything()
        after = sim.truth()
        second = pipe([*tap, "--state", bench.write("state.json", first.state())], target, bench.folder)
        changes = only_changes(before, after, second.keys)
        rows_after = _compare_all(after, read, how)

        third = pipe([*tap, "--state", bench.write("state.json", second.state())], target, bench.folder)
        if again := third.keys("messages") + third.keys("message_replies"):
            raise Difference(f"{len(again)} records were read again without changes, such as {again[:2]}")
        _compare_all(after, read, how)
    return f"{rows} rows; after changes {changes} were read, {rows_after} rows; then none"


def _compare_all(truth: Truth, read: Read, how: dict[str, Any]) -> int:
    return sum(compare(truth, stream, read(stream), **how) for stream in STREAMS)
