"""Meltano, with the project of examples/meltano and its loaders."""

from . import definition, duckdb, interrupted, jsonl, postgres

CHECKS = {
    "meltano-definition": definition.check,
    "meltano-target-jsonl": jsonl.check,
    "meltano-target-duckdb": duckdb.check,
    "meltano-target-postgres": postgres.check,
    "meltano-interrupted": interrupted.check,
}
