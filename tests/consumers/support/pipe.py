"""Runs `tap | target` and records the messages in the pipe."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import Difference
from .truth import KEYS, Key

Command = Sequence[str | Path]


@dataclass
class Piped:
    messages: list[dict[str, Any]]
    """The messages of the tap."""
    stdout: str
    """The stdout of the target: the states whose records it has stored."""

    def keys(self, stream: str) -> list[Key]:
        records = (message["record"] for message in self.messages if message["type"] == "RECORD" and message["stream"] == stream)
        return [tuple(record[part] for part in KEYS[stream]) for record in records]

    def state(self) -> dict[str, Any]:
        """The last state from the target, which must be the last one of the tap."""
        lines = self.stdout.splitlines()
        if not lines:
            raise Difference("the target emitted no state")
        state = json.loads(lines[-1])
        if state != self.messages[-1].get("value"):
            raise Difference("the last state of the target is not the last state of the tap")
        return state


def pipe(tap: Command, target: Command, folder: Path) -> Piped:
    """Runs both in `folder`; raises if either fails."""
    through, stdout = folder / "through.singer", folder / "target.stdout"
    with (folder / "tap.stderr").open("w") as tap_log, (folder / "target.stderr").open("w") as target_log, stdout.open("w") as out:
        source = subprocess.Popen(tap, cwd=folder, stdout=subprocess.PIPE, stderr=tap_log)
        tee = subprocess.Popen(["tee", through], stdin=source.stdout, stdout=subprocess.PIPE)
        assert source.stdout and tee.stdout
        destination = subprocess.Popen(target, cwd=folder, stdin=tee.stdout, stdout=out, stderr=target_log)
        # Otherwise neither process would notice that its reader exited.
        source.stdout.close()
        tee.stdout.close()
        codes = {"target": destination.wait(), "tee": tee.wait(), "tap": source.wait()}
    if any(codes.values()):
        raise Difference(f"exit codes {codes}\n{_end(folder / 'tap.stderr')}\n{_end(folder / 'target.stderr')}")
    return Piped(json_lines(through), stdout.read_text())


def json_lines(path: Path) -> list[dict[str, Any]]:
    """Splits only at `\\n`, because texts may contain other line separators."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def _end(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-15:])
