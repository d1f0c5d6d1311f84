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
        """The second read, with the state of the first, brings other records, of the same streams, and none from before its cursors."""
        before = simulator.truth()
        first = connector.read(config, incremental)
        assert first.records and first.states
        simulator.change_everything()
        second = connector.read(config, incremental, first.last_state())
        after = simulator.truth()
        assert {record.stream for record in second.records} == {record.stream for record in first.records}
        # Beyond the originals: what has changed, all of it, and nothing else but the roots above changed replies.
        only_changes(before, after, second.keys)
        for stream in (stream.stream.name for stream in incremental.streams):
            changed = after.changed_since(before, stream)
            cursors = dict(cursors_of(first.last_state(), stream))
            records = [record for record in second.records if record.stream == stream and key(record) in changed]
            assert changed and not older(records, cursors), stream

    def test_read_sequential_slices(
        self, connector: Connector, simulator: Simulator, config: dict[str, Any], incremental: ConfiguredAirbyteCatalog
    ) -> None:
        """From every state on the rest is read, however early the state: at least as many records as were told behind it, and no key is missed.

        The originals took a sample of the states, of connectors whose requests cost something.
        """
        for stream in incremental.streams:
            name, alone = stream.stream.name, ConfiguredAirbyteCatalog(streams=[stream])
            whole = connector.read(config, alone)
            assert not newer(whole.records, dict(cursors_of(whole.last_state(), name))), f"{name}: a record behind the cursor"
            everything = simulator.truth().rows(name).keys()
            states = states_with_counts(whole)
            assert len(states) > 5, f"{name}: {len(states)} states are too few to tell anything"
            told = 0
            for state, count in states[:-1]:
                told += count
                rest = connector.read(config, alone, [dumped(state)])
                assert len(rest.records) >= len(whole.records) - told, f"{name}: from {dumped(state)}"
                missed = everything - {key(record) for record in whole.records[:told]} - set(rest.keys(name))
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
            given, told = dict(cursors_of(future, stream)), dict(cursors_of(output.last_state(), stream))
            assert given.keys() == told.keys(), f"{stream}: other channels than were given"
            for cursor in [*given.values(), *told.values()]:
                assert isinstance(cursor, str) and form.fullmatch(cursor), f"{stream}: {cursor!r} has another form"


def cursors_of(states: State, stream: str) -> Iterator[tuple[str, str]]:
    """Channel and cursor: a stream of ours has one in each channel."""
    for state in states:
        if state["stream"]["stream_descriptor"]["name"] == stream:
            for group in state["stream"]["stream_state"]["partitions"]:
                for entry in group["entries"]:
                    yield "/".join([*group["parents"], entry["id"]]), entry[CURSOR]


def states_with_counts(output: Output) -> list[tuple[AirbyteStateMessage, int]]:
    """With the records that were told since the one before; those that follow without any are left out."""
    return [(state, int(state.sourceStats.recordCount)) for state in output.states if state.sourceStats.recordCount]


def older(records: list[AirbyteRecordMessage], cursors: dict[str, str]) -> list[Key]:
    """Those from before the cursor of their channel. Some awkward messages have other times than those of a change, or none."""
    told = [(record, cursor, _times(record, CURSOR, "createdDateTime")) for record, cursor in _with_cursor(records, cursors)]
    return [key(record) for record, cursor, times in told if times and max(times) < cursor]


def newer(records: list[AirbyteRecordMessage], cursors: dict[str, str]) -> list[Key]:
    return [key(record) for record, cursor in _with_cursor(records, cursors) if any(time > cursor for time in _times(record, CURSOR))]


def _times(record: AirbyteRecordMessage, *names: str) -> list[datetime]:
    """Of those that are there, and are times."""
    return [time for name in names if (time := instant(record.data[name] or ""))]


def _with_cursor(records: list[AirbyteRecordMessage], cursors: dict[str, str]) -> Iterator[tuple[AirbyteRecordMessage, datetime]]:
    """Of the channels that had a cursor."""
    for record in records:
        if cursor := instant(cursors.get(f"{record.data['team_id']}/{record.data['channel_id']}", "")):
            yield record, cursor
