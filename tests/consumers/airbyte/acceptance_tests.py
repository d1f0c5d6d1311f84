"""Runs what Airbyte's retired acceptance tests held, and its standard tests do not, against the executable."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from . import suite

TESTS = Path(__file__).resolve().parent / "acceptance"


def main(tap: Path, sim: Path) -> int:
    title = f"Airbyte's retired acceptance tests (airbyte-protocol-models-pdv2 {version('airbyte-protocol-models-pdv2')})"
    return suite.run(title, TESTS, tap=tap, sim=sim)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
