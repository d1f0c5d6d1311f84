"""Walks JSON schemas, and validates records like the acceptance tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft7Validator, FormatChecker, validators

from ...support.truth import instant

Schema = dict[str, Any]

TIMESTAMP = re.compile(r"\d{4}-\d\d?-\d\d?[\sT]\d\d?:\d\d?:\d\d?(\.\d+)?.*")


def subschemas(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """The schema and all its subschemas, with their paths."""
    yield path, schema
    for name, below in schema.get("properties", {}).items():
        yield from subschemas(below, f"{path}/properties/{name}")
    for keyword in ("items", "not", "additionalProperties", "oneOf", "anyOf", "allOf"):
        below = schema.get(keyword)
        for place, one in enumerate(below if isinstance(below, list) else [below]):
            if isinstance(one, dict):
                yield from subschemas(one, f"{path}/{keyword}/{place}" if isinstance(below, list) else f"{path}/{keyword}")


def record_validator(schema: Schema, *, fail_on_extra_columns: bool) -> Any:
    """Does not accept `1.0` as an integer, and checks date-times."""
    checker = FormatChecker(formats=())
    checker.checks("date-time")(lambda value: not isinstance(value, str) or bool(TIMESTAMP.fullmatch(value) and instant(value)))
    strict = Draft7Validator.TYPE_CHECKER.redefine("integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool))
    closed = {**schema, "additionalProperties": False} if fail_on_extra_columns else schema
    return validators.extend(Draft7Validator, type_checker=strict)(closed, format_checker=checker)
