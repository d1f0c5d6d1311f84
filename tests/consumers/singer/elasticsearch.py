"""target-elasticsearch: one document per key. A stream map builds the document's id from both parts of the key."""

from __future__ import annotations

from typing import Any

from ..support.bench import Bench
from ..support.elasticsearch import Elasticsearch
from ..support.errors import Difference
from ..support.truth import INCREMENTAL, KEYS, STREAMS, Row
from .twice import twice


def check(bench: Bench) -> str:
    with Elasticsearch() as server:
        config = bench.write("target.json", _config(server.port))
        target = [bench.environments.bin("target-elasticsearch") / "target-elasticsearch", "--config", config]

        def read(stream: str) -> list[Row]:
            documents = server.indices[f"teams-{stream.replace('_', '-')}"]
            for key, document in documents.items():
                if key != "/".join(document[part] for part in KEYS[stream]) or "_sdc_deleted_at" in document:
                    raise Difference(f"{stream}: the document {key} is {document}")
            return list(documents.values())

        said = twice(bench, target, read)
        expected = {f"teams-{stream.replace('_', '-')}" for stream in STREAMS}
        if server.problems or server.indices.keys() != expected:
            raise Difference(f"indices: {sorted(server.indices)}; refused: {server.problems[:3]}")
    return f"{bench.environments.version('target-elasticsearch')}: {said}"


# Without a mapping, the first value of a field sets its type. Documents with another type are refused, and the target stops.
MAPPINGS = {"eventDetail": {"type": "flattened"}, "_additional_properties": {"type": "object", "enabled": False}, "subject": {"type": "text"}}


def _config(port: int) -> dict[str, Any]:
    pairs = {stream: " + '/' + ".join(key) for stream, key in KEYS.items() if len(key) > 1}
    return {
        "scheme": "http",
        "host": "127.0.0.1",
        "port": port,
        "index_format": "teams-{{ stream_name }}",
        "index_mappings": {stream: MAPPINGS for stream in INCREMENTAL},
        "stream_maps": {stream: {"doc_id": pair} for stream, pair in pairs.items()},
        "metadata_fields": {stream: {"_id": "doc_id" if stream in pairs else "id"} for stream in KEYS},
    }
