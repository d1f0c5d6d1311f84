"""A Python environment for each consumer, from pinned and hashed requirements; created once, in target/consumers."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .errors import Difference

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"


class Environments:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def bin(self, name: str) -> Path:
        """The folder of executables of the environment `name`, which is created if missing or outdated."""
        requirements = REQUIREMENTS / f"{name}.txt"
        folder = self._folder / name
        made_from = folder / "made-from"
        required = hashlib.sha256(sys.version.encode() + requirements.read_bytes()).hexdigest()
        if not made_from.exists() or made_from.read_text() != required:
            shutil.rmtree(folder, ignore_errors=True)
            self._make(folder, name, requirements)
            made_from.write_text(required)
        return folder / "bin"

    def version(self, name: str) -> str:
        """The pinned versions, such as `target-jsonl 0.1.4`."""
        return ", ".join((REQUIREMENTS / f"{name}.in").read_text().replace("==", " ").splitlines())

    def _make(self, folder: Path, name: str, requirements: Path) -> None:
        if name == "uv":
            _done([sys.executable, "-m", "venv", folder])
            _done([folder / "bin/pip", "install", "--quiet", "--require-hashes", "--requirement", requirements])
            return
        uv = self.bin("uv") / "uv"
        _done([uv, "venv", "--quiet", "--python", sys.executable, folder])
        # Packages built from source use pinned and hashed build tools.
        build = ["--build-constraints", REQUIREMENTS / "build.txt"]
        _done([uv, "pip", "sync", "--quiet", "--python", folder / "bin/python", "--require-hashes", *build, requirements])


def _done(command: list[str | Path]) -> None:
    run = subprocess.run(command, env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"}, capture_output=True, text=True)
    if run.returncode != 0:
        raise Difference(f"cannot install: {' '.join(map(str, command))}\n{run.stdout}{run.stderr}")
