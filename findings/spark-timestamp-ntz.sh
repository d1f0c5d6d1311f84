#!/usr/bin/env bash
# Spark reads date-times with a "Z" as null if the column is TIMESTAMP_NTZ.
#
# Version:  pyspark 4.3.0 on Java 17
# Expected: TIMESTAMP_NTZ is the type for "UTC, without a zone", as other loaders store it; a "Z" is parsed and dropped, as in CAST.
#           A value that does not fit would be an error.
# Found:    `spark.read.json`, `spark.read.csv` and `from_json` return null for every value with a "Z", without error or warning. CAST accepts the
#           same text and returns 10:00; for "10:00+02:00" it returns 10:00 too: the offset is dropped, not applied. With
#           spark.sql.timestampType=TIMESTAMP_NTZ the same happens for a schema with plain `timestamp`.
# Matters:  every date-time of Graph, Singer and Airbyte ends in "Z". `createdDateTime` and `lastModifiedDateTime` are null in every row;
#           `deletedDateTime` is null too, so no message looks deleted.
# Instead:  `timestamp` (with the default spark.sql.timestampType) and the session time zone UTC. Or the option timestampNTZFormat with a literal
#           'Z'. `_corrupt_record` in the schema shows such rows; mode FAILFAST stops at them.
. "$(dirname "$0")/lib.sh"
command -v java > /dev/null || { echo "cannot run: Spark needs Java" >&2; exit 2; }
install pyspark==4.3.0

cat > messages.jsonl <<'JSON'
{"id": "1", "createdDateTime": "2026-11-30T10:00:00.123456Z"}
{"id": "2", "createdDateTime": "2026-11-30T10:00:00.123456"}
JSON
printf '1,2026-11-30T10:00:00.123456Z\n' > messages.csv

PYSPARK_PYTHON=python python - 2> spark.log <<'PY' || { code=$?; tail -n 20 spark.log >&2; exit $code; }
from pyspark.sql import SparkSession
from stated import stated

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
time = "2026-11-30 10:00:00.123456"


def read(type_, **options):
    frame = spark.read.schema(f"id string, createdDateTime {type_}").options(**options).json("messages.jsonl")
    return [row[0] for row in frame.selectExpr("createdDateTime::string").collect()]


def sql(expression):
    return spark.sql(f"SELECT string({expression})").first()[0]


stated("JSON, timestamp_ntz", read("timestamp_ntz"), [None, time])
stated("JSON, timestamp", read("timestamp"), [time, time])
stated("JSON, timestamp_ntz with a format", read("timestamp_ntz", timestampNTZFormat="yyyy-MM-dd'T'HH:mm:ss[.SSSSSS]['Z']"), [time, time])
csv = spark.read.schema("id string, createdDateTime timestamp_ntz").csv("messages.csv")
stated("CSV, timestamp_ntz", csv.selectExpr("createdDateTime::string").first()[0], None)
stated("from_json", sql("""from_json('{"t": "2026-11-30T10:00:00Z"}', 't timestamp_ntz').t"""), None)
stated("CAST of Z", sql("CAST('2026-11-30T10:00:00Z' AS timestamp_ntz)"), "2026-11-30 10:00:00")
stated("CAST of +02:00", sql("CAST('2026-11-30T10:00:00+02:00' AS timestamp_ntz)"), "2026-11-30 10:00:00")
spark.conf.set("spark.sql.timestampType", "TIMESTAMP_NTZ")
stated("JSON, timestamp, where the session says NTZ", read("timestamp"), [None, time])
spark.stop()
PY
