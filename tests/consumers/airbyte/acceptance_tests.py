"""Runs the assertions of Airbyte's retired acceptance tests that its standard tests lack."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

from . import suite

# `disable_for_version` in acceptance-test-config.yml skips a test for an intentional breaking change.
MAY_SKIP = "backward compatibility is disabled for version"
TESTS = Path(__file__).resolve().parent / "acceptance"


def main(tap: Path, sim: Path) -> int:
    title = f"Airbyte's retired acceptance tests (airbyte-protocol-models-pdv2 {version('airbyte-protocol-models-pdv2')})"
    return suite.run(title, TESTS, tap=tap, sim=sim, may_skip=MAY_SKIP)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
