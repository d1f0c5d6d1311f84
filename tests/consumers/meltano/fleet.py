"""The project of examples/fleet: three tenants side by side, three times; each has its own records and its own state, and its own failure."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from ..support.bench import Bench
from ..support.compare import only_changes
from ..support.errors import Difference
from ..support.simulator import Simulator
from ..support.truth import Truth
from .jsonl import LOADER, Output
from .project import TAP, read_yaml

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/fleet"
SIZES = {
    "contoso": ("--teams", "3", "--channels", "2", "--messages", "60"),
    "fabrikam": ("--teams", "1", "--channels", "4", "--messages", "150", "--long-threads", "0"),
    "tailspin": ("--teams", "2", "--channels", "2", "--messages", "20"),
}
"""Of each tenant of the project; each is drawn from a seed of its own."""
LATENCY = 5
"""Seconds each answer takes until all tenants have asked: a run then needs more than five times as long."""


@dataclass
class Tenant:
    name: str
    sim: Simulator
    output: Output

    @property
    def state_id(self) -> str:
        return f"{self.name}:{TAP}-to-{LOADER}"


def check(bench: Bench) -> str:
    _check_sketches(bench)
    with ExitStack() as ended:
        fleet = Fleet(bench, ended)
        busy, idle, _ = fleet.tenants
        fleet.run_side_by_side()
        rows = {tenant.name: tenant.output.compare(tenant.sim.truth()) for tenant in fleet.tenants}
        states = fleet.check_states()

        before = [tenant.sim.truth() for tenant in fleet.tenants]
        for tenant in fleet.tenants:
            tenant.output.mark()
            if tenant is not idle:
                tenant.sim.change_everything()
        asked = _asked_of_channels(idle)
        fleet.run()
        read = [_only_changes(tenant, then) for tenant, then in zip(fleet.tenants, before, strict=True)]
        asked = _asked_of_channels(idle) - asked
        if asked != 2 * before[1].counts()["channels"]:
            raise Difference(f"{idle.name} has {before[1].counts()['channels']} idle channels, and {asked} requests were made for them")
        after = fleet.check_states()
        if after[busy.name] == states[busy.name]:
            raise Difference(f"the second run left the state of {busy.name} as it was")

        fleet.spoil(busy)
        for tenant in fleet.tenants:
            tenant.sim.change("reply", message=tenant.sim.truth().places("messages")[0], text="A reply to the oldest root of all")
        if fleet.run(fails=True) == 0:
            raise Difference("the fleet ended as if all were done, though one tenant refused its secret")
        for tenant in fleet.tenants[1:]:
            tenant.output.compare(tenant.sim.truth())
        if fleet.check_states()[busy.name] != after[busy.name]:
            raise Difference(f"a run that was refused changed the state of {busy.name}")
        fleet.check_secrets()
    first = ", ".join(f"{count} rows for {name}" for name, count in rows.items())
    said = f"then {'; '.join(read)}, {asked} requests for the channels of the idle one"
    return f"{fleet.version}, {bench.environments.version(LOADER)}: {first}; {said}; one refused, the others complete"


def _only_changes(tenant: Tenant, before: Truth) -> str:
    after = tenant.sim.truth()
    tenant.output.compare(after)
    return only_changes(before, after, tenant.output.keys_since_mark)


def _asked_of_channels(tenant: Tenant) -> int:
    return tenant.sim.requests("messages") + tenant.sim.requests("delta")


def _check_sketches(bench: Bench) -> None:
    """They are not run: only whether they can be read."""
    python = bench.environments.bin("meltano") / "python"
    yaml, dag = EXAMPLE / "kubernetes.yaml", EXAMPLE / "airflow_dag.py"
    subprocess.run([python, "-c", "import sys, yaml; list(yaml.safe_load_all(open(sys.argv[1])))", yaml], check=True)
    compile(dag.read_text(), dag, "exec")


class Fleet:
    """The project as it is, but for where things are."""

    def __init__(self, bench: Bench, ended: ExitStack) -> None:
        self.folder = bench.folder / "project"
        shutil.copytree(EXAMPLE, self.folder)
        shutil.copy2(bench.tap, self.folder / TAP)
        (self.folder / "secrets").mkdir()
        self._log = self.folder / "fleet.log"
        self.version = bench.environments.version("meltano")
        self.tenants: list[Tenant] = []

        project = read_yaml(bench, EXAMPLE / "meltano.yml")
        loader = project["plugins"]["loaders"][0]
        # Installed already, as pinned and hashed.
        del loader["pip_url"]
        loader["executable"] = str(bench.environments.bin(LOADER) / LOADER)
        for seed, environment in enumerate(project["environments"], start=1):
            sim = ended.enter_context(bench.simulator("--seed", str(seed), *SIZES[environment["name"]]))
            # The second run repeats the messages of the hour before the first one: there are none.
            sim.advance(2 * 3600)
            name = environment["name"]
            config = dict(sim.config)
            (self.folder / "secrets" / name).write_text(config.pop("client_secret"))
            environment["config"]["plugins"]["extractors"][0]["config"] = config
            self.tenants.append(Tenant(name, sim, Output(self.folder / "output" / name)))
        (self.folder / "meltano.yml").write_text(json.dumps(project))

        mine = {name: value for name, value in os.environ.items() if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))}
        path = f"{bench.environments.bin('meltano')}:{mine['PATH']}"
        self._variables = {**mine, "PATH": path, "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"}

    def run(self, *, fails: bool = False) -> int:
        return self._end(self._start(), fails)

    def run_side_by_side(self) -> None:
        """Fails unless all tenants are read at the same time: none is done when the last one begins to be read."""
        for tenant in self.tenants:
            tenant.sim.latency(LATENCY)
        process = self._start()
        while not all(tenant.sim.requests_in_all() for tenant in self.tenants) and process.poll() is None:
            time.sleep(0.02)
        done = [tenant.name for tenant in self.tenants if self._ask(tenant, "select 1 from runs where ended_at is not null")]
        for tenant in self.tenants:
            tenant.sim.latency(0)
        self._end(process)
        if done:
            raise Difference(f"the runs were not side by side: {', '.join(done)} was done before another began")

    def _start(self) -> subprocess.Popen[bytes]:
        """All tenants at the same time, as the README says."""
        with self._log.open("a") as log:
            return subprocess.Popen(["./fleet", str(len(self.tenants))], cwd=self.folder, env=self._variables, stdout=log, stderr=log)

    def _end(self, process: subprocess.Popen[bytes], fails: bool = False) -> int:
        code = process.wait()
        if code != 0 and not fails:
            raise Difference(f"the fleet ended with {code}\n" + "\n".join(self._log.read_text().splitlines()[-15:]))
        return code

    def spoil(self, tenant: Tenant) -> None:
        """From now on its secret is another than it should be."""
        (self.folder / "secrets" / tenant.name).write_text("another")

    def check_states(self) -> dict[str, str]:
        """Each tenant has a state, and in it all its channels and those of nobody else; returns the states by tenant."""
        states = {}
        for tenant in self.tenants:
            kept = dict(self._ask(tenant, "select state_id, completed_state from state"))
            if list(kept) != [tenant.state_id]:
                raise Difference(f"{tenant.name} has states of {sorted(kept)}, and should have that of {tenant.state_id}")
            states[tenant.name] = kept[tenant.state_id]
            named = set(re.findall(r"19:[^\"]+@thread\.[a-z0-9]+", states[tenant.name]))
            channels = {key[0] for key in tenant.sim.truth().rows("channels")}
            if named != channels:
                raise Difference(f"the state of {tenant.name} names {len(named)} channels of {len(channels)}, {len(named - channels)} not its own")
        return states

    def check_secrets(self) -> None:
        """What is left behind holds no secret: neither logs nor what Meltano keeps."""
        secrets = {tenant.sim.config["client_secret"].encode() for tenant in self.tenants}
        for path in self.folder.rglob("*"):
            if path.is_file() and path.parent.name != "secrets" and any(secret in path.read_bytes() for secret in secrets):
                raise Difference(f"a secret stands in {path}")

    def _ask(self, tenant: Tenant, sql: str) -> list[tuple[str, str]]:
        """What Meltano's database of this tenant says."""
        with closing(sqlite3.connect(self.folder / f".meltano/tenants/{tenant.name}/meltano.db")) as database:
            return database.execute(sql).fetchall()
