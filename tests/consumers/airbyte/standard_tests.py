"""Runs Airbyte's standard tests against the executable."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from ..support.simulator import Simulator
from . import folder, suite

HERE = Path(__file__).resolve().parent

# Nothing else may be skipped: these configurations are only listed for `check`.
MAY_SKIP = "does not run for scenario '(invalid|unreachable)_config'"
# Compares with Airbyte's registry, which does not contain this connector.
NOT_FOR_US = "not spec_backward_compatibility"
# These warnings will be errors in a later CDK.
WARNINGS = "error::airbyte_cdk.test.standard_tests._catalog_checks.DiscoveredCatalogWarning"
PLUGIN = "airbyte_cdk.test.standard_tests.pytest_hooks"
OPTIONS = ["-p", PLUGIN, "-k", NOT_FOR_US, "-W", WARNINGS, "--connector-image", "tap-microsoft-teams:0.1.0", "--read-from-streams=all"]


def main(tap: Path, sim: Path) -> int:
    title = f"Airbyte's standard tests (airbyte-cdk {version('airbyte-cdk')})"
    with tempfile.TemporaryDirectory() as scratch, Simulator(sim) as simulator:
        environment = {
            "CONNECTOR_FOLDER": str(folder.write(Path(scratch) / "source-microsoft-teams", simulator)),
            "PATH": f"{HERE / 'bin'}:{os.environ['PATH']}",
        }
        return suite.run(title, HERE / "test_standard.py", tap=tap, sim=sim, options=OPTIONS, may_skip=MAY_SKIP, **environment)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
