"""Compares the rows of a destination with the tenant."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from operator import eq
from typing import Any

from .errors import Difference
from .truth import COLUMNS, KEYS, Key, Row, Truth, instant

Decode = Callable[[str], Any]
Same = Callable[[Any, Any], bool]


def compare(
    truth: Truth, stream: str, rows: Iterable[Row], *, decode: Decode = json.loads, empty_is_null: bool = False, empty_parts_are_null: bool = False
) -> int:
    """Fails unless `rows` equal the truth by key and column; returns the number of rows.

    `decode` parses a nested value that the destination stores as text. Names are compared case-insensitively, because some databases change them.
    `empty_parts_are_null`: an empty text in an object equals null, for destinations with a column per property.
    """
    same = _same_parts if empty_parts_are_null else eq
    expected = truth.rows(stream)
    found: dict[Key, Row] = {}
    for row in rows:
        lower = {name.lower(): value for name, value in row.items()}
        key = tuple(lower[part] for part in KEYS[stream])
        if key in found:
            raise Difference(f"{stream}: duplicate key {key}")
        found[key] = lower
    missing, unexpected = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or unexpected:
        problem = f"{len(missing)} rows are missing, such as {missing[:2]}; {len(unexpected)} are unexpected, such as {unexpected[:2]}"
        raise Difference(f"{stream}: {problem}")
    for key, row in expected.items():
        for name, kind in COLUMNS[stream].items():
            _compare_value(f"{stream} {key}: {name}", found[key], name, kind, row[name], decode, empty_is_null, same)
    return len(found)


def only_changes(before: Truth, after: Truth, read: Callable[[str], Iterable[Key]]) -> str:
    """Fails unless the keys that a run `read` of the incremental streams are exactly those that changed, and perhaps their roots.

    A permanently removed message may be read or not, depending on Graph.
    """
    counts = []
    replies = after.changed_since(before, "message_replies")
    roots = {(place["channel"], str(place["root"])) for place in after.places("message_replies") if (place["channel"], str(place["id"])) in replies}
    for stream in ("messages", "message_replies"):
        keys, changed = set(read(stream)), after.changed_since(before, stream)
        gone = before.rows(stream).keys() - after.rows(stream).keys()
        if missing := changed - keys:
            raise Difference(f"{stream}: {len(missing)} changes were not read, such as {sorted(missing)[:2]}")
        if more := keys - changed - gone - roots:
            raise Difference(f"{stream}: {len(more)} unchanged records were read, such as {sorted(more)[:2]}")
        counts.append(f"{len(keys)} {stream}")
    return " and ".join(counts)


def last_of_each(stream: str, rows: Iterable[Row]) -> list[Row]:
    """The current rows of an append-only destination: the last one for each key."""
    return list({tuple(row[part] for part in KEYS[stream]): row for row in rows}.values())


def _compare_value(where: str, row: Row, name: str, kind: str, expected: Any, decode: Decode, empty_is_null: bool, same: Same) -> None:
    value = row[name.lower()]
    if value is None or (value == "" and (empty_is_null or kind != "text")):
        rest = row["_additional_properties"]
        rest = decode(rest) if isinstance(rest, str) and rest else rest or {}
        # A value that does not fit its column is kept in _additional_properties.
        if expected is None or (expected == "" and (empty_is_null or kind == "time")) or (expected == [] and empty_is_null) or rest.get(name) == expected:
            return
    elif same(_meant(kind, value, decode), instant(expected) if kind == "time" else expected):
        return
    raise Difference(f"{where} is\n  {value!r}\nexpected\n  {expected!r}")


def _same_parts(value: Any, expected: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(expected, dict):
        return value == expected
    return all((value.get(name) or None) == (expected.get(name) or None) for name in value.keys() | expected.keys())


def _meant(kind: str, value: Any, decode: Decode) -> Any:
    if kind == "time":
        return instant(value)
    if kind in ("object", "array") and isinstance(value, str):
        return decode(value)
    if kind == "boolean":
        return str(value).lower() == "true"
    return value
