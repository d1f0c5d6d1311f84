"""Checks that a spec and a catalog are compatible with an earlier version, by the rules of the retired acceptance tests.

The rules have their original names. Three are new: formats, keys and sync modes must not change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deepdiff import DeepDiff
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis_jsonschema import from_schema
from jsonschema import Draft7Validator

SAME_EACH_TIME = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))

Spec = dict[str, Any]
Catalog = dict[str, Any]
Path = list[str | int]


class Differences:
    """The differences between two documents, by kind of change."""

    def __init__(self, previous: Any, current: Any) -> None:
        self._tree = DeepDiff(previous, current, view="tree", ignore_order=True)

    def of(self, kind: str) -> Iterator[tuple[Path, Any, Any]]:
        """Yields the path, the old value and the new value."""
        for change in self._tree.get(kind, []):
            yield change.path(output_format="list"), change.t1, change.t2


def spec_problems(previous: Spec, current: Spec) -> list[str]:
    before, after = previous["connectionSpecification"], current["connectionSpecification"]
    found = Differences(before, after)
    return [
        *check_if_declared_new_required_field(found),
        *check_if_added_a_new_required_property(found),
        *check_if_value_of_type_field_changed(found),
        *check_if_type_of_type_field_changed(found, widening=True),
        *check_if_field_was_made_not_nullable(found),
        *check_if_enum_was_narrowed(found),
        *check_if_declared_new_enum_field(found),
        *check_no_properties_removed(before, after),
    ]


def catalog_problems(previous: Catalog, current: Catalog) -> list[str]:
    before, after = _streams(previous), _streams(current)
    kept = {name: after[name] for name in before if name in after}
    schemas = Differences({name: before[name]["json_schema"] for name in kept}, {name: stream["json_schema"] for name, stream in kept.items()})
    return [
        *check_if_stream_was_removed(before, after),
        *check_if_value_of_type_field_changed(schemas),
        *check_if_type_of_type_field_changed(schemas, widening=False),
        *check_if_field_removed(schemas),
        *check_if_format_was_changed(schemas),
        *check_if_cursor_field_was_changed(before, kept),
        *check_if_primary_key_was_changed(before, kept),
        *check_if_sync_mode_was_removed(before, kept),
    ]


def validate_previous_configs(previous: Spec, current: Spec, configs: int = 100, configs_an_option: int = 10) -> None:
    """Fails if the current spec refuses a configuration that the previous spec allows.

    Beyond the original, each option is in some of them: by chance, few of many options are.
    """
    before = previous["connectionSpecification"]
    validator = Draft7Validator(current["connectionSpecification"])
    _validate_configs(before, validator, configs)
    for option in before["properties"]:
        _validate_configs({**before, "required": sorted({*before["required"], option})}, validator, configs_an_option)


def _validate_configs(schema: dict[str, Any], validator: Draft7Validator, configs: int) -> None:
    # The problem is clear enough without shrinking the example.
    @settings(SAME_EACH_TIME, max_examples=configs, phases=[Phase.generate])
    @given(from_schema(schema))
    def every_config_is_taken(config: dict[str, Any]) -> None:
        problems = [f"{problem.json_path}: {problem.message}" for problem in validator.iter_errors(config)]
        assert not problems, f"a configuration is no longer allowed: {problems}"

    every_config_is_taken()


def check_if_declared_new_required_field(found: Differences) -> Iterator[str]:
    for path, *_ in found.of("dictionary_item_added"):
        if path[-1] == "required":
            yield f"{_shown(path)}: there was no list of what is required"


def check_if_added_a_new_required_property(found: Differences) -> Iterator[str]:
    for path, _, added in found.of("iterable_item_added"):
        if path[-2] == "required":
            yield f"{_shown(path[:-1])}: {added} was not required"


def check_if_value_of_type_field_changed(found: Differences) -> Iterator[str]:
    for path, before, after in found.of("values_changed"):
        if _is_type(path):
            yield f"{_shown(path)}: the type was {before} and is {after}"


def check_if_type_of_type_field_changed(found: Differences, *, widening: bool) -> Iterator[str]:
    """A type may become a list of itself and null, or with `widening` of further types; a list of one type may become that type."""
    for path, before, after in found.of("type_changes"):
        if not _is_type(path):
            continue
        if isinstance(before, str):
            fits = isinstance(after, list) and before in after and (widening or set(after) <= {before, "null"})
        else:
            fits = isinstance(before, list) and before == [after]
        if not fits:
            yield f"{_shown(path)}: the type was {before} and is {after}"


def check_if_field_was_made_not_nullable(found: Differences) -> Iterator[str]:
    for path, removed, _ in found.of("iterable_item_removed"):
        if _is_type(path):
            yield f"{_shown(path[:-1])}: {removed} is no type of it any more"


def check_if_enum_was_narrowed(found: Differences) -> Iterator[str]:
    for path, removed, _ in found.of("iterable_item_removed"):
        if path[-2] == "enum":
            yield f"{_shown(path[:-1])}: {removed} is not allowed any more"


def check_if_declared_new_enum_field(found: Differences) -> Iterator[str]:
    for path, *_ in found.of("dictionary_item_added"):
        if path[-1] == "enum":
            yield f"{_shown(path)}: every value was allowed"


def check_no_properties_removed(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name in before["properties"].keys() - after["properties"].keys():
        yield f"the option {name} was removed"


def check_if_stream_was_removed(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name in before.keys() - after.keys():
        yield f"the stream {name} was removed"


def check_if_field_removed(schemas: Differences) -> Iterator[str]:
    for path, *_ in schemas.of("dictionary_item_removed"):
        if path[-2] == "properties":
            yield f"{_shown(path)} was removed"


def check_if_format_was_changed(schemas: Differences) -> Iterator[str]:
    for kind in ("values_changed", "dictionary_item_added", "dictionary_item_removed"):
        for path, before, after in schemas.of(kind):
            if path[-1] in ("format", "airbyte_type") and path[-2] != "properties":
                yield f"{_shown(path)}: was {before} and is {after}"


def check_if_cursor_field_was_changed(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    yield from _changed("default_cursor_field", before, after)


def check_if_primary_key_was_changed(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    yield from _changed("source_defined_primary_key", before, after)


def check_if_sync_mode_was_removed(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name, stream in after.items():
        for mode in set(before[name]["supported_sync_modes"]) - set(stream["supported_sync_modes"]):
            yield f"{name}: {mode} is not supported any more"


def _streams(catalog: Catalog) -> dict[str, Any]:
    return {stream["name"]: stream for stream in catalog["streams"]}


def _changed(field: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name, stream in after.items():
        if before[name].get(field) != stream.get(field):
            yield f"{name}: {field} was {before[name].get(field)} and is {stream.get(field)}"


def _is_type(path: Path) -> bool:
    """Whether this is the type, or one of the types, of a property; a property may itself be named `type`."""
    if isinstance(path[-1], int):
        path = path[:-1]
    return "properties" in path and path[-1] == "type" and path[-2] != "properties"


def _shown(path: Path) -> str:
    return ".".join(map(str, path))
