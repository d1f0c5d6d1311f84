"""Starts the executable like the acceptance tests, and parses its output into the models of Airbyte's protocol."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airbyte_protocol.models import (
    AirbyteCatalog,
    AirbyteMessage,
    AirbyteRecordMessage,
    AirbyteStateMessage,
    AirbyteStream,
    AirbyteStreamStatusTraceMessage,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    TraceType,
    Type,
)

from ...support.truth import ALL_KEYS, Key

State = list[dict[str, Any]]


@dataclass
class Output:
    messages: list[AirbyteMessage]

    def of(self, kind: Type) -> list[AirbyteMessage]:
        return [message for message in self.messages if message.type == kind]

    @property
    def records(self) -> list[AirbyteRecordMessage]:
        return [message.record for message in self.of(Type.RECORD)]

    @property
    def states(self) -> list[AirbyteStateMessage]:
        return [message.state for message in self.of(Type.STATE)]

    @property
    def statuses(self) -> list[AirbyteStreamStatusTraceMessage]:
        return [message.trace.stream_status for message in self.of(Type.TRACE) if message.trace.type == TraceType.STREAM_STATUS]

    def keys(self, stream: str) -> list[Key]:
        return [key(record) for record in self.records if record.stream == stream]

    def last_state(self) -> State:
        """The state that the platform passes to the next run: the last one of each stream."""
        return list({state.stream.stream_descriptor.name: dumped(state) for state in self.states}.values())


class Connector:
    def __init__(self, executable: str, folder: Path) -> None:
        self._executable = executable
        self._folder = folder

    def spec(self) -> Output:
        return self._run("spec")

    def check(self, config: dict[str, Any], *, code: int = 0) -> Output:
        return self._run("check", code=code, config=config)

    def discover(self, config: dict[str, Any]) -> AirbyteCatalog:
        (message,) = self._run("discover", config=config).of(Type.CATALOG)
        return message.catalog

    def read(self, config: dict[str, Any], catalog: ConfiguredAirbyteCatalog, state: State | None = None) -> Output:
        return self._run("read", config=config, catalog=catalog.model_dump(mode="json", exclude_none=True), state=state)

    def _run(self, command: str, *, code: int = 0, **files: Any) -> Output:
        arguments: list[str | Path] = [self._executable, command]
        for name, value in files.items():
            if value is None:
                continue
            path = self._folder / f"{name}.json"
            path.write_text(json.dumps(value))
            arguments += [f"--{name}", path]
        done = subprocess.run(arguments, capture_output=True)
        assert done.returncode == code, f"{command} ended with {done.returncode}: {done.stderr.decode()}{done.stdout.decode()[-2000:]}"
        # Not splitlines(), because texts may contain other line separators.
        lines = done.stdout.decode().split("\n")
        assert lines.pop() == "", "the last line is incomplete"
        return Output([AirbyteMessage.model_validate_json(line) for line in lines])


def configured(streams: Iterable[AirbyteStream], mode: SyncMode) -> ConfiguredAirbyteCatalog:
    """All streams that support this mode."""
    return ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=stream,
                sync_mode=mode,
                destination_sync_mode=DestinationSyncMode.append,
                cursor_field=stream.default_cursor_field,
                primary_key=stream.source_defined_primary_key,
            )
            for stream in streams
            if mode in stream.supported_sync_modes
        ]
    )


def key(record: AirbyteRecordMessage) -> Key:
    return tuple(record.data[part] for part in ALL_KEYS[record.stream])


def dumped(state: AirbyteStateMessage) -> dict[str, Any]:
    """Includes nulls, which are part of a state."""
    return {"type": "STREAM", "stream": state.stream.model_dump(mode="json", exclude_unset=True)}
