"""Compares what a destination holds with what is true."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from .errors import Difference
from .truth import COLUMNS, KEYS, Key, Row, Truth, instant

Decode = Callable[[str], Any]


def compare(truth: Truth, stream: str, rows: Iterable[Row], *, decode: Decode = json.loads, empty_is_null: bool = False) -> int:
    """Fails unless `rows` are those of the truth, key by key and column by column; returns how many they are.

    `decode` reads a nested value that the destination holds as a text. Names are compared without case, as some databases keep them.
    """
    expected = truth.rows(stream)
    found: dict[Key, Row] = {}
    for row in rows:
        lower = {name.lower(): value for name, value in row.items()}
        key = tuple(lower[part] for part in KEYS[stream])
        if key in found:
            raise Difference(f"{stream}: the key {key} is there twice")
        found[key] = lower
    missing, unexpected = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    if missing or unexpected:
        said = f"{len(missing)} rows are missing, such as {missing[:2]}; {len(unexpected)} are there that should not, such as {unexpected[:2]}"
        raise Difference(f"{stream}: {said}")
    for key, row in expected.items():
        for name, kind in COLUMNS[stream].items():
            _compare_value(f"{stream} {key}: {name}", found[key], name, kind, row[name], decode, empty_is_null)
    return len(found)


def only_changes(before: Truth, after: Truth, read: Callable[[str], Iterable[Key]]) -> str:
    """Fails unless the keys that a run `read` of the incremental streams are those that changed, and no more than the roots above them.

    A message that is gone for good may be read or not: it is for Graph to tell.
    """
    said = []
    replies = after.changed_since(before, "message_replies")
    roots = {(place["channel"], str(place["root"])) for place in after.places("message_replies") if (place["channel"], str(place["id"])) in replies}
    for stream in ("messages", "message_replies"):
        keys, changed = set(read(stream)), after.changed_since(before, stream)
        gone = before.rows(stream).keys() - after.rows(stream).keys()
        if missing := changed - keys:
            raise Difference(f"{stream}: {len(missing)} changes were not read, such as {sorted(missing)[:2]}")
        if more := keys - changed - gone - roots:
            raise Difference(f"{stream}: {len(more)} records were read that had not changed, such as {sorted(more)[:2]}")
        said.append(f"{len(keys)} {stream}")
    return " and ".join(said)


def last_of_each(stream: str, rows: Iterable[Row]) -> list[Row]:
    """What a destination that only appends means: the last row of each key."""
    return list({tuple(row[part] for part in KEYS[stream]): row for row in rows}.values())


def _compare_value(where: str, row: Row, name: str, kind: str, expected: Any, decode: Decode, empty_is_null: bool) -> None:
    value = row[name.lower()]
    if value is None or (value == "" and (empty_is_null or kind != "text")):
        rest = row["_additional_properties"]
        rest = decode(rest) if isinstance(rest, str) and rest else rest or {}
        # A value that its column cannot hold is kept as it is, beside the properties that have no column.
        if expected is None or (expected == "" and (empty_is_null or kind == "time")) or rest.get(name) == expected:
            return
    elif _meant(kind, value, decode) == (instant(expected) if kind == "time" else expected):
        return
    raise Difference(f"{where} is\n  {value!r}\nand should be\n  {expected!r}")


def _meant(kind: str, value: Any, decode: Decode) -> Any:
    if kind == "time":
        return instant(value)
    if kind in ("object", "array") and isinstance(value, str):
        return decode(value)
    if kind == "boolean":
        return str(value).lower() == "true"
    return value
