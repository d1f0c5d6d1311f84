"""Fixtures: the entries of `acceptance-test-config.yml`, a simulated tenant for each, and the executable."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from airbyte_protocol.models import AirbyteCatalog, Type

from ...support.simulator import Simulator
from .. import folder as connector_folder
from .connector import Connector

EXECUTABLE = os.environ["TAP_BINARY"]
SIMULATOR = Path(os.environ["SIM_BINARY"])
RELEASED = Path(__file__).resolve().parent / "released"

# The section of acceptance-test-config.yml for each class, which runs once per entry.
SECTIONS = {
    "TestSpec": "spec",
    "TestConnection": "connection",
    "TestDiscovery": "discovery",
    "TestBasicRead": "basic_read",
    "TestFullRefresh": "full_refresh",
    "TestIncremental": "incremental",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    section = SECTIONS.get(metafunc.cls.__name__) if metafunc.cls else None
    if section and "inputs" in metafunc.fixturenames:
        config = yaml.safe_load((connector_folder.ROOT / "acceptance-test-config.yml").read_text())
        entries = config["acceptance_tests"][section]["tests"]
        metafunc.parametrize("inputs", entries, ids=[Path(entry["config_path"]).stem for entry in entries])


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(SIMULATOR) as simulator:
        yield simulator


@pytest.fixture
def folder(tmp_path: Path, simulator: Simulator) -> Path:
    """The connector's folder; paths in `acceptance-test-config.yml` are relative to it."""
    return connector_folder.write(tmp_path / "source-microsoft-teams", simulator)


@pytest.fixture
def connector(tmp_path: Path) -> Connector:
    return Connector(EXECUTABLE, tmp_path)


@pytest.fixture
def config(folder: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    return json.loads((folder / inputs["config_path"]).read_text())


@pytest.fixture
def spec(connector: Connector) -> dict[str, Any]:
    """The output of `spec`."""
    (message,) = connector.spec().of(Type.SPEC)
    return message.spec.model_dump(mode="json", exclude_unset=True)


@pytest.fixture
def catalog(connector: Connector, config: dict[str, Any]) -> AirbyteCatalog:
    return connector.discover(config)


@pytest.fixture
def released(inputs: dict[str, Any]) -> Path:
    """The files of the last release, with which the output must be compatible."""
    wanted = inputs["backward_compatibility_tests_config"]
    version = wanted["previous_connector_version"]
    last = max(RELEASED.iterdir(), key=lambda folder: [int(number) for number in folder.name.split(".")]).name
    assert version == last, f"acceptance-test-config.yml compares with {version}, but {last} is the last release"
    if wanted.get("disable_for_version") == version:
        pytest.skip(f"backward compatibility is disabled for version {version}")
    return RELEASED / version
