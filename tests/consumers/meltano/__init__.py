"""Meltano, with the projects in examples/meltano and examples/fleet and their loaders."""

from . import definition, duckdb, fleet, interrupted, jsonl, merged, postgres

CHECKS = {
    "meltano-definition": definition.check,
    "meltano-target-jsonl": jsonl.check,
    "meltano-target-duckdb": duckdb.check,
    "meltano-target-postgres": postgres.check,
    "meltano-interrupted": interrupted.check,
    "meltano-merged": merged.check,
    "meltano-fleet": fleet.check,
}
