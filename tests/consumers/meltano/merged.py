"""States merged by Meltano: consecutive full refreshes, one stopped by SIGTERM, `state merge`, and states of version 1.

After each a plain run works, the data is complete, and the run after it reads nothing again.
"""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from typing import Any

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.simulator import Simulator
from .interrupted import interrupt, process_of
from .jsonl import LOADER, Output
from .project import TAP, Project

SMALL = {"TAP_MICROSOFT_TEAMS_MAX_PAGES_PER_BATCH": "1", "TAP_MICROSOFT_TEAMS_TOP": "20"}
"""Many states per run, most of them within a channel."""
PAGES = 6
"""Pages of messages until a full refresh is stopped, with some but not all channels read."""
KEPT = f"dev:{TAP}-to-{LOADER}"
OTHER = "dev:other"


def check(bench: Bench) -> str:
    with bench.simulator() as sim:
        merged = Merged(bench, sim)
        for _ in range(2):
            merged.project.run(LOADER, "--full-refresh", **SMALL)
            _change(sim)
        merged.goes_on("two full refreshes")

        for version in (2, 1):
            if version == 1:
                merged.set(_as_version_1(merged.kept()))
            interrupt(
                merged.project, sim, LOADER, PAGES, lambda _: os.kill(process_of(merged.project.tap), signal.SIGTERM), "--full-refresh"
            )
            if not any("walk" in entry for state in _messages(merged.kept()) for group in state["partitions"] for entry in group["entries"]):
                raise Difference("the stored state is not from the stopped full refresh: it has no unfinished walk")
            merged.goes_on(f"a full refresh that was ended by SIGTERM, merged into a state of version {version}")

        first = merged.kept()
        _change(sim)
        merged.goes_on("changes")
        merged.project.meltano("state", "set", "--force", OTHER, json.dumps({"singer_state": first}))
        for source, target in ((KEPT, OTHER), (OTHER, KEPT)):
            merged.project.meltano("state", "merge", "--from-state-id", source, target)
        merged.goes_on("`state merge`")

        merged.project.meltano("state", "set", "--force", OTHER, json.dumps({"singer_state": _as_version_1(merged.kept())}))
        merged.project.meltano("state", "merge", "--from-state-id", OTHER, KEPT)
        merged.goes_on("`state merge` of a state of version 1")
        merged.set(_as_version_1(merged.kept()))
        merged.goes_on("a state of version 1")
        if any(state["version"] != 2 for state in _messages(merged.kept())):
            raise Difference("a run from a state of version 1 did not write one of version 2")
    return f"{merged.project.version}: {', '.join(merged.done)}"


class Merged:
    """A project, its loaded rows, and the state in Meltano."""

    def __init__(self, bench: Bench, sim: Simulator) -> None:
        self.project = Project(bench, sim, {LOADER: LOADER})
        self.done: list[str] = []
        self._sim = sim
        self._output = Output(self.project.folder / "output")

    def kept(self) -> dict[str, Any]:
        return self.project.state(LOADER)

    def set(self, state: dict[str, Any]) -> None:
        self.project.meltano("state", "set", "--force", KEPT, json.dumps({"singer_state": state}))

    def goes_on(self, after: str) -> None:
        """A plain run reads what is missing, and the next one nothing."""
        self.project.run(LOADER)
        self._output.compare(self._sim.truth())
        self._sim.advance(2 * 3600)
        self._output.mark()
        self.project.run(LOADER)
        if again := [*self._output.keys_since_mark("messages"), *self._output.keys_since_mark("message_replies")]:
            raise Difference(f"after {after}, {len(again)} records were read again without changes")
        self.done.append(after)


def _change(sim: Simulator) -> None:
    """Adds a root, a reply to an old one, and an edit, with hours before and after."""
    sim.advance(2 * 3600)
    places = sim.truth().places("messages")
    sim.change("post", channel=places[0]["channel"], text="A new root")
    sim.change("reply", message=places[0], text="A reply")
    sim.change("edit", message=places[-1], text="Edited")
    sim.advance(2 * 3600)


def _messages(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [state["bookmarks"][stream] for stream in ("messages", "message_replies")]


def _as_version_1(state: dict[str, Any]) -> dict[str, Any]:
    """The same state in version 1, with what an idle channel needs."""
    bookmarks = dict(state["bookmarks"])
    for stream in ("messages", "message_replies"):
        written = bookmarks[stream]
        absent = dict.fromkeys(("since", "walk", "deltaLink", "deltaAt", "delta", "damage"))
        channels = {
            f"{group['parents'][0]}/{entry['id']}": {
                **absent,
                "lastModifiedDateTime": entry.get("lastModifiedDateTime"),
                "readAt": _date_time(entry.get("readAt")),
            }
            for group in written["partitions"]
            for entry in group["entries"]
        }
        bookmarks[stream] = {"version": 1, "tenant": written["tenant"], "full": None, "channels": channels}
    return {"bookmarks": bookmarks}


def _date_time(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()
