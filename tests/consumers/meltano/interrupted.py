"""An interrupted run fails, and the next one continues without loss: SIGKILL of the tap, SIGTERM of Meltano.

Into target-postgres: when its input ends, it loads the received records and emits the last state.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ..singer.postgres import SCHEMA
from ..support.bench import Bench
from ..support.compare import compare
from ..support.errors import Difference
from ..support.postgres import Postgres
from ..support.simulator import Simulator
from ..support.truth import STREAMS
from .postgres import ENVIRONMENT, LOADER, project_of
from .project import TAP, Project

LATENCY = 0.2
"""The delay of each response in seconds until a run is interrupted, so that several are outstanding."""
PAGES = 10
"""Pages of messages until a first run is interrupted: more than half, so that states were emitted, but not all."""


def check(bench: Bench) -> str:
    with bench.simulator() as sim, Postgres() as postgres:
        project = project_of(bench, sim, postgres)

        def run_and_compare() -> int:
            project.run(LOADER)
            return sum(compare(sim.truth(), stream, postgres.rows(f"{SCHEMA}.{stream}")) for stream in STREAMS)

        interrupt(project, sim, LOADER, PAGES, lambda _: os.kill(process_of(project.tap), signal.SIGKILL))
        loaded = postgres.ask(f"select count(*), max(_sdc_batched_at) from {SCHEMA}.messages")[0].split("|")
        rows = run_and_compare()
        left = postgres.ask(f"select count(*) from {SCHEMA}.messages where _sdc_batched_at <= '{loaded[1]}'")[0]
        if not 0 < int(left) <= int(loaded[0]) < sim.truth().counts()["messages"]:
            raise Difference(f"{loaded[0]} messages were loaded, and {left} of them not read again: the run did not continue where it stopped")

        sim.change_everything()
        interrupt(project, sim, LOADER, 1, lambda meltano: meltano.send_signal(signal.SIGTERM))
        after = run_and_compare()
        version = f"{project.version}, {bench.environments.version(ENVIRONMENT)}, {postgres.version}"
    killed = f"tap killed after {loaded[0]} messages, {left} of them not read again, {rows} rows"
    return f"{version}: {killed}; Meltano ended after changes, then {after} rows"


def interrupt(
    project: Project, sim: Simulator, loader: str, pages: int, end: Callable[[subprocess.Popen[str]], None], *options: str
) -> None:
    """Interrupts a run after this many requests for pages of messages."""
    before = sim.requests("messages")
    sim.latency(LATENCY)
    # Small pages, one at a time, with a state after each.
    small = {"MAX_CONCURRENT_THREADS": "1", "TOP": "20", "MAX_PAGES_PER_BATCH": "1"}
    process = project.start("run", *options, TAP, loader, **{f"TAP_MICROSOFT_TEAMS_{name}": value for name, value in small.items()})
    while sim.requests("messages") < before + pages:
        if process.poll() is not None:
            raise Difference("the run ended before it could be interrupted")
        time.sleep(0.02)
    end(process)
    process.communicate()
    sim.latency(0)
    if process.returncode == 0:
        raise Difference("an interrupted run succeeded")


def process_of(executable: Path) -> int:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "exe").resolve() == executable.resolve():
                return int(process.name)
        except OSError:
            continue
    raise Difference(f"no process with {executable}")
