"""Validates `metadata.yaml` with the schema that Airbyte publishes."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import yaml
from airbyte_connector_models.metadata.v0.connector_metadata_definition_v0 import ConnectorMetadataDefinitionV0
from pydantic import ValidationError

ROOT = Path(__file__).resolve().parents[3]


def problems() -> list[str]:
    try:
        metadata = ConnectorMetadataDefinitionV0.model_validate(yaml.safe_load((ROOT / "metadata.yaml").read_text()))
    except ValidationError as invalid:
        return [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in invalid.errors()]
    icon = metadata.data.icon
    return [] if icon and (ROOT / icon).is_file() else [f"there is no icon {icon}"]


def main() -> int:
    found = problems()
    print(f"{'FAILED' if found else 'ok'}  metadata.yaml (airbyte-connector-models {version('airbyte-connector-models')})")
    for problem in found:
        print(f"        {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
