"""`tests/test_incremental.py` of the retired acceptance tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from airbyte_protocol.models import AirbyteCatalog, AirbyteRecordMessage, AirbyteStateMessage, ConfiguredAirbyteCatalog, SyncMode

from ...support.compare import only_changes
from ...support.simulator import Simulator
from ...support.truth import Key, instant
from .connector import Connector, Output, State, configured, dumped, key

CURSOR = "lastModifiedDateTime"


@pytest.fixture
def incremental(catalog: AirbyteCatalog) -> ConfiguredAirbyteCatalog:
    streams = configured(catalog.streams, SyncMode.incremental)
    assert streams.streams
    assert all(stream.cursor_field == [CURSOR] for stream in streams.streams)
    return streams


class TestIncremental:
    def test_two_sequential_reads(
        self, connector: Connector, simulator: Simulator, config: dict[str, Any], incremental: ConfiguredAirbyteCatalog
    ) -> None:
        """The second read, with the state of the first, emits different records of the same streams, none older than its cursors."""
        before = simulator.truth()
        first = connector.read(config, incremental)
        assert first.records and first.states
        simulator.change_everything()
        second = connector.read(config, incremental, first.last_state())
        after = simulator.truth()
        assert {record.stream for record in second.records} == {record.stream for record in first.records}
        # In addition to the originals: exactly the changed records, and the roots of changed replies.
        only_changes(before, after, second.keys)
        for stream in (stream.stream.name for stream in incremental.streams):
            changed = after.changed_since(before, stream)
            cursors = dict(cursors_of(first.last_state(), stream))
            records = [record for record in second.records if record.stream == stream and key(record) in changed]
            assert changed and not older(records, cursors), stream

    def test_read_sequential_slices(
        self, connector: Connector, simulator: Simulator, config: dict[str, Any], incremental: ConfiguredAirbyteCatalog
    ) -> None:
        """A read from any state emits the rest: at least as many records as followed the state, without missing a key.

        The originals used a sample of the states, because requests of real connectors are expensive.
        """
        for stream in incremental.streams:
            name, alone = stream.stream.name, ConfiguredAirbyteCatalog(streams=[stream])
            whole = connector.read(config, alone)
            assert not newer(whole.records, dict(cursors_of(whole.last_state(), name))), f"{name}: a record newer than the cursor"
            everything = simulator.truth().rows(name).keys()
            states = states_with_counts(whole)
            assert len(states) > 5, f"{name}: {len(states)} states are too few for this test"
            emitted = 0
            for state, count in states[:-1]:
                emitted += count
                rest = connector.read(config, alone, [dumped(state)])
                assert len(rest.records) >= len(whole.records) - emitted, f"{name}: from {dumped(state)}"
                missed = everything - {key(record) for record in whole.records[:emitted]} - set(rest.keys(name))
                assert not missed, f"{name}: {len(missed)} missed from {dumped(state)}, such as {sorted(missed)[:2]}"

    def test_state_with_abnormally_large_values(
        self,
        connector: Connector,
        config: dict[str, Any],
        incremental: ConfiguredAirbyteCatalog,
        folder: Path,
        inputs: dict[str, Any],
    ) -> None:
        future: State = json.loads((folder / inputs["future_state"]["future_state_path"]).read_text())
        streams = {stream.stream.name for stream in incremental.streams}
        assert {state["stream"]["stream_descriptor"]["name"] for state in future} == streams
        output = connector.read(config, incremental, future)
        assert output.records == []
        assert {state.stream.stream_descriptor.name for state in output.states} == streams
        form = re.compile(inputs["future_state"]["cursor_format"]["format"])
        for stream in streams:
            before, after = dict(cursors_of(future, stream)), dict(cursors_of(output.last_state(), stream))
            assert before.keys() == after.keys(), f"{stream}: different channels than in the state"
            for cursor in [*before.values(), *after.values()]:
                assert isinstance(cursor, str) and form.fullmatch(cursor), f"{stream}: {cursor!r} has a different form"


def cursors_of(states: State, stream: str) -> Iterator[tuple[str, str]]:
    """Channels and their cursors."""
    for state in states:
        if state["stream"]["stream_descriptor"]["name"] == stream:
            for group in state["stream"]["stream_state"]["partitions"]:
                for entry in group["entries"]:
                    yield "/".join([*group["parents"], entry["id"]]), entry[CURSOR]


def states_with_counts(output: Output) -> list[tuple[AirbyteStateMessage, int]]:
    """States with the number of records since the previous one; states without new records are omitted."""
    return [(state, int(state.sourceStats.recordCount)) for state in output.states if state.sourceStats.recordCount]


def older(records: list[AirbyteRecordMessage], cursors: dict[str, str]) -> list[Key]:
    """Records older than the cursor of their channel. Some awkward messages have unusual times, or none."""
    dated = [(record, cursor, _times(record, CURSOR, "createdDateTime")) for record, cursor in _with_cursor(records, cursors)]
    return [key(record) for record, cursor, times in dated if times and max(times) < cursor]


def newer(records: list[AirbyteRecordMessage], cursors: dict[str, str]) -> list[Key]:
    return [key(record) for record, cursor in _with_cursor(records, cursors) if any(time > cursor for time in _times(record, CURSOR))]


def _times(record: AirbyteRecordMessage, *names: str) -> list[datetime]:
    """The latest of the existing, valid times."""
    return [time for name in names if (time := instant(record.data[name] or ""))]


def _with_cursor(records: list[AirbyteRecordMessage], cursors: dict[str, str]) -> Iterator[tuple[AirbyteRecordMessage, datetime]]:
    """Records newer than the cursor of their channel."""
    for record in records:
        if cursor := instant(cursors.get(f"{record.data['team_id']}/{record.data['channel_id']}", "")):
            yield record, cursor
