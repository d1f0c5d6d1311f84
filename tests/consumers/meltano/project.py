"""A Meltano project from examples/meltano/meltano.yml with changed locations."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.simulator import Simulator

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/meltano"
TAP = "tap-microsoft-teams"


class Project:
    def __init__(
        self, bench: Bench, sim: Simulator, environment_of: dict[str, str], loaders: dict[str, Any] | None = None, **variables: str
    ) -> None:
        """`environment_of`: the Python environment of each loader; `loaders`: additional configuration by loader."""
        self.folder = bench.folder / "project"
        (self.folder / "output").mkdir(parents=True)
        # A separate copy, so that its process can be identified.
        self.tap = Path(shutil.copy2(bench.tap, self.folder / TAP))
        self._bin = bench.environments.bin("meltano")
        self.version = bench.environments.version("meltano")
        # The secret is in an environment variable, as in the README.
        config = dict(sim.config)
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))}
        quiet = {"MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"}
        self._variables = {**mine, **quiet, "TAP_MICROSOFT_TEAMS_CLIENT_SECRET": config.pop("client_secret"), **variables}

        project = read_yaml(bench, EXAMPLE / "meltano.yml")
        project["plugins"]["extractors"][0]["config"].update(config)
        for loader in project["plugins"]["loaders"]:
            loader["config"].update((loaders or {}).get(loader["name"], {}))
            # Already installed, pinned and hashed.
            if environment := environment_of.get(loader["name"]):
                del loader["pip_url"]
                loader["executable"] = str(bench.environments.bin(environment) / loader["name"])
        # JSON is valid YAML.
        (self.folder / "meltano.yml").write_text(json.dumps(project))

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        log = (self.folder / "meltano.log").open("a")
        command = [self._bin / "meltano", *arguments]
        return subprocess.Popen(command, cwd=self.folder, env={**self._variables, **variables}, stdout=subprocess.PIPE, stderr=log, text=True)

    def meltano(self, *arguments: str, **variables: str) -> str:
        """Returns stdout; raises on failure."""
        process = self.start(*arguments, **variables)
        stdout, _ = process.communicate()
        if process.returncode != 0:
            end = (self.folder / "meltano.log").read_text().splitlines()[-15:]
            raise Difference(f"meltano {' '.join(arguments)} exited with {process.returncode}\n{stdout}\n" + "\n".join(end))
        return stdout

    def run(self, loader: str, *options: str, **variables: str) -> str:
        return self.meltano("run", *options, TAP, loader, **variables)

    def state(self, loader: str) -> dict[str, Any]:
        """The state that Meltano passes to the next run."""
        return json.loads(self.meltano("state", "get", f"dev:{TAP}-to-{loader}"))["singer_state"]


def read_yaml(bench: Bench, path: Path) -> Any:
    python = bench.environments.bin("meltano") / "python"
    program = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)"
    return json.loads(subprocess.run([python, "-c", program, path], capture_output=True, check=True, text=True).stdout)
