"""Runs Airbyte's standard tests against the executable, and says in one line what became of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from importlib.metadata import version
from pathlib import Path

from simulator import Simulator

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

# Nothing else may be passed over: the configuration that is meant to fail is only listed for `check`.
MAY_SKIP = "does not run for scenario 'invalid_config'"
# Compares with what Airbyte's registry has published, and it has nothing of ours.
NOT_FOR_US = "not spec_backward_compatibility"
# What a later CDK will call an error is one now.
WARNINGS = "error::airbyte_cdk.test.standard_tests._catalog_checks.DiscoveredCatalogWarning"


def connector_folder(parent: Path, simulator: Simulator) -> Path:
    """What the suite takes for the connector's folder: the files of ours that it reads, and two configurations."""
    folder = parent / "source-microsoft-teams"
    secrets = folder / "secrets"
    secrets.mkdir(parents=True)
    for name in ("metadata.yaml", "acceptance-test-config.yml"):
        shutil.copy(ROOT / name, folder)
    (secrets / "config.json").write_text(json.dumps(simulator.config()))
    (secrets / "invalid_config.json").write_text(json.dumps(simulator.wrong_config()))
    return folder


def run_suite(tap: Path, folder: Path, report: Path) -> int:
    environment = {
        **os.environ,
        "TAP_BINARY": str(tap),
        "CONNECTOR_FOLDER": str(folder),
        "PATH": f"{HERE / 'bin'}:{os.environ['PATH']}",
    }
    plugins = ["-p", "no:cacheprovider", "-p", "airbyte_cdk.test.standard_tests.pytest_hooks"]
    command = [sys.executable, "-m", "pytest", *plugins, "-q", f"--junitxml={report}", str(HERE / "test_standard.py")]
    options = ["-k", NOT_FOR_US, "-W", WARNINGS, "--connector-image", "tap-microsoft-teams:0.1.0", "--read-from-streams=all"]
    return subprocess.run([*command, *options], env=environment, stdout=sys.stderr).returncode


def main(tap: Path, sim: Path) -> int:
    with tempfile.TemporaryDirectory() as scratch, Simulator(sim) as simulator:
        report = Path(scratch) / "report.xml"
        code = run_suite(tap, connector_folder(Path(scratch), simulator), report)
        cases = list(ElementTree.parse(report).iter("testcase"))
    skipped = [case.find("skipped").get("message", "") for case in cases if case.find("skipped") is not None]
    failed = [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]
    odd = [message for message in skipped if MAY_SKIP not in message]
    passed = len(cases) - len(skipped) - len(failed)
    ok = code == 0 and not failed and not odd and passed > 0
    said = f"{passed} passed, {len(skipped)} skipped, {len(failed)} failed"
    print(f"{'ok' if ok else 'FAILED'}  Airbyte's standard tests (airbyte-cdk {version('airbyte-cdk')}): {said}")
    for message in odd:
        print(f"        skipped for no reason of ours: {message}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
