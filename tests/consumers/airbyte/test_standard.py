"""The standard ("FAST") tests of Airbyte's CDK, for an executable that is not Python.

The CDK's suite runs a source in its own process, and an image with `docker`. Here both run the executable, the second through
`bin/docker`; the assertions are those of the suite.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.test.entrypoint_wrapper import EntrypointOutput
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase, _job_runner

EXECUTABLE = os.environ["TAP_BINARY"]
CONNECTOR = Path(os.environ["CONNECTOR_FOLDER"])


class Executable:
    """A placeholder for the connector; the suite only checks that it has a `spec`."""

    def spec(self, *_: Any) -> None:
        raise NotImplementedError


def run_executable(source: Executable, args: list[str], *_: Any, **__: Any) -> EntrypointOutput:
    """Replaces the CDK's function that runs a connector in this process."""
    done = subprocess.run([EXECUTABLE, *args], capture_output=True, text=True)
    failed = subprocess.CalledProcessError(done.returncode, args, stderr=done.stderr) if done.returncode else None
    return EntrypointOutput(messages=done.stdout.splitlines(), uncaught_exception=failed)


@pytest.fixture(autouse=True)
def executable_instead_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_job_runner.entrypoint_wrapper, "_run_command", run_executable)


class TestSourceMicrosoftTeams(SourceTestSuiteBase):
    @classmethod
    def get_connector_root_dir(cls) -> Path:
        return CONNECTOR

    @classmethod
    def create_connector(cls, scenario: Any) -> Executable:
        return Executable()
