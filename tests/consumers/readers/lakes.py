"""Delta and Iceberg tables, loaded with the printed pyarrow program: streams that each run reads in full are overwritten, the others upserted."""

from __future__ import annotations

from ..support.bench import Bench
from ..support.truth import INCREMENTAL, KEYS, STREAMS, Row
from . import programs
from .files import schema, thrice

DELTA = """
from deltalake import DeltaTable, write_deltalake

for name, key in {keys}.items():
    table, folder = globals()[name], "warehouse/" + name
    if name in {incremental} and DeltaTable.is_deltatable(folder):
        same_key = " AND ".join(f"target.{{column}} = source.{{column}}" for column in key)
        merge = DeltaTable(folder).merge(table, same_key, source_alias="source", target_alias="target")
        merge.when_matched_update_all().when_not_matched_insert_all().execute()
    else:
        write_deltalake(folder, table, mode="overwrite")
"""

DELTA_TABLE = "DeltaTable('warehouse/' + name).to_pyarrow_table()"

ICEBERG = """
import os
from pyiceberg.catalog.sql import SqlCatalog

os.makedirs("warehouse", exist_ok=True)
catalog = SqlCatalog("teams", uri="sqlite:///warehouse/catalog.db", warehouse="warehouse")
catalog.create_namespace_if_not_exists("teams")
for name, key in {keys}.items():
    table = globals()[name]
    lake = catalog.create_table_if_not_exists(("teams", name), schema=table.schema)
    if name in {incremental}:
        lake.upsert(table, join_cols=list(key))
    else:
        lake.overwrite(table)
"""

ICEBERG_TABLE = "catalog.load_table(('teams', name)).scan().to_arrow()"

ROWS = """
for name in {streams}:
    with open(name + ".rows", "w", encoding="utf-8") as out:
        for row in {table}.to_pylist():
            out.write(json.dumps(row, default=str) + "\\n")
"""


def delta(bench: Bench) -> str:
    return _check(bench, "deltalake", DELTA, DELTA_TABLE)


def iceberg(bench: Bench) -> str:
    return _check(bench, "pyiceberg", ICEBERG, ICEBERG_TABLE)


def _check(bench: Bench, environment: str, load_tables: str, table: str) -> str:
    said = [bench.environments.version(environment)]
    for nested in ("json", "typed"):
        bench.fresh_folder()
        program = schema(bench, "pyarrow", nested) + load_tables.format(keys=KEYS, incremental=INCREMENTAL) + ROWS.format(streams=STREAMS, table=table)

        def load() -> None:
            programs.run(bench, environment, program)

        def read(stream: str) -> list[Row]:
            rows = programs.rows((bench.folder / f"{stream}.rows").read_text(encoding="utf-8"))
            return [programs.nested_texts(row) for row in rows]

        said.append(f"{nested}: {thrice(bench, load, read, all_runs=False)}")
    return "; ".join(said)
