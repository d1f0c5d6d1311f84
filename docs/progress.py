"""Draws docs/progress.svg: what a terminal shows of a real run on a simulated tenant, in its midst and at its end.

    python3 -m venv venv && venv/bin/pip install pyte==0.8.2 rich==15.0.0
    cargo build -p tap-microsoft-teams -p graph-sim && venv/bin/python docs/progress.py
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
from pathlib import Path

import pyte
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parent.parent
PROGRAMS = ROOT / "target" / "debug"
COLUMNS, ROWS = 92, 24
SPEED = "2"
TENANT = ["--teams", "5", "--channels", "8", "--messages", "400", "--skew", "--latency", "150", "--speed", SPEED]
PROMPT = Text("$ tap-microsoft-teams --config config.json | target-jsonl > state.jsonl", style="bold")


def lines(screen):
    """What the terminal shows, with its colours."""
    for row in range(screen.lines):
        line = Text()
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            style = "dim" if cell.data == "─" else cell.fg if cell.fg != "default" else ""
            line.append(cell.data, style=style)
        line.rstrip()
        yield line


def shown(screen):
    """Its lines, without the empty ones below."""
    kept = list(lines(screen))
    while kept and not kept[-1].plain:
        kept.pop()
    return kept


def watch(command, folder):
    """Runs it with its stderr on a terminal. Gives what that shows when a third is done, and at the end."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=theirs, env=environment)
    os.close(theirs)
    screen = pyte.Screen(COLUMNS, ROWS)
    screen.set_mode(pyte.modes.LNM)
    stream, midst, began = pyte.ByteStream(screen), None, time.monotonic()
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        stream.feed(part)
        is_drawn = any("left, " in line for line in screen.display)
        if midst is None and is_drawn and time.monotonic() - began > 20:
            midst = shown(screen)
    if process.wait() != 0 or midst is None:
        raise SystemExit("the run failed, or was over too soon")
    return midst, shown(screen)


def main():
    simulator = subprocess.Popen([PROGRAMS / "graph-sim", *TENANT], stdout=subprocess.PIPE, text=True)
    try:
        # What it prints, over several lines, is one object.
        decoder, text = json.JSONDecoder(), ""
        while True:
            text += simulator.stdout.readline()
            try:
                config, _ = decoder.raw_decode(text)
                break
            except json.JSONDecodeError:
                continue
        config.pop("control_url", None)
        config |= {"fetch_all_teams": True, "fetch_all_channels": True, "fetch_all_messages": True, "pace": int(SPEED)}
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "config.json").write_text(json.dumps(config))
            midst, end = watch([PROGRAMS / "tap-microsoft-teams", "--config", "config.json"], folder)
    finally:
        simulator.terminate()
        simulator.wait()
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in [PROMPT, *midst, Text(), Text("a minute later", style="italic dim"), *end]:
        console.print(line, no_wrap=True, crop=True)
    svg = console.export_svg(title="tap-microsoft-teams", unique_id="progress")
    (ROOT / "docs" / "progress.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines()).strip() + "\n")


if __name__ == "__main__":
    main()
