"""Files of JSON lines as runs of the tap leave them: a first load with an edit during it, then changes and a removal, then an idle run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ..support.bench import Bench
from ..support.compare import compare
from ..support.errors import Difference
from ..support.simulator import Simulator
from ..support.truth import INCREMENTAL, KEYS, STREAMS, Row, Truth

Read = Callable[[str], Iterable[Row]]


class Files:
    """The files in the folder of a check.

    `STREAM.jsonl` for streams that each run reads in full. For the others `STREAM-N.jsonl` for each run, or, without `all_runs`,
    `STREAM.jsonl` with what the last run read.
    """

    def __init__(self, bench: Bench, sim: Simulator, *, all_runs: bool) -> None:
        self._bench, self._sim, self._all_runs = bench, sim, all_runs
        self._state: Path | None = None
        self.run = 0

    def first(self) -> None:
        """A message that is edited while the first load goes on is in its file twice, the newer version last."""
        records = self._read()
        places = self._sim.truth().places("messages")
        self._sim.change("edit", message=places[0], text="Edited during the first load")
        again = self._read()
        for stream in STREAMS:
            records[stream] = records[stream] + again[stream] if stream in INCREMENTAL else again[stream]
        if len(records["messages"]) != len({record["id"] + record["channel_id"] for record in records["messages"]}) + 1:
            raise Difference("the edited message should be in the first file twice")
        self._write(records)

    def next(self) -> None:
        self._write(self._read())

    def _read(self) -> dict[str, list[str]]:
        command: list[str | Path] = [self._bench.tap, "--config", self._bench.write("config.json", self._sim.config)]
        command += ["--state", self._state] if self._state else []
        with (self._bench.folder / "tap.stderr").open("w") as log:
            lines = subprocess.run(command, stdout=subprocess.PIPE, stderr=log, text=True, encoding="utf-8", check=True).stdout.split("\n")
        messages = [json.loads(line) for line in lines if line]
        self._state = self._bench.write("state.json", messages[-1]["value"])
        return {stream: [m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == stream] for stream in STREAMS}

    def _write(self, records: dict[str, list[Any]]) -> None:
        self.run += 1
        for stream, rows in records.items():
            name = f"{stream}-{self.run}" if self._all_runs and stream in INCREMENTAL else stream
            text = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
            (self._bench.folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def thrice(bench: Bench, load: Callable[[], None], read: Read, *, all_runs: bool, **how: Any) -> str:
    """`load` loads the files in the folder, `read` returns the rows of a stream; each is compared with the truth after each run."""
    with bench.simulator() as sim:
        sim.switch(delta={"reports_removals": True})
        files = Files(bench, sim, all_runs=all_runs)
        files.first()
        load()
        first = _compare(sim.truth(), read, how)
        sim.change("remove", message=sim.truth().places("messages")[5])
        sim.change_everything()
        files.next()
        load()
        second = _compare(sim.truth(), read, how)
        sim.advance(3600)
        files.next()
        load()
        _compare(sim.truth(), read, how)
    return f"{first} rows after an edit during the first load, {second} after changes, the same after an idle run"


def _compare(truth: Truth, read: Read, how: dict[str, Any]) -> int:
    """All rows but those of the messages that Graph has reported as removed."""
    return sum(compare(truth, stream, _present(read(stream)), **how) for stream in STREAMS)


def _present(rows: Iterable[Row]) -> Iterator[Row]:
    return (row for row in rows if not row.get("is_removed"))


def schema(bench: Bench, reader: str, nested: str = "json") -> str:
    """What the tap prints for a reader."""
    command = [bench.tap, "schema", "--for", reader, "--nested", nested, "--stream", ",".join(KEYS)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True).stdout
