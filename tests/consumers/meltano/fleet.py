"""The project in examples/fleet: three tenants in parallel, three times; each has its own records, state and failure."""

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
"""The size of each tenant; each has its own seed."""
LATENCY = 5
"""The delay of each response in seconds, until all tenants have sent a request; a run takes more than five times as long."""


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
        requests = _channel_requests(idle)
        fleet.run()
        read = [_only_changes(tenant, then) for tenant, then in zip(fleet.tenants, before, strict=True)]
        requests = _channel_requests(idle) - requests
        if requests != 2 * before[1].counts()["channels"]:
            raise Difference(f"{idle.name} has {before[1].counts()['channels']} idle channels, but {requests} requests were sent for them")
        after = fleet.check_states()
        if after[busy.name] == states[busy.name]:
            raise Difference(f"the second run did not change the state of {busy.name}")

        fleet.spoil(busy)
        for tenant in fleet.tenants:
            tenant.sim.change("reply", message=tenant.sim.truth().places("messages")[0], text="A reply to the oldest root of all")
        if fleet.run(fails=True) == 0:
            raise Difference("the fleet succeeded, although one tenant refused its secret")
        for tenant in fleet.tenants[1:]:
            tenant.output.compare(tenant.sim.truth())
        if fleet.check_states()[busy.name] != after[busy.name]:
            raise Difference(f"a refused run changed the state of {busy.name}")
        fleet.check_secrets()
    first = ", ".join(f"{count} rows for {name}" for name, count in rows.items())
    counts = f"then {'; '.join(read)}, {requests} requests for the channels of the idle tenant"
    return f"{fleet.version}, {bench.environments.version(LOADER)}: {first}; {counts}; one refused, the others complete"


def _only_changes(tenant: Tenant, before: Truth) -> str:
    after = tenant.sim.truth()
    tenant.output.compare(after)
    return only_changes(before, after, tenant.output.keys_since_mark)


def _channel_requests(tenant: Tenant) -> int:
    return tenant.sim.requests("messages") + tenant.sim.requests("delta")


def _check_sketches(bench: Bench) -> None:
    """Only checks that they can be parsed; they are not run."""
    python = bench.environments.bin("meltano") / "python"
    yaml, dag = EXAMPLE / "kubernetes.yaml", EXAMPLE / "airflow_dag.py"
    subprocess.run([python, "-c", "import sys, yaml; list(yaml.safe_load_all(open(sys.argv[1])))", yaml], check=True)
    compile(dag.read_text(), dag, "exec")


class Fleet:
    """The project with changed locations."""

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
        # Already installed, pinned and hashed.
        del loader["pip_url"]
        loader["executable"] = str(bench.environments.bin(LOADER) / LOADER)
        for seed, environment in enumerate(project["environments"], start=1):
            sim = ended.enter_context(bench.simulator("--seed", str(seed), *SIZES[environment["name"]]))
            # The second run repeats messages of the hour before the first one; this tenant has none.
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
        """Fails unless all tenants are read concurrently: none is finished when the last one starts."""
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
            raise Difference(f"the runs were not concurrent: {', '.join(done)} finished before another one started")

    def _start(self) -> subprocess.Popen[bytes]:
        """Runs all tenants concurrently, as in the README."""
        with self._log.open("a") as log:
            return subprocess.Popen(["./fleet", str(len(self.tenants))], cwd=self.folder, env=self._variables, stdout=log, stderr=log)

    def _end(self, process: subprocess.Popen[bytes], fails: bool = False) -> int:
        code = process.wait()
        if code != 0 and not fails:
            raise Difference(f"the fleet ended with {code}\n" + "\n".join(self._log.read_text().splitlines()[-15:]))
        return code

    def spoil(self, tenant: Tenant) -> None:
        """Changes the secret of the tenant to a wrong one."""
        (self.folder / "secrets" / tenant.name).write_text("another")

    def check_states(self) -> dict[str, str]:
        """Each tenant has a state with exactly its own channels; returns the states by tenant."""
        states = {}
        for tenant in self.tenants:
            kept = dict(self._ask(tenant, "select state_id, completed_state from state"))
            if list(kept) != [tenant.state_id]:
                raise Difference(f"{tenant.name} has states {sorted(kept)}, expected {tenant.state_id}")
            states[tenant.name] = kept[tenant.state_id]
            named = set(re.findall(r"19:[^\"]+@thread\.[a-z0-9]+", states[tenant.name]))
            channels = {key[0] for key in tenant.sim.truth().rows("channels")}
            if named != channels:
                raise Difference(f"the state of {tenant.name} has {len(named)} channels, expected {len(channels)}; {len(named - channels)} are not its own")
        return states

    def check_secrets(self) -> None:
        """Neither logs nor files of Meltano contain a secret."""
        secrets = {tenant.sim.config["client_secret"].encode() for tenant in self.tenants}
        for path in self.folder.rglob("*"):
            if path.is_file() and path.parent.name != "secrets" and any(secret in path.read_bytes() for secret in secrets):
                raise Difference(f"{path} contains a secret")

    def _ask(self, tenant: Tenant, sql: str) -> list[tuple[str, str]]:
        """Queries Meltano's database of this tenant."""
        with closing(sqlite3.connect(self.folder / f".meltano/tenants/{tenant.name}/meltano.db")) as database:
            return database.execute(sql).fetchall()
