"""Spark: files are read with the printed schemas and queries, then as VARIANT.

The tables are Delta's, whose jar no Python package brings: `CREATE TABLE`, `INSERT OVERWRITE` and `MERGE` are parsed only.
"""

from __future__ import annotations

from ..support.bench import Bench
from ..support.errors import Difference
from ..support.truth import Key, Row
from . import programs
from .files import Files, schema, thrice

# Runs `program.py` in each folder that it reads from stdin. Paths are made absolute, because Spark resolves them against its first folder.
SESSION = """
import json, os, sys
from pyspark.sql import SparkSession

session = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", "1")
    # In a short run the optimizing compiler costs more than it saves.
    .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    .getOrCreate()
)
frames = {}


class Reader:
    def __init__(self, reader):
        self.reader = reader

    def schema(self, schema):
        return Reader(self.reader.schema(schema))

    def json(self, pattern):
        return self.reader.json(os.path.join(os.getcwd(), pattern))


class Spark:
    @property
    def read(self):
        return Reader(session.read)

    def sql(self, text):
        plan = session._jsparkSession.sessionState().sqlParser().parsePlan(text)
        assert plan is not None
        if "WHERE version = 1" in text:
            query = "SELECT" + text.split("SELECT", 1)[1].split("WHERE version = 1")[0] + "WHERE version = 1"
            frames[text.split("INTO " if "MERGE" in text else "OVERWRITE ", 1)[1].split()[0]] = session.sql(query)


spark = Spark()
for line in sys.stdin:
    os.chdir(line.rstrip())
    frames.clear()
    with open("program.py", encoding="utf-8") as program:
        exec(program.read(), globals())
    for name, frame in frames.items():
        with open(name + ".rows", "w", encoding="utf-8") as out:
            for row in frame.collect():
                out.write(json.dumps(row.asDict(recursive=True), default=str) + "\\n")
    print("done", flush=True)
"""

# Paths into a VARIANT. Backticks after a colon do not work: the name is split at its dot.
VARIANT = """
variants = session.read.option("singleVariantColumn", "v").json(os.path.join(os.getcwd(), "messages.jsonl"))
frames["variants"] = variants.selectExpr(
    "v:channel_id::string AS channel_id",
    "v:id::string AS id",
    "v:from.user.displayName::string AS display_name",
    "v:eventDetail['@odata.type']::string AS event",
    "variant_get(v, '$.eventDetail[\\"@odata.type\\"]', 'string') AS event_by_function",
    "v:eventDetail.`@odata.type`::string AS event_by_backticks",
    "v:eventDetail IS NULL AS is_null",
    "is_variant_null(v:eventDetail) AS is_json_null",
)
"""


def check(bench: Bench) -> str:
    said = [bench.environments.version("spark")]
    with programs.Program(bench, "spark", SESSION) as spark:

        def load() -> None:
            spark.do(str(bench.folder))

        for nested in ("json", "typed"):
            bench.fresh_folder()
            (bench.folder / "program.py").write_text(schema(bench, "spark", nested), encoding="utf-8")

            def read(stream: str) -> list[Row]:
                return [programs.nested_texts(row) for row in _rows(bench, stream)]

            said.append(f"{nested}: {thrice(bench, load, read, all_runs=True)}")
        bench.fresh_folder()
        (bench.folder / "program.py").write_text(VARIANT, encoding="utf-8")
        with bench.simulator() as sim:
            sim.change_everything()
            Files(bench, sim, all_runs=False).next()
            load()
            said.append(f"VARIANT: {_compare_variants(sim.truth().rows('messages'), _rows(bench, 'variants'))}")
    return "; ".join(said)


def _rows(bench: Bench, name: str) -> list[Row]:
    return programs.rows((bench.folder / f"{name}.rows").read_text(encoding="utf-8"))


def _compare_variants(truth: dict[Key, Row], rows: list[Row]) -> str:
    if truth.keys() != {(row["channel_id"], row["id"]) for row in rows}:
        raise Difference("messages as VARIANT: the keys are not those in Graph")
    for row in rows:
        true = truth[row["channel_id"], row["id"]]
        event = (true["eventDetail"] or {}).get("@odata.type")
        name = ((true["from"] or {}).get("user") or {}).get("displayName")
        expected = {
            "display_name": name,
            "event": event,
            "event_by_function": event,
            "event_by_backticks": None,
            "is_null": False,
            "is_json_null": true["eventDetail"] is None,
        }
        if found := {column: row[column] for column, value in expected.items() if row[column] != value}:
            raise Difference(f"messages as VARIANT, {row['id']}: found {found}, expected {expected}")
    events = sum(row["event"] is not None for row in rows)
    return f"{len(rows)} rows, {events} events by their type; known: no type with backticks, and IS NULL is never true"
