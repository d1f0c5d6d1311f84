"""The simulated tenant: its start, its control API, and the changes that a second run must find."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from .truth import Truth

TENANT = ("--teams", "2", "--channels", "2", "--messages", "60", "--replies", "1", "--long-threads", "1")


class Simulator:
    """A tenant for one check, as a context manager."""

    def __init__(self, executable: Path, *tenant: str) -> None:
        """`tenant`: options of graph-sim that differ from the usual tenant."""
        self._process = subprocess.Popen([executable, "--json", *(tenant or TENANT)], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise OSError("the simulator did not start")
        started = json.loads(line)
        self._door = started["control_url"]
        # Reads everything. The simulator enforces no limits here, so `pace` is 0.
        self.config: dict[str, Any] = started["config"]
        # The first round of delta goes back one hour and would repeat the messages in it.
        self.advance(2 * 3600)

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def wrong_config(self) -> dict[str, Any]:
        """The configuration with a wrong secret."""
        return {**self.config, "client_secret": "wrong-secret-0000000000"}

    @property
    def unreachable_config(self) -> dict[str, Any]:
        """The configuration with unreachable sign-in and Graph hosts."""
        return {**self.config, "login_url": "http://127.0.0.1:9", "graph_url": "http://127.0.0.1:9"}

    def truth(self) -> Truth:
        return Truth(self._ask("GET", "/truth"))

    def change(self, op: str, **what: Any) -> dict[str, Any]:
        return self._ask("POST", "/changes", {"op": op, **what})

    def requests(self, kind: str) -> int:
        """The number of requests of a class so far."""
        return self._ask("GET", "/journal")["requests"].get(kind, 0)

    def requests_in_all(self) -> int:
        """The number of all requests, including token requests."""
        return sum(self._ask("GET", "/journal")["requests"].values())

    def advance(self, seconds: int) -> None:
        self._ask("POST", "/clock", {"advance": seconds})

    def switch(self, **what: Any) -> None:
        """Changes behaviour that Graph's documentation leaves open."""
        self._ask("POST", "/switches", what)

    def latency(self, seconds: float) -> None:
        """Sets the delay of each response in seconds."""
        nanos = int(seconds * 1_000_000_000)
        self._ask("POST", "/latency", {"fixed": {"secs": nanos // 1_000_000_000, "nanos": nanos % 1_000_000_000}} if nanos else "none")

    def change_everything(self) -> None:
        """Posts, replies, edits, deletions and reactions, in old threads too, a new channel, and the awkward kinds of messages.

        Hours lie before them and after them, so that no overlap of two runs repeats anything else (a new delta reaches back one).
        """
        self.advance(2 * 3600)
        truth = self.truth()
        channels = sorted({place["channel"] for place in truth.places("messages")})
        first, second = ([p for p in truth.places("messages") if p["channel"] == channel] for channel in channels[:2])
        replies = [place for place in truth.places("message_replies") if place["channel"] == channels[1]]
        self.change("post", channel=channels[0], text="A new root")
        self.change("reply", message=first[0], text="A reply to the oldest root")
        self.change("edit", message=first[1], text="Edited")
        self.change("delete", message=first[2])
        self.change("react", message=first[3], kind="like")
        self.change("edit", message=replies[0], text="A reply, edited")
        self.change("delete", message=replies[1])
        self.change("reply", message=second[-1], text="A reply to the newest root")
        self.change("post_corpus", channel=channels[1])
        added = self.change("create_channel", team=first[0]["team"], name="Added later")
        self.change("post", channel=added["id"], text="The first root of a new channel")
        self.change("add_member", team=first[0]["team"])
        self.advance(2 * 3600)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._door + path, data=data, method=method)
        # Without a proxy, whatever the environment contains.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)
