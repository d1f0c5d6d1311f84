"""The assertions of `test_core` notice violations, even those that the current output cannot exercise.

`unit_tests/test_spec.py` and `unit_tests/test_core.py` of the retired acceptance tests did the same.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from airbyte_protocol.models import AirbyteRecordMessage, AirbyteStateMessage, AirbyteStream, AirbyteStreamStatusTraceMessage, SyncMode

from .test_backward_compatibility import SPEC, option
from .test_core import TestBasicRead as BasicRead
from .test_core import TestSpec as Spec

CHOICE: dict[str, Any] = {"type": "object", "oneOf": [{"properties": {"kind": {"const": kind}, "other": {"type": "string"}}} for kind in ("a", "b")]}


def without(*path: str | int) -> dict[str, Any]:
    """A choice without one keyword."""
    choice = deepcopy(CHOICE)
    place: Any = choice
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return choice


def beside_the_constant(**keywords: Any) -> dict[str, Any]:
    choice = deepcopy(CHOICE)
    choice["oneOf"][0]["properties"]["kind"].update(keywords)
    return choice


BAD_SPECS: list[tuple[Callable[..., None], dict[str, Any]]] = [
    (Spec.test_enum_usage, {"type": "string", "enum": ["a", "a"]}),
    (Spec.test_oneof_usage, without("type")),
    (Spec.test_oneof_usage, without("oneOf", 0, "properties")),
    (Spec.test_oneof_usage, without("oneOf", 0, "properties", "kind")),
    (Spec.test_oneof_usage, without("oneOf", 0, "properties", "kind", "const")),
    (Spec.test_oneof_usage, beside_the_constant(default="b")),
    (Spec.test_oneof_usage, beside_the_constant(enum=["a", "b"])),
    (Spec.test_property_type_is_not_array, {"type": ["string", "integer"]}),
    (Spec.test_property_type_is_not_array, {"type": ["string", "integer", "null"]}),
    (Spec.test_object_not_empty, {"type": "object"}),
    (Spec.test_array_type, {"type": "array", "items": {"type": "boolean"}}),
    (Spec.test_array_type, {"type": "array", "items": [{"type": "string"}]}),
    (Spec.test_forbidden_complex_types, {"anyOf": [{"type": "string"}]}),
    (Spec.test_forbidden_complex_types, {"type": "array", "items": {"not": {}}}),
    (Spec.test_duplicate_order, {"type": "string", "order": 0}),
    (Spec.test_nested_group, {"type": "object", "properties": {"a": {"type": "string", "group": "a"}}}),
    (Spec.test_display_type, {"type": "string", "display_type": "radio"}),
    (Spec.test_display_type, {**CHOICE, "display_type": "list"}),
    (Spec.test_defined_refs_exist_in_json_spec_file, {"$ref": "#/definitions/a"}),
    (Spec.test_additional_properties_is_true, {"type": "object", "properties": {"a": {}}, "additionalProperties": False}),
]

STREAM = AirbyteStream(
    name="a",
    supported_sync_modes=[SyncMode.full_refresh],
    source_defined_primary_key=[["id"]],
    json_schema={"properties": {"id": {"type": "string"}, "n": {"type": "integer"}, "at": {"type": "string", "format": "date-time"}}},
)


def with_option(schema: dict[str, Any]) -> dict[str, Any]:
    spec = deepcopy(SPEC)
    option("new", **schema)(spec["connectionSpecification"])
    return spec


def record(**data: Any) -> AirbyteRecordMessage:
    return AirbyteRecordMessage(stream="a", data=data, emitted_at=1)


def statuses(*names: str) -> list[AirbyteStreamStatusTraceMessage]:
    return [AirbyteStreamStatusTraceMessage.model_validate({"stream_descriptor": {"name": "a"}, "status": name}) for name in names]


def state(**more: Any) -> AirbyteStateMessage:
    state = {"type": "STREAM", "stream": {"stream_descriptor": {"name": "a"}, "stream_state": {}}, "sourceStats": {"recordCount": 0.0}}
    return AirbyteStateMessage.model_validate({**state, **more})


@pytest.mark.parametrize(("test", "schema"), BAD_SPECS)
def test_a_bad_option_is_noticed(test: Callable[..., None], schema: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        test(Spec(), with_option(schema))


def test_a_choice_may_be_shown_in_both_ways() -> None:
    for display in ("dropdown", "radio"):
        spec = with_option({**beside_the_constant(default="a", enum=["a"]), "display_type": display})
        Spec().test_oneof_usage(spec)
        Spec().test_display_type(spec)
        Spec().test_object_not_empty(spec)


BAD_RECORDS = [{"id": 1}, {"id": "1", "n": 1.0}, {"id": "1", "at": "today"}, {"id": "1", "at": "2026-13-45T00:00:00Z"}, {"id": "1", "more": 1}]


@pytest.mark.parametrize("data", BAD_RECORDS)
def test_a_record_that_the_schema_does_not_allow_is_noticed(data: dict[str, Any]) -> None:
    BasicRead.validate_schema([record(id="1", n=1, at="2026-11-23T08:00:00.1234567Z")], [STREAM], fail_on_extra_columns=True)
    with pytest.raises(AssertionError):
        BasicRead.validate_schema([record(**data)], [STREAM], fail_on_extra_columns=True)


def test_a_record_of_further_columns_only_is_noticed_where_they_are_allowed() -> None:
    BasicRead.validate_schema([record(id="1", more=1)], [STREAM], fail_on_extra_columns=False)
    with pytest.raises(AssertionError):
        BasicRead.validate_schema([record(more=1)], [STREAM], fail_on_extra_columns=False)


def test_an_empty_stream_is_noticed_unless_it_may_be_empty() -> None:
    BasicRead.validate_empty_streams([], [STREAM], {"a"})
    with pytest.raises(AssertionError):
        BasicRead.validate_empty_streams([], [STREAM], set())


@pytest.mark.parametrize("key", [None, "", [], {}])
def test_a_key_that_is_none_is_noticed(key: Any) -> None:
    with pytest.raises(AssertionError):
        BasicRead.validate_primary_keys_data_type([record(id=key)], [STREAM])


@pytest.mark.parametrize("names", [("STARTED", "COMPLETE"), ("RUNNING", "RUNNING", "COMPLETE"), ("STARTED", "RUNNING", "INCOMPLETE")])
def test_statuses_that_are_no_success_are_noticed(names: tuple[str, ...]) -> None:
    BasicRead.validate_stream_statuses(statuses("STARTED", "RUNNING", "RUNNING", "COMPLETE"), [STREAM])
    with pytest.raises(AssertionError):
        BasicRead.validate_stream_statuses(statuses(*names), [STREAM])


def test_states_that_are_missing_or_of_another_kind_are_noticed() -> None:
    BasicRead.validate_state_messages([state()], [STREAM])
    for states in ([], [state(sourceStats=None)], [state(type="LEGACY")]):
        with pytest.raises(AssertionError):
            BasicRead.validate_state_messages(states, [STREAM])
