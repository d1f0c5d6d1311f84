"""A small stand-in for Elasticsearch on loopback: indices with their mappings, and the bulk requests that fill them.

Like the real server, it derives the type of a field from its first value and refuses documents with values that do not fit. These rules follow
Elastic's documentation; they have not been compared with the real server.
"""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

LONGEST_ID = 512  # In bytes, as in Elasticsearch.
DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?(Z|[+-]\d\d:?\d\d)?)?")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
OPEN = ("disabled", "flattened")  # Objects whose fields get no types.


class Refused(Exception):
    """A value that does not fit the type of its field."""


class Mapping:
    """The types of an index's fields, by path."""

    def __init__(self, properties: dict[str, Any]) -> None:
        self.types = {name: field.get("type", "object") if field.get("enabled", True) else "disabled" for name, field in properties.items()}

    def add(self, path: str, value: Any) -> None:
        if value is None or self.types.get(path) in OPEN:
            return
        if isinstance(value, list):
            for item in value:
                self.add(path, item)
            return
        known = self.types.setdefault(path, _type(value)) if path else "object"
        if not _fits(known, value):
            raise Refused(f"{path} is {known}, and {str(value)[:50]!r} does not fit")
        if isinstance(value, dict):
            for name, item in value.items():
                # Elasticsearch reads a dot in a name as a level of nesting.
                levels = [*path.split("."), *name.split(".")] if path else name.split(".")
                for end in range(1, len(levels)):
                    self.types.setdefault(".".join(levels[:end]), "object")
                self.add(".".join(levels), item)


def _type(value: Any) -> str:
    if isinstance(value, str):
        return "date" if DATE.fullmatch(value) else "text"
    return {dict: "object", bool: "boolean", int: "long", float: "float"}[type(value)]


def _fits(known: str, value: Any) -> bool:
    if known == "object" or isinstance(value, dict):
        return known == "object" and isinstance(value, dict)
    if known in ("long", "float"):
        return not isinstance(value, bool) and bool(NUMBER.fullmatch(str(value)))
    return known == "text" or known == _type(value)


class Elasticsearch:
    """A context manager. `indices` has the documents by index and id."""

    def __init__(self) -> None:
        self.indices: dict[str, dict[str, dict[str, Any]]] = {}
        self.mappings: dict[str, Mapping] = {}
        self.problems: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Elasticsearch:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bulk(self, body: bytes) -> dict[str, Any]:
        lines = iter(body.split(b"\n"))
        items = [self._item(json.loads(action), lines) for action in lines if action]
        return {"took": 0, "errors": any("error" in item["index"] for item in items), "items": items}

    def _item(self, action: dict[str, Any], lines: Any) -> dict[str, Any]:
        ((operation, where),) = action.items()
        document = json.loads(next(lines))
        documents = self.indices[where["_index"]]
        key = where.get("_id", f"made-{len(documents)}")
        result = {"_index": where["_index"], "_id": key}
        try:
            if operation != "index" or not isinstance(key, str) or not 0 < len(key.encode()) <= LONGEST_ID:
                raise Refused(f"{operation} of {key!r}")
            self.mappings[where["_index"]].add("", document)
        except Refused as reason:
            self.problems.append(str(reason))
            return {"index": {**result, "status": 400, "error": {"type": "document_parsing_exception", "reason": str(reason)}}}
        replaced = key in documents
        documents[key] = document
        return {"index": {**result, "status": 200 if replaced else 201, "result": "updated" if replaced else "created"}}


def _handler(server: Elasticsearch) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._reply(200 if self.path.strip("/") in server.indices else 404)

        def do_GET(self) -> None:
            """The mapping of single fields: `/INDEX/_mapping/field/NAME,NAME`."""
            index, _, names = unquote(self.path).strip("/").partition("/_mapping/field/")
            types = {name: server.mappings[index].types.get(name, "disabled") for name in names.split(",")}
            fields = {name: {"full_name": name, "mapping": {name: {"type": kind}}} for name, kind in types.items() if kind not in ("object", "disabled")}
            self._reply(200, {index: {"mappings": fields}})

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path.startswith("/_bulk"):
                return self._reply(200, server.bulk(body))
            index = self.path.strip("/")
            server.indices[index] = {}
            server.mappings[index] = Mapping(json.loads(body)["mappings"]["properties"])
            self._reply(200, {"acknowledged": True, "shards_acknowledged": True, "index": index})

        do_POST = do_PUT

        def log_message(self, *_: object) -> None:
            pass

        def _reply(self, status: int, value: Any = None) -> None:
            body = b"" if value is None else json.dumps(value).encode()
            self.send_response(status)
            # The client refuses servers that do not send this header.
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.send_header("Content-Type", "application/vnd.elasticsearch+json; compatible-with=8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
