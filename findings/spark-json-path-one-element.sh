#!/usr/bin/env bash
# Spark's get_json_object with [*] returns no list if the list has one element.
#
# Version:  pyspark 4.3.0 on Java 17
# Expected: '$[*].id' returns a JSON array, for two elements, one, or none.
# Found:    for two it is ["u1","u2"]; for one it is the bare value, "u1" with quotes, which from_json(.., 'array<string>') reads as null.
#           Two mentions of which one has no user count as one. An empty list is null. If the only value is itself a list, the result looks
#           like the expected list but is a different one.
# Matters:  most messages with mentions or reactions have exactly one. A table of mentioned users, by explode(from_json(get_json_object(...))),
#           contains the messages with two or more mentions and drops nearly all others, without an error.
# Instead:  from_json of the whole column with a type, then `transform`: from_json(mentions, 'array<struct<mentioned struct<user struct<
#           id string>>>>').mentioned.user.id. Or VARIANT and variant_explode.
. "$(dirname "$0")/lib.sh"
command -v java > /dev/null || { echo "cannot run: Spark needs Java" >&2; exit 2; }
install pyspark==4.3.0

PYSPARK_PYTHON=python python - 2> spark.log <<'PY' || { code=$?; tail -n 20 spark.log >&2; exit $code; }
import json

from pyspark.sql import SparkSession
from stated import stated

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()


def mentions(*users):
    return json.dumps([{"mentioned": {"user": user and {"id": user}}} for user in users])


path = "$[*].mentioned.user.id"
type_ = "array<struct<mentioned struct<user struct<id string>>>>"
texts = {"two": mentions("u1", "u2"), "one": mentions("u1"), "none": mentions(), "one of two": mentions("u1", None)}
values = ", ".join(f"('{name}', '{text}')" for name, text in texts.items())
spark.sql(f"CREATE TEMPORARY VIEW messages AS SELECT * FROM VALUES {values} AS t(name, mentions)")


def each(expression):
    return {row[0]: row[1] for row in spark.sql(f"SELECT name, {expression} FROM messages").collect()}


stated("get_json_object", each(f"get_json_object(mentions, '{path}')"),
       {"two": '["u1","u2"]', "one": '"u1"', "none": None, "one of two": '"u1"'})
stated("as a list", each(f"from_json(get_json_object(mentions, '{path}'), 'array<string>')"),
       {"two": ["u1", "u2"], "one": None, "none": None, "one of two": None})
stated("messages that mention somebody",
       [row[0] for row in spark.sql(f"""SELECT DISTINCT name FROM messages
           LATERAL VIEW explode(from_json(get_json_object(mentions, '{path}'), 'array<string>')) AS user""").collect()], ["two"])
stated("from_json with a type", each(f"from_json(mentions, '{type_}').mentioned.user.id"),
       {"two": ["u1", "u2"], "one": ["u1"], "none": [], "one of two": ["u1", None]})
spark.stop()
PY
