"""The contents of the simulated tenant, as the expected rows of a destination."""

from __future__ import annotations

import re
from copy import copy
from datetime import datetime, timezone
from typing import Any

Key = tuple[str, ...]
Row = dict[str, Any]

KEYS = {
    "teams": ("id",),
    "channels": ("id",),
    "members": ("team_id", "id"),
    "messages": ("channel_id", "id"),
    "message_replies": ("channel_id", "id"),
}
STREAMS = list(KEYS)
INCREMENTAL = ("messages", "message_replies")

# Of every stream, including opt-in streams that are not compared.
ALL_KEYS = KEYS | {
    "channel_members": ("channel_id", "id"),
    "team_device_usage_report": ("reportRefreshDate", "userPrincipalName", "reportPeriod"),
}

_MESSAGE = {
    "id": "text", "team_id": "text", "channel_id": "text", "subject": "text", "messageType": "text", "webUrl": "text",
    "createdDateTime": "time", "lastModifiedDateTime": "time", "lastEditedDateTime": "time", "deletedDateTime": "time",
    "body": "object", "from": "object", "eventDetail": "object", "attachments": "array", "mentions": "array", "reactions": "array",
}  # fmt: skip

# The compared columns with their kinds.
COLUMNS: dict[str, dict[str, str]] = {
    "teams": {"id": "text", "displayName": "text", "createdDateTime": "time", "isArchived": "boolean"},
    "channels": {"id": "text", "team_id": "text", "displayName": "text", "createdDateTime": "time"},
    "members": {"team_id": "text", "id": "text", "displayName": "text", "roles": "array"},
    "messages": _MESSAGE,
    "message_replies": {**_MESSAGE, "parent_message_id": "text"},
}


class Truth:
    def __init__(self, tree: dict[str, Any]) -> None:
        self._tree = tree
        self._rows = {
            "teams": list(tree["teams"].values()),
            "channels": [{**item["value"], "team_id": item["team"]} for item in tree["channels"]],
            "members": [{**item["value"], "team_id": item["team"]} for item in tree["members"]],
            "messages": [_message(item) for item in tree["messages"]],
            "message_replies": [{**_message(item), "parent_message_id": str(item["root"])} for item in tree["replies"]],
        }

    def rows(self, stream: str) -> dict[Key, Row]:
        """The compared columns, by primary key."""
        key, columns = KEYS[stream], COLUMNS[stream]
        return {tuple(row[part] for part in key): {name: clean(row.get(name)) for name in columns} for row in self._rows[stream]}

    def all(self, stream: str) -> list[Row]:
        """Complete rows, as in Graph."""
        return self._rows[stream]

    def places(self, stream: str) -> list[dict[str, Any]]:
        """Where messages or replies are, oldest first, as the control API takes it."""
        items = self._tree["messages" if stream == "messages" else "replies"]
        return [{name: item[name] for name in ("team", "channel", "root", "id")} for item in sorted(items, key=lambda item: item["id"])]

    def changed_since(self, before: Truth, stream: str) -> set[Key]:
        """The keys of new and changed rows."""
        then = before.rows(stream)
        return {key for key, row in self.rows(stream).items() if then.get(key) != row}

    def without(self, stream: str, keys: set[Key]) -> Truth:
        """The truth without these rows, for a destination that is known to lose them."""
        rest = copy(self)
        key = KEYS[stream]
        rest._rows = {**self._rows, stream: [row for row in self._rows[stream] if tuple(row[part] for part in key) not in keys]}
        return rest

    def counts(self) -> dict[str, int]:
        return {stream: len(rows) for stream, rows in self._rows.items()}


def _message(item: dict[str, Any]) -> Row:
    return {**item["value"], "team_id": item["team"], "channel_id": item["channel"]}


def instant(text: str) -> datetime | None:
    """Parses a time: UTC without a zone, truncated to microseconds; None if invalid."""
    whole = re.sub(r"(\.\d{1,6})\d*", r"\1", text)
    try:
        time = datetime.fromisoformat(whole)
        return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        return None


def clean(value: Any) -> Any:
    """The only changes that the tap makes to texts: no U+0000, and U+FFFD for lone surrogates."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value.replace("\0", ""))
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): clean(item) for name, item in value.items()}
    return value
