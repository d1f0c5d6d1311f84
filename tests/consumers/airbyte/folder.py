"""Creates the connector folder for Airbyte's tests: the files that they read, and the configurations that these refer to."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ..support.simulator import Simulator

ROOT = Path(__file__).resolve().parents[3]
FILES = ["metadata.yaml", "acceptance-test-config.yml", "spec.json"]
# Later than any message and any clock.
FAR_FUTURE = "2999-01-01T00:00:00.000Z"


def write(folder: Path, simulator: Simulator) -> Path:
    secrets = folder / "secrets"
    secrets.mkdir(parents=True)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    for name, value in secret_files(simulator).items():
        (secrets / name).write_text(json.dumps(value))
    return folder


def secret_files(simulator: Simulator) -> dict[str, Any]:
    """The files below `secrets/` in `acceptance-test-config.yml`, which have to be written by hand elsewhere."""
    return {
        "config.json": simulator.config,
        "invalid_config.json": simulator.wrong_config,
        "unreachable_config.json": simulator.unreachable_config,
        "small_batches_config.json": {**simulator.config, "max_pages_per_batch": 1, "top": 20},
        "future_state.json": future_state(simulator),
    }


def future_state(simulator: Simulator) -> list[dict[str, Any]]:
    """States of both incremental streams as the executable writes them, with times later than any message."""
    channels = sorted({(place["team"], place["channel"]) for place in simulator.truth().places("messages")})
    cursor = {"lastModifiedDateTime": FAR_FUTURE, "readAt": FAR_FUTURE}
    teams = sorted({team for team, _ in channels})
    partitions = [{"parents": [team], "entries": [{"id": channel, **cursor} for of, channel in channels if of == team]} for team in teams]
    state = {"version": 2, "tenant": simulator.config["tenant_id"], "full": [], "since": [], "partitions": partitions}
    streams = ("messages", "message_replies")
    return [{"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": state}} for stream in streams]
