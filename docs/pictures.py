"""Draws the terminal output of real commands on a simulated tenant. docs/progress.svg: a run in progress and at its end. docs/first-hour.svg:
a check before and after a permission is granted, and a plan.

    python3 -m venv venv && venv/bin/pip install pyte==0.8.2 rich==15.0.0
    cargo build -p tap-microsoft-teams -p graph-sim && venv/bin/python docs/pictures.py
"""

import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import tempfile
import termios
import time
import urllib.request
from pathlib import Path

import pyte
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
PROGRAMS = ROOT / "target" / "debug"
COLUMNS, ROWS = 100, 120
SPEED = "2"
TENANT = ["--teams", "5", "--channels", "8", "--messages", "400", "--skew", "--latency", "150", "--speed", SPEED]


def lines(screen):
    """The lines of the terminal with their colours."""
    for row in range(screen.lines):
        line = Text()
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            style = "dim" if cell.data == "─" else cell.fg if cell.fg != "default" else ""
            line.append(cell.data, style=style)
        line.rstrip()
        yield line


def shown(screen):
    """The lines without trailing empty ones."""
    kept = list(lines(screen))
    while kept and not kept[-1].plain:
        kept.pop()
    return kept


def run(command, folder, with_stdout=False):
    """Runs a command with stderr, or also stdout, on a terminal. Returns the screen during a long run, and at the end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    # Not subprocess.DEVNULL: it is open for reading too, which the tap refuses.
    stdout = theirs if with_stdout else open(os.devnull, "w")
    process = subprocess.Popen([PROGRAMS / "tap-microsoft-teams", *command], cwd=folder, stdout=stdout, stderr=theirs, env=environment)
    os.close(theirs)
    screen = pyte.Screen(COLUMNS, ROWS)
    screen.set_mode(pyte.modes.LNM)
    stream, middle, began = pyte.ByteStream(screen), None, time.monotonic()
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        stream.feed(part)
        is_drawn = any("left, " in line for line in screen.display)
        if middle is None and is_drawn and time.monotonic() - began > 20:
            middle = shown(screen)
    if process.wait() != 0:
        raise SystemExit(f"{command} failed")
    return middle, shown(screen)


class Simulator:
    """A simulated tenant, for use in a `with` statement."""

    def __init__(self, *options):
        self._process = subprocess.Popen([PROGRAMS / "graph-sim", "--json", *options], stdout=subprocess.PIPE, text=True)
        started = json.loads(self._process.stdout.readline())
        self.config, self._control = started["config"] | {"pace": 1}, started["control_url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()

    def request(self, method, path, body):
        request = urllib.request.Request(self._control + path, data=json.dumps(body).encode(), method=method)
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()


def draw(name, parts):
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in parts:
        console.print(line, no_wrap=True, crop=True)
    svg = console.export_svg(title="tap-microsoft-teams", unique_id=name)
    (ROOT / "docs" / f"{name}.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()).strip() + "\n")


def prompt(line):
    return Text(f"$ {line}", style="bold")


def progress(folder):
    with Simulator(*TENANT) as simulator:
        write(folder, simulator.config | {"pace": int(SPEED)})
        middle, end = run(["--config", "config.json"], folder)
    if middle is None:
        raise SystemExit("the run ended too early")
    line = prompt("tap-microsoft-teams --config config.json | target-jsonl > state.jsonl")
    draw("progress", [line, *middle, Text(), Text("a minute later", style="italic dim"), *end])


def first_hour(folder):
    granted = ["GroupMember.Read.All", "Team.ReadBasic.All", "TeamSettings.Read.All", "Channel.ReadBasic.All", "TeamMember.Read.All"]
    with Simulator("--teams", "3", "--channels", "3", "--messages", "1200", "--skew", "--replies", "2") as simulator:
        write(folder, simulator.config)
        parts = []
        for roles, caption in ((granted, "the administrator has consented"), ([*granted, "ChannelMessage.Read.All"], None)):
            simulator.request("POST", "/roles", roles)
            _, output = run(["check", "--config", "config.json"], folder, with_stdout=True)
            parts += [prompt("tap-microsoft-teams check --config config.json"), *output, Text()]
            if caption:
                parts += [Text(caption, style="italic dim")]
        _, output = run(["plan", "--config", "config.json"], folder, with_stdout=True)
        draw("first-hour", [*parts, prompt("tap-microsoft-teams plan --config config.json"), *output])


def write(folder, config):
    (Path(folder) / "config.json").write_text(json.dumps(config))


def main():
    with tempfile.TemporaryDirectory() as folder:
        first_hour(folder)
        progress(folder)


if __name__ == "__main__":
    main()
