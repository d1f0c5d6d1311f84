"""`unit_tests/test_backward_compatibility.py` of the retired acceptance tests: every rule notices its violations and allows everything else.

The first columns are changes to the released files, as a user of the checks might make them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from .backward_compatibility import catalog_problems, spec_problems, validate_previous_configs

Change = Callable[[dict[str, Any]], Any]

RELEASED = Path(__file__).resolve().parent / "released/0.1.0"
SPEC = json.loads((RELEASED / "spec.json").read_text())
CATALOG = json.loads((RELEASED / "catalog.json").read_text())


def option(name: str, **keywords: Any) -> Change:
    """Sets keywords of an option, and removes those that are None."""
    return lambda schema: schema["properties"].update({name: _with(schema["properties"].get(name, {}), keywords)})


def column(stream: str, name: str, **keywords: Any) -> Change:
    return lambda streams: option(name, **keywords)(streams[stream]["json_schema"])


def _with(schema: dict[str, Any], keywords: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**schema, **keywords}.items() if value is not None}


BREAKING_SPECS: dict[str, tuple[Change, str]] = {
    "check_if_declared_new_required_field": (lambda schema: option("stream_options", required=["teams"])(schema), "no list of what is required"),
    "check_if_added_a_new_required_property": (lambda schema: schema["required"].append("team_id"), "team_id was not required"),
    "check_if_value_of_type_field_changed": (option("top", type="string"), "the type was integer and is string"),
    "check_if_type_of_type_field_changed": (option("top", type=["string", "null"]), "the type was integer and is ['string', 'null']"),
    "check_if_enum_was_narrowed": (lambda schema: schema["properties"]["cloud"]["enum"].remove("china"), "china is not allowed any more"),
    "check_if_declared_new_enum_field": (option("team_id", enum=["a"]), "every value was allowed"),
    "check_no_properties_removed": (lambda schema: schema["properties"].pop("lookback_seconds"), "lookback_seconds was removed"),
}

COMPATIBLE_SPECS: dict[str, Change] = {
    "nothing": lambda schema: None,
    "a new option": option("new", type="string", enum=["a"]),
    "a new object with a required property": option("new", type="object", required=["a"], properties={"a": {"type": "string"}}),
    "a type that may be null": option("top", type=["integer", "null"]),
    "a further type": option("top", type=["integer", "string"]),
    "a type as a list": option("top", type=["integer"]),
    "a further value": lambda schema: schema["properties"]["cloud"]["enum"].append("moon"),
    "less is required": lambda schema: schema["required"].remove("client_id"),
    "other words and order": option("top", title="Top", description="...", order=99),
}

# Changes without a rule: only formerly allowed configurations reveal them.
REJECTING_SPECS: dict[str, Change] = {
    "a higher minimum": option("lookback_seconds", minimum=60),
    "a pattern": option("team_id", pattern="^[a-f]{8}$"),
    "no further properties": lambda schema: schema.update(additionalProperties=False),
}

BREAKING_CATALOGS: dict[str, tuple[Change, str]] = {
    "check_if_stream_was_removed": (lambda streams: streams.pop("members"), "the stream members was removed"),
    "check_if_value_of_type_field_changed": (column("teams", "id", type="integer"), "the type was string and is integer"),
    "check_if_value_of_type_field_changed in a list": (column("messages", "subject", type=["integer", "null"]), "the type was string and is integer"),
    "check_if_type_of_type_field_changed": (column("teams", "id", type=["string", "integer"]), "is ['string', 'integer']"),
    "check_if_field_removed": (lambda streams: streams["messages"]["json_schema"]["properties"].pop("etag"), "etag was removed"),
    "check_if_cursor_field_was_changed": (
        lambda streams: streams["messages"].update(default_cursor_field=["createdDateTime"]),
        "default_cursor_field was ['lastModifiedDateTime'] and is ['createdDateTime']",
    ),
    "check_if_format_was_changed": (column("messages", "createdDateTime", format=None), "format: was date-time"),
    "check_if_primary_key_was_changed": (
        lambda streams: streams["messages"].update(source_defined_primary_key=[["id"]]),
        "source_defined_primary_key was [['channel_id'], ['id']] and is [['id']]",
    ),
    "check_if_sync_mode_was_removed": (
        lambda streams: streams["message_replies"].update(supported_sync_modes=["full_refresh"]),
        "message_replies: incremental is not supported any more",
    ),
}

COMPATIBLE_CATALOGS: dict[str, Change] = {
    "nothing": lambda streams: None,
    "a new stream": lambda streams: streams.update(more={**streams["teams"], "name": "more"}),
    "a new column": column("teams", "new", type=["string", "null"]),
    "a new column named type": column("teams", "type", type="string"),
    "a column that may be null": column("teams", "id", type=["string", "null"]),
    "other words": column("teams", "id", description="..."),
}


def changed_spec(change: Change) -> dict[str, Any]:
    spec = deepcopy(SPEC)
    change(spec["connectionSpecification"])
    return spec


def changed_catalog(change: Change) -> dict[str, Any]:
    streams = {stream["name"]: stream for stream in deepcopy(CATALOG)["streams"]}
    change(streams)
    return {"streams": list(streams.values())}


@pytest.mark.parametrize("rule", BREAKING_SPECS)
def test_spec_backward_compatibility_fails(rule: str) -> None:
    change, expected = BREAKING_SPECS[rule]
    (problem,) = spec_problems(SPEC, changed_spec(change))
    assert expected in problem


def test_a_type_that_may_not_be_null_any_more_is_noticed() -> None:
    """check_if_field_was_made_not_nullable: no option of the release may be null, so both versions are changed."""
    previous, current = (changed_spec(option("top", type=types)) for types in (["integer", "null"], ["integer"]))
    (problem,) = spec_problems(previous, current)
    assert "null is no type of it any more" in problem


@pytest.mark.parametrize("what", COMPATIBLE_SPECS)
def test_spec_backward_compatibility_holds(what: str) -> None:
    current = changed_spec(COMPATIBLE_SPECS[what])
    assert spec_problems(SPEC, current) == []
    validate_previous_configs(SPEC, current, configs=2, configs_an_option=2)


@pytest.mark.parametrize("what", REJECTING_SPECS)
def test_validate_previous_configs(what: str) -> None:
    with pytest.raises(AssertionError, match="is no longer allowed"):
        validate_previous_configs(SPEC, changed_spec(REJECTING_SPECS[what]))


@pytest.mark.parametrize("rule", BREAKING_CATALOGS)
def test_catalog_backward_compatibility_fails(rule: str) -> None:
    change, expected = BREAKING_CATALOGS[rule]
    (problem,) = catalog_problems(CATALOG, changed_catalog(change))
    assert expected in problem


@pytest.mark.parametrize("what", COMPATIBLE_CATALOGS)
def test_catalog_backward_compatibility_holds(what: str) -> None:
    assert catalog_problems(CATALOG, changed_catalog(COMPATIBLE_CATALOGS[what])) == []
