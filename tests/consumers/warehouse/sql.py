"""Runs the examples of docs/streams.md: `extract` into files, the files into DuckDB, and compares each result with the tenant."""

from __future__ import annotations

import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.truth import Row, Truth, clean, instant
from .database import Database

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/streams.md"

Rows = list[dict[str, Any]]


def check(bench: Bench) -> str:
    document = DOCUMENT.read_text()
    examples = {example.split("\n", 1)[0].removeprefix("-- "): example for example in _blocks(document, "sql")}
    if unknown := examples.keys() ^ {*DEFINITIONS, *EXPECTED}:
        raise Difference(f"docs/streams.md and this check have different examples: {sorted(unknown)}")
    with bench.simulator() as sim:
        sim.change_everything()
        bench.write("config.json", sim.config)
        for block in _blocks(document, "sh"):
            for line in block.splitlines():
                subprocess.run(["sh", "-ec", line.replace("tap-microsoft-teams", str(bench.tap), 1)], cwd=bench.folder, check=True, stderr=subprocess.DEVNULL)
        truth = sim.truth()
        counts = []
        with Database(bench) as database:
            database.run((bench.folder / "tables.sql").read_text(encoding="utf-8"))
            for name, example in examples.items():
                rows = database.run(example)
                if name in EXPECTED:
                    EXPECTED[name](rows, truth)
                    counts.append(f"{len(rows)} {name}")
            for stream, table in (("messages", "latest_messages"), ("messages", "'messages.parquet'"), ("message_replies", "'message_replies.parquet'")):
                rows = database.run(f"SELECT channel_id, id FROM {table}")
                _equal(table, sorted((row["channel_id"], row["id"]) for row in rows), sorted(truth.rows(stream)))
        return f"{bench.environments.version('duckdb')}: {', '.join(counts)}"


def _blocks(document: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


def _posts(truth: Truth) -> Rows:
    """The expected rows of the view `posts`."""
    return [_post(row, row["id"]) for row in truth.all("messages")] + [_post(row, row["parent_message_id"]) for row in truth.all("message_replies")]


def _post(row: Row, thread: str) -> Row:
    # Damaged values are in no column.
    sender, user, body = row.get("from"), None, row.get("body")
    if isinstance(sender, dict):
        user = sender.get("user")
    user = user if isinstance(user, dict) else {}
    return {
        "channel_id": row["channel_id"], "thread_id": thread, "id": row["id"], "type": row.get("messageType"),
        "created": _time(row.get("createdDateTime")), "is_deleted": _time(row.get("deletedDateTime")) is not None,
        "user_id": user.get("id"), "text": body.get("content") if isinstance(body, dict) else None,
        "reactions": row.get("reactions") if isinstance(row.get("reactions"), list) else [],
    }  # fmt: skip


def _time(value: Any) -> Any:
    """The value of a column: null before 1900, which Graph uses for "never"."""
    time = instant(value) if isinstance(value, str) else None
    return time if time and time.year >= 1900 else None


def _threads(rows: Rows, truth: Truth) -> None:
    expected: dict[tuple[str, str], list[str]] = defaultdict(list)
    for post in _posts(truth):
        expected[post["channel_id"], post["thread_id"]].append(post["id"])
    found = Counter(row["thread_id"] for row in rows)
    _equal("threads", found, Counter(thread for _, thread in expected))
    _equal("replies in threads", sum(row["replies"] for row in rows), sum(len(posts) - 1 for posts in expected.values()))
    for row in rows:
        _equal("posts of a thread", len(row["thread"]), row["replies"] + 1)
    times = [row["last_post"] for row in rows if row["last_post"]]
    _equal("the order of the threads", times, sorted(times, reverse=True))


def _per_week(rows: Rows, truth: Truth) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    for post in _posts(truth):
        if post["type"] == "message" and not post["is_deleted"] and post["user_id"]:
            expected[_monday(post["created"]), post["user_id"]] += 1
    _equal("messages per person and week", {(str(row["week"])[:10], row["user_id"]): row["messages"] for row in rows}, dict(expected))


def _monday(time: datetime | None) -> str:
    return (time - timedelta(days=time.weekday())).date().isoformat() if time else "None"


def _deleted(rows: Rows, truth: Truth) -> None:
    expected = {(post["channel_id"], post["id"]) for post in _posts(truth) if post["is_deleted"]}
    if not expected:
        raise Difference("nothing was deleted, so this example tests nothing")
    _equal("deleted messages", {(row["channel_id"], row["id"]) for row in rows}, expected)


def _reactions(rows: Rows, truth: Truth) -> None:
    expected = Counter((post["channel_id"], post["id"], clean(reaction.get("reactionType"))) for post in _posts(truth) for reaction in post["reactions"] if isinstance(reaction, dict))
    _equal("reactions", Counter((row["channel_id"], row["id"], row["reaction"]) for row in rows), expected)


def _joined_and_left(rows: Rows, truth: Truth) -> None:
    kinds = {f"#microsoft.graph.members{kind}EventMessageDetail": kind for kind in ("Added", "Joined", "Left", "Deleted")}
    expected: Counter[tuple[str, str, str]] = Counter()
    for row in truth.all("messages"):
        event = row.get("eventDetail")
        if isinstance(event, dict) and event.get("@odata.type") in kinds:
            expected.update((row["channel_id"], kinds[event["@odata.type"]], member["id"]) for member in event["members"])
    if {kind for _, kind, _ in expected} != set(kinds.values()):
        raise Difference("not every kind of event is in the tenant, so this example tests less than it says")
    _equal("members", Counter((row["channel_id"], row["event"], row["user_id"]) for row in rows), expected)


def _equal(what: str, found: Any, expected: Any) -> None:
    if found != expected:
        raise Difference(f"docs/streams.md, {what}: found\n  {str(found)[:600]}\nexpected\n  {str(expected)[:600]}")


# Statements that only prepare others.
DEFINITIONS = ("posts", "latest version of each row", "parquet")

EXPECTED: dict[str, Callable[[Rows, Truth], None]] = {
    "members who were added, joined, left or were removed": _joined_and_left,
    "threads": _threads,
    "messages per person and week": _per_week,
    "deleted messages": _deleted,
    "reactions": _reactions,
}
