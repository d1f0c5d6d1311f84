"""`meltano run` into target-jsonl: test, state, full refresh, selection of streams and columns."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..support.bench import Bench
from ..support.compare import compare, last_of_each, only_changes
from ..support.errors import Difference
from ..support.pipe import json_lines
from ..support.simulator import Simulator
from ..support.truth import KEYS, STREAMS, Key, Row, Truth
from .project import TAP, Project

LOADER = "target-jsonl"


def check(bench: Bench) -> str:
    with bench.simulator() as sim:
        project = Project(bench, sim, {LOADER: LOADER})
        if "Plugin configuration is valid" not in project.meltano("config", "test", TAP):
            raise Difference("`meltano config test` does not report a valid configuration")
        if '"SUCCEEDED"' not in project.meltano("invoke", f"{TAP}:check"):
            raise Difference(f"`meltano invoke {TAP}:check` does not succeed")
        output = Output(project.folder / "output")
        before = sim.truth()
        project.run(LOADER)
        rows = output.compare(before)

        sim.change_everything()
        after = sim.truth()
        output.mark()
        project.run(LOADER)
        changes = only_changes(before, after, output.keys_since_mark)
        output.compare(after)

        output.mark()
        project.run(LOADER, "--full-refresh")
        for stream, count in after.counts().items():
            if len(set(output.keys_since_mark(stream))) != count:
                raise Difference(f"{stream}: a full refresh read {len(set(output.keys_since_mark(stream)))} of {count}")
        output.mark()
        project.run(LOADER)
        if again := [*output.keys_since_mark("messages"), *output.keys_since_mark("message_replies")]:
            raise Difference(f"after a full refresh, {len(again)} records were read again without changes")
        _select(project, sim)
    version = f"{project.version}, {bench.environments.version(LOADER)}"
    return f"{version}: {rows} rows; after changes {changes}; full refresh {sum(after.counts().values())} rows; then none; selection respected"


def _select(project: Project, sim: Simulator) -> None:
    """Deselects a stream, a column and a property of a column."""
    project.meltano("select", TAP, "--exclude", "members", "*")
    project.meltano("select", TAP, "--exclude", "messages", "attachments")
    project.meltano("select", TAP, "--exclude", "messages", "body.content")
    # Keys cannot be deselected.
    project.meltano("select", TAP, "--exclude", "messages", "id")
    (project.folder / "selected").mkdir()
    project.run(LOADER, "--full-refresh", TARGET_JSONL_DESTINATION_PATH="selected")
    output = Output(project.folder / "selected")
    if output.rows("members"):
        raise Difference("members are read although they are not selected")
    messages = output.rows("messages")
    if len(messages) != sim.truth().counts()["messages"]:
        raise Difference(f"{len(messages)} messages were read with a selection of columns")
    for row in messages:
        if "attachments" in row or "content" in (row["body"] or {}) or "subject" not in row or "id" not in row:
            raise Difference(f"a message has columns that are not selected: {row}")


class Output:
    """The files of target-jsonl."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marks = dict.fromkeys(STREAMS, 0)

    def rows(self, stream: str) -> list[Row]:
        path = self._folder / f"{stream}.jsonl"
        return json_lines(path) if path.exists() else []

    def mark(self) -> None:
        self._marks = {stream: len(self.rows(stream)) for stream in STREAMS}

    def keys_since_mark(self, stream: str) -> Iterable[Key]:
        return [tuple(row[part] for part in KEYS[stream]) for row in self.rows(stream)[self._marks[stream] :]]

    def compare(self, truth: Truth) -> int:
        return sum(compare(truth, stream, last_of_each(stream, self.rows(stream))) for stream in STREAMS)
