"""`tap | target`, as a shell does it, and what went through the pipe."""

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
    """What the tap wrote."""
    said: str
    """What the target wrote to stdout: the states that it has saved the records of."""

    def keys(self, stream: str) -> list[Key]:
        records = (message["record"] for message in self.messages if message["type"] == "RECORD" and message["stream"] == stream)
        return [tuple(record[part] for part in KEYS[stream]) for record in records]

    def state(self) -> dict[str, Any]:
        """The last state that the target let out. It must be the tap's last."""
        lines = self.said.splitlines()
        if not lines:
            raise Difference("the target let no state out")
        state = json.loads(lines[-1])
        if state != self.messages[-1].get("value"):
            raise Difference("the last state of the target is not the last of the tap")
        return state


def pipe(tap: Command, target: Command, folder: Path) -> Piped:
    """Both in `folder`; fails when one of them does."""
    through, said = folder / "through.singer", folder / "target.stdout"
    with (folder / "tap.stderr").open("w") as tap_log, (folder / "target.stderr").open("w") as target_log, said.open("w") as out:
        source = subprocess.Popen(tap, cwd=folder, stdout=subprocess.PIPE, stderr=tap_log)
        tee = subprocess.Popen(["tee", through], stdin=source.stdout, stdout=subprocess.PIPE)
        assert source.stdout and tee.stdout
        destination = subprocess.Popen(target, cwd=folder, stdin=tee.stdout, stdout=out, stderr=target_log)
        # Else neither would learn that its reader is gone.
        source.stdout.close()
        tee.stdout.close()
        codes = {"target": destination.wait(), "tee": tee.wait(), "tap": source.wait()}
    if any(codes.values()):
        raise Difference(f"ended with {codes}\n{_end(folder / 'tap.stderr')}\n{_end(folder / 'target.stderr')}")
    return Piped(json_lines(through), said.read_text())


def json_lines(path: Path) -> list[dict[str, Any]]:
    """`\\n` alone ends a line: there are other line separators within texts."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def _end(log: Path) -> str:
    return "\n".join(log.read_text().splitlines()[-15:])
