"""`tests/test_full_refresh.py` of the retired acceptance tests."""

from __future__ import annotations

from typing import Any

from airbyte_protocol.models import AirbyteCatalog, SyncMode

from .connector import Connector, configured, key


class TestFullRefresh:
    def test_sequential_reads(self, connector: Connector, config: dict[str, Any], catalog: AirbyteCatalog) -> None:
        """The second read emits the same records as the first one, later.

        The originals compared keys, or records without `ignored_fields`; this tenant does not change in between.
        """
        everything = configured(catalog.streams, SyncMode.full_refresh)
        first, second = (connector.read(config, everything).records for _ in range(2))
        assert {record.stream for record in first} == {stream.name for stream in catalog.streams}
        assert max(record.emitted_at for record in first) < min(record.emitted_at for record in second)
        again = {(record.stream, key(record)): record.data for record in second}
        for record in first:
            assert again.get((record.stream, key(record))) == record.data, f"{record.stream}: {key(record)}"
