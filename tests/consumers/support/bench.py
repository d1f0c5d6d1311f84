"""The inputs of a check: the executables, the environments, and its own folder."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .environments import Environments
from .simulator import Simulator


@dataclass
class Bench:
    tap: Path
    sim: Path
    environments: Environments
    folder: Path

    def simulator(self, *tenant: str) -> Simulator:
        return Simulator(self.sim, *tenant)

    def fresh_folder(self) -> Path:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self.folder

    def write(self, name: str, value: Any) -> Path:
        """Writes a JSON file to the folder."""
        path = self.folder / name
        path.write_text(json.dumps(value))
        return path
