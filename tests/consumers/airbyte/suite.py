"""Runs a pytest file or folder against the executable, and prints a one-line summary.

The tests find the executables in `TAP_BINARY` and `SIM_BINARY`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

PLUGINS = ["-p", "no:cacheprovider"]


def run(title: str, tests: Path, *, tap: Path, sim: Path, options: Sequence[str] = (), may_skip: str | None = None, **environment: str) -> int:
    """Returns 1 if a test failed, none ran, or one was skipped for a reason that does not match `may_skip`, otherwise 0."""
    environment = {**os.environ, "TAP_BINARY": str(tap), "SIM_BINARY": str(sim), **environment}
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", *PLUGINS, "--verbose", f"--junitxml={report}", *options, str(tests)]
        code = subprocess.run(command, env=environment, stdout=sys.stderr).returncode
        cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    skipped = {_name(case): message for case in cases if (message := _message(case, "skipped")) is not None}
    failed = [_name(case) for case in cases if _message(case, "failure") is not None or _message(case, "error") is not None]
    odd = {name: message for name, message in skipped.items() if may_skip is None or not re.search(may_skip, message)}
    passed = len(cases) - len(skipped) - len(failed)
    ok = code == 0 and not failed and not odd and passed > 0
    print(f"{'ok' if ok else 'FAILED'}  {title}: {passed} passed, {len(skipped)} skipped, {len(failed)} failed")
    for name in failed:
        print(f"        failed: {name}")
    for name, message in odd.items():
        print(f"        skipped unexpectedly: {name}: {message}")
    return 0 if ok else 1


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname', '').rpartition('.')[2]}.{case.get('name')}"


def _message(case: ElementTree.Element, kind: str) -> str | None:
    found = case.find(kind)
    return None if found is None else found.get("message", "")
