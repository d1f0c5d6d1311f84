"""Readers of files of JSON lines, with what `tap-microsoft-teams schema` prints for them: databases, data frames, tables in files, loaders."""

from __future__ import annotations

from . import databases, frames, lakes, loaders, spark

CHECKS = {
    "reader-duckdb": databases.duckdb,
    "reader-clickhouse": databases.clickhouse,
    "reader-postgres": databases.postgres,
    "reader-polars": frames.polars,
    "reader-pyarrow": frames.pyarrow,
    "reader-pandas": frames.pandas,
    "reader-deltalake": lakes.delta,
    "reader-pyiceberg": lakes.iceberg,
    "reader-dlt": loaders.dlt,
    "reader-sling": loaders.sling,
    "reader-sql-dialects": databases.dialects,
}

# Slow checks that rarely fail.
WEEKLY = {"reader-spark": spark.check}
