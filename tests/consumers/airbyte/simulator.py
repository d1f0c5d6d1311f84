"""The simulated tenant: started on loopback, changed and asked what is true through its control door."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

# Two teams of three channels, and threads that do not fit into their root: small enough for seconds, with every road to a reply.
TENANT = ["--teams", "2", "--channels", "3", "--messages", "40", "--replies", "2", "--long-threads", "1"]
READ_ALL = {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True}


class Simulator:
    """A context manager: the process lives as long as the block."""

    def __init__(self, binary: Path) -> None:
        self._process = subprocess.Popen([binary, *TENANT], stdout=subprocess.PIPE, text=True)
        self._config = _first_object(self._process)
        self._door = self._config.pop("control_url")

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def config(self) -> dict[str, Any]:
        """A configuration that reads everything, as fast as the simulator answers."""
        return {**self._config, **READ_ALL, "pace": 0}

    def wrong_config(self) -> dict[str, Any]:
        """The same with a secret that sign-in refuses."""
        return {**self.config(), "client_secret": "wrong-secret-0000000000"}

    def ask(self, path: str) -> Any:
        return self._call("GET", path, None)

    def change(self, op: str, **what: Any) -> Any:
        return self._call("POST", "/changes", {"op": op, **what})

    def advance(self, seconds: int) -> None:
        self._call("POST", "/clock", {"advance": seconds})

    def switch(self, **what: Any) -> None:
        self._call("POST", "/switches", what)

    def truth(self) -> dict[str, list[dict[str, Any]]]:
        return self.ask("/truth")

    def _call(self, method: str, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._door + path, data=data, method=method)
        # No proxy of the environment may stand between us and loopback.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)


def _first_object(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The configuration that the simulator prints once it listens."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.rstrip() == "}":
            return json.loads("".join(lines))
    raise RuntimeError("the simulator ended before it said where it listens")
