#!/usr/bin/env bash
# With flattening, target-csv stops at the first record whose object is null: the header has the object's fields, the record the object itself.
#
# Version:  meltanolabs-target-csv 0.5.0, singer-sdk 0.54.9
# Expected: with `flattening_enabled`, an object that is null (its type is ["object", "null"]) fills its columns with empty values.
# Found:    the SDK flattens the schema into `body__contentType` and `body__content`, but a record only where its value is an object: a null
#           stays under `body`, which is not in the header: "ValueError: dict contains fields not in fieldnames: 'body'", exit 1.
# Matters:  deleted messages and system events in Teams have no body, so the first of them stops the pipeline.
# Instead:  a stream map that replaces null: {"messages": {"body": "body or {}"}}. Null and empty texts are then the same.
. "$(dirname "$0")/lib.sh"
install meltanolabs-target-csv==0.5.0 singer-sdk==0.54.9

python - <<'PY'
import json
import subprocess

from stated import stated

text = {"type": ["string", "null"]}
body = {"type": ["object", "null"], "properties": {"contentType": text, "content": text}}
schema = {"type": "object", "properties": {"id": {"type": "string"}, "body": body}}
messages = [{"type": "SCHEMA", "stream": "messages", "schema": schema, "key_properties": ["id"]}]
for id, value in (("1", {"contentType": "text", "content": "Hi"}), ("2", None)):
    messages.append({"type": "RECORD", "stream": "messages", "record": {"id": id, "body": value}})


def load(**settings):
    config = {"output_path": ".", "file_naming_scheme": "{stream_name}.csv", "flattening_enabled": True, "flattening_max_depth": 1}
    with open("config.json", "w") as file:
        json.dump(config | settings, file)
    lines = "".join(json.dumps(message) + "\n" for message in messages)
    run = subprocess.run(["target-csv", "--config", "config.json"], input=lines, capture_output=True, text=True)
    return run.returncode, "fields not in fieldnames: 'body'" in run.stderr


stated("exit code, and whether the null object is the reason", load(), (1, True))
stated("with a stream map", load(stream_maps={"messages": {"body": "body or {}"}}), (0, False))
stated("rows", open("messages.csv").read().split("\n")[:3], ["id,body__contentType,body__content", "1,text,Hi", "2,,"])
PY
