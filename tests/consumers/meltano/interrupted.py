"""A run that is interrupted fails, and the next one goes on without loss: SIGKILL of the tap, SIGTERM of Meltano."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.simulator import Simulator
from .jsonl import LOADER, Output
from .project import TAP, Project

LATENCY = 0.3
"""Seconds each answer takes while a run is to be interrupted: it then has several to go."""


def check(bench: Bench) -> str:
    with bench.simulator() as sim:
        project = Project(bench, sim, {LOADER: LOADER})
        output = Output(project.folder / "output")

        _interrupt(project, sim, lambda _: os.kill(_process_of(project.tap), signal.SIGKILL))
        if not project.state(LOADER).get("bookmarks"):
            raise Difference("no state was kept of a run whose tap was killed")
        kept = len(output.rows("messages"))
        project.run(LOADER)
        rows = output.compare(sim.truth())

        sim.change_everything()
        _interrupt(project, sim, lambda meltano: meltano.send_signal(signal.SIGTERM))
        project.run(LOADER)
        after = output.compare(sim.truth())
    killed = f"tap killed after {kept} messages, then {rows} rows"
    return f"{project.version}, {bench.environments.version(LOADER)}: {killed}; Meltano ended after changes, then {after} rows"


def _interrupt(project: Project, sim: Simulator, interrupt: Callable[[subprocess.Popen[str]], None]) -> None:
    """Interrupts a run between the pages of its walks."""
    asked = sim.requests("messages")
    sim.latency(LATENCY)
    process = project.start("run", TAP, LOADER, TAP_MICROSOFT_TEAMS_MAX_CONCURRENT_THREADS="1", TAP_MICROSOFT_TEAMS_TOP="20")
    while sim.requests("messages") < asked + 3:
        if process.poll() is not None:
            raise Difference("the run was over before it could be interrupted")
        time.sleep(0.02)
    interrupt(process)
    process.communicate()
    sim.latency(0)
    if process.returncode == 0:
        raise Difference("an interrupted run ended as if all were done")


def _process_of(executable: Path) -> int:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "exe").resolve() == executable.resolve():
                return int(process.name)
        except OSError:
            continue
    raise Difference(f"no process of {executable}")
