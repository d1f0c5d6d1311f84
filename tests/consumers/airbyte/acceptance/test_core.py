"""`tests/test_core.py` of the retired acceptance tests: spec, connection, discovery, a read of everything, metadata and documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from airbyte_protocol.models import (
    AirbyteCatalog,
    AirbyteRecordMessage,
    AirbyteStateMessage,
    AirbyteStateType,
    AirbyteStream,
    AirbyteStreamStatus,
    AirbyteStreamStatusTraceMessage,
    Status,
    SyncMode,
    TraceType,
    Type,
)

from ...support.compare import compare
from ...support.simulator import Simulator
from ...support.truth import Truth
from ..folder import ROOT
from .backward_compatibility import catalog_problems, spec_problems, validate_previous_configs
from .connector import Connector, Output, configured
from .schemas import record_validator, subschemas

FORBIDDEN = {"not", "anyOf", "patternProperties", "prefixItems", "allOf", "if", "then", "else", "dependentSchemas", "dependentRequired"}
DISPLAY_TYPES = ("dropdown", "radio")

Spec = dict[str, Any]


def values_of(value: Any, name: str) -> list[Any]:
    """Every value with this name, at any depth."""
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    own = [value[name]] if isinstance(value, dict) and name in value else []
    return own + [found for one in below for found in values_of(one, name)]


class TestSpec:
    def test_match_expected(self, spec: Spec, folder: Path, inputs: dict[str, Any]) -> None:
        assert spec == json.loads((folder / inputs["spec_path"]).read_text())

    def test_enum_usage(self, spec: Spec) -> None:
        for path, schema in subschemas(spec["connectionSpecification"]):
            values = schema.get("enum", [])
            assert len(set(values)) == len(values), f"{path}: a duplicate value in {values}"

    def test_oneof_usage(self, spec: Spec) -> None:
        """A form distinguishes the alternatives by exactly one property that is constant in each."""
        for path, schema in subschemas(spec["connectionSpecification"]):
            alternatives = schema.get("oneOf")
            if alternatives is None:
                continue
            assert schema.get("type") == "object", f"{path}: is not an object"
            assert all("properties" in one for one in alternatives), f"{path}: an alternative without properties"
            common = set.intersection(*(set(one["properties"]) for one in alternatives))
            constant = [name for name in common if all("const" in one["properties"][name] for one in alternatives)]
            assert len(constant) == 1, f"{path}: distinguished by {constant}"
            for selector in (one["properties"][constant[0]] for one in alternatives):
                assert selector.get("default", selector["const"]) == selector["const"], f"{path}: another default than the constant"
                assert selector.get("enum", [selector["const"]]) == [selector["const"]], f"{path}: other values than the constant"

    def test_property_type_is_not_array(self, spec: Spec) -> None:
        for path, schema in subschemas(spec["connectionSpecification"]):
            kind = schema.get("type")
            if isinstance(kind, list):
                assert len(kind) == 1 or (len(kind) == 2 and kind[1] == "null"), f"{path}: a form supports one type, not {kind}"

    def test_object_not_empty(self, spec: Spec) -> None:
        for path, schema in subschemas(spec["connectionSpecification"]):
            if path and schema.get("type") == "object":
                assert schema.get("oneOf") or schema.get("properties"), f"{path}: a form cannot show it"

    def test_array_type(self, spec: Spec) -> None:
        for path, schema in subschemas(spec["connectionSpecification"]):
            items = schema.get("items") if schema.get("type") == "array" else None
            if items is not None:
                assert isinstance(items, dict), f"{path}: several kinds of items"
                assert items.get("type") in ("object", "string", "number", "integer") or "enum" in items, f"{path}: items of {items}"

    def test_forbidden_complex_types(self, spec: Spec) -> None:
        for path, schema in subschemas(spec["connectionSpecification"]):
            assert not FORBIDDEN & schema.keys(), f"{path}: {FORBIDDEN & schema.keys()}"

    def test_duplicate_order(self, spec: Spec) -> None:
        for path, schema in subschemas(spec["connectionSpecification"]):
            ordered = [one for one in schema.get("properties", {}).values() if "order" in one]
            places = [(one.get("group", ""), one["order"]) for one in ordered]
            assert len(set(places)) == len(places), f"{path}: a duplicate order in {sorted(places)}"

    def test_nested_group(self, spec: Spec) -> None:
        for path, schema in subschemas(spec["connectionSpecification"]):
            assert "group" not in schema or path.count("/") == 2, f"{path}: a group below the top level"

    def test_display_type(self, spec: Spec) -> None:
        for path, schema in subschemas(spec["connectionSpecification"]):
            if "display_type" in schema:
                assert "oneOf" in schema and schema["display_type"] in DISPLAY_TYPES, f"{path}: {schema['display_type']}"

    def test_defined_refs_exist_in_json_spec_file(self, spec: Spec) -> None:
        assert values_of(spec, "$ref") == []

    def test_additional_properties_is_true(self, spec: Spec) -> None:
        assert all(value is True for value in values_of(spec["connectionSpecification"], "additionalProperties"))

    def test_backward_compatibility(self, spec: Spec, released: Path) -> None:
        previous = json.loads((released / "spec.json").read_text())
        assert spec_problems(previous, spec) == []
        validate_previous_configs(previous, spec)


class TestConnection:
    def test_check(self, connector: Connector, config: dict[str, Any], inputs: dict[str, Any]) -> None:
        if inputs["status"] == "exception":
            traces = [message.trace for message in connector.check(config, code=1).of(Type.TRACE)]
            assert [trace.type for trace in traces] == [TraceType.ERROR]
            assert traces[0].error.message
            return
        expected = {"succeed": Status.SUCCEEDED, "failed": Status.FAILED}[inputs["status"]]
        statuses = connector.check(config).of(Type.CONNECTION_STATUS)
        assert [message.connectionStatus.status for message in statuses] == [expected]


class TestDiscovery:
    def test_additional_properties_is_true(self, catalog: AirbyteCatalog) -> None:
        for stream in catalog.streams:
            assert all(value is True for value in values_of(stream.json_schema, "additionalProperties")), stream.name

    def test_backward_compatibility(self, catalog: AirbyteCatalog, released: Path) -> None:
        previous = json.loads((released / "catalog.json").read_text())
        assert catalog_problems(previous, catalog.model_dump(mode="json", exclude_unset=True)) == []


class TestBasicRead:
    def test_read(self, connector: Connector, simulator: Simulator, config: dict[str, Any], catalog: AirbyteCatalog, inputs: dict[str, Any]) -> None:
        channel = max(place["channel"] for place in simulator.truth().places("messages"))
        simulator.change("post_corpus", channel=channel)
        output = connector.read(config, configured(catalog.streams, SyncMode.full_refresh))
        empty = {stream["name"] for stream in inputs.get("empty_streams", [])}
        self.validate_schema(output.records, catalog.streams, fail_on_extra_columns=inputs.get("fail_on_extra_columns", True))
        self.validate_empty_streams(output.records, catalog.streams, empty)
        self.validate_primary_keys_data_type(output.records, catalog.streams)
        self.validate_expected_records(output, simulator.truth())
        self.validate_stream_statuses(output.statuses, catalog.streams)
        self.validate_state_messages(output.states, catalog.streams)

    @staticmethod
    def validate_schema(records: list[AirbyteRecordMessage], streams: list[AirbyteStream], *, fail_on_extra_columns: bool) -> None:
        validators = {stream.name: record_validator(stream.json_schema, fail_on_extra_columns=fail_on_extra_columns) for stream in streams}
        properties = {stream.name: stream.json_schema["properties"].keys() for stream in streams}
        for record in records:
            problems = [f"{problem.json_path}: {problem.message}" for problem in validators[record.stream].iter_errors(record.data)]
            assert not problems, f"{record.stream}: {problems}"
            assert properties[record.stream] & record.data.keys(), f"{record.stream}: a record without any property of the schema"

    @staticmethod
    def validate_empty_streams(records: list[AirbyteRecordMessage], streams: list[AirbyteStream], allowed: set[str]) -> None:
        assert {stream.name for stream in streams} - {record.stream for record in records} <= allowed

    @staticmethod
    def validate_primary_keys_data_type(records: list[AirbyteRecordMessage], streams: list[AirbyteStream]) -> None:
        """Unlike in the originals, no part of a key may be null."""
        keys = {stream.name: stream.source_defined_primary_key for stream in streams}
        for record in records:
            for (part,) in keys[record.stream]:
                assert isinstance(record.data[part], str) and record.data[part], f"{record.stream}: {part} is {record.data[part]!r}"

    @staticmethod
    def validate_expected_records(output: Output, truth: Truth) -> None:
        """The records of the tenant, in any order; the originals compared the keys of recorded samples."""
        for stream in truth.counts():
            compare(truth, stream, [record.data for record in output.records if record.stream == stream])

    @staticmethod
    def validate_stream_statuses(statuses: list[AirbyteStreamStatusTraceMessage], streams: list[AirbyteStream]) -> None:
        assert {status.stream_descriptor.name for status in statuses} == {stream.name for stream in streams}
        for stream in streams:
            first, *between, last = [status.status for status in statuses if status.stream_descriptor.name == stream.name]
            assert (first, last) == (AirbyteStreamStatus.STARTED, AirbyteStreamStatus.COMPLETE), stream.name
            assert between and set(between) == {AirbyteStreamStatus.RUNNING}, stream.name

    @staticmethod
    def validate_state_messages(states: list[AirbyteStateMessage], streams: list[AirbyteStream]) -> None:
        assert {state.type for state in states} == {AirbyteStateType.STREAM}
        assert {state.stream.stream_descriptor.name for state in states} == {stream.name for stream in streams}
        assert all(state.sourceStats is not None and state.sourceStats.recordCount is not None for state in states)


class TestConnectorAttributes:
    """Only for certified connectors in the original."""

    METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text())["data"]

    def test_streams_define_primary_key(self, connector: Connector, simulator: Simulator) -> None:
        assert all(stream.source_defined_primary_key for stream in connector.discover(simulator.config).streams)

    def test_certified_connector_has_allowed_hosts(self) -> None:
        assert self.METADATA["allowedHosts"]["hosts"]

    def test_certified_connector_has_suggested_streams(self, connector: Connector, simulator: Simulator) -> None:
        suggested = self.METADATA["suggestedStreams"]["streams"]
        assert suggested
        assert set(suggested) <= {stream.name for stream in connector.discover(simulator.config).streams}


class TestConnectorDocumentation:
    """Only for certified connectors in the original."""

    def test_prerequisites_content(self, spec: Spec) -> None:
        """The prerequisites mention every required option."""
        page = (ROOT / "docs/airbyte.md").read_text()
        section = page.partition("\n## Prerequisites\n")[2].partition("\n## ")[0].lower()
        schema = spec["connectionSpecification"]
        for name in schema["required"]:
            assert schema["properties"][name]["title"].lower() in section, name
