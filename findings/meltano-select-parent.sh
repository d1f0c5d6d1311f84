#!/usr/bin/env bash
# Meltano: selecting an object selects none of its properties, so the object is empty.
#
# Version:  meltano 4.4.1, with a tap on singer-sdk 0.54.9
# Expected: `meltano select tap messages body` selects the column with its contents, as copying a folder copies its files.
# Found:    the catalog has "selected": true for `body`, and explicitly "selected": false for `body.contentType` and `body.content`.
#           A tap that follows it writes {"id": "1", "body": {}}. Exit 0, no warning. Exclusion works as expected: `!messages.body`
#           removes the whole object, although the catalog still has "selected": true for its properties.
# Matters:  selecting columns (messages.id, messages.createdDateTime, messages.body) loads every message without its text, and the state
#           advances: only a full refresh, not an incremental run, adds the texts later.
# Instead:  select `messages.body.*`, or `messages.body.content`. Objects whose properties the catalog does not list (`from`, `eventDetail`)
#           are selected as a whole.
. "$(dirname "$0")/lib.sh"
install meltano==4.4.1 singer-sdk==0.54.9

cat > tap.py <<'PY'
from singer_sdk import Stream, Tap
from singer_sdk.typing import ObjectType, PropertiesList, Property, StringType


class Messages(Stream):
    name = "messages"
    primary_keys = ("id",)
    schema = PropertiesList(
        Property("id", StringType),
        Property("subject", StringType),
        Property("body", ObjectType(Property("contentType", StringType), Property("content", StringType))),
    ).to_dict()

    def get_records(self, context):
        yield {"id": "1", "subject": "Plan", "body": {"contentType": "text", "content": "hello"}}


class TapPosts(Tap):
    name = "tap-posts"
    config_jsonschema = PropertiesList().to_dict()

    def discover_streams(self):
        return [Messages(self)]


TapPosts.cli()
PY
printf '#!/bin/sh\nexec python %s/tap.py "$@"\n' "$work" > tap
printf '#!/bin/sh\ncat > %s/written.jsonl\n' "$work" > target
chmod +x tap target
cat > meltano.yml <<'YML'
send_anonymous_usage_stats: false
default_environment: dev
environments: [{name: dev}]
plugins:
  extractors: [{name: tap-posts, namespace: tap_posts, executable: ./tap, capabilities: [catalog, discover]}]
  loaders: [{name: target-file, namespace: target_file, executable: ./target}]
YML

python - <<'PY'
import json
import os
import subprocess

from stated import stated


def records(*rules):
    environment = {**os.environ, "TAP_POSTS__SELECT": json.dumps(rules)}
    run = subprocess.run(["meltano", "run", "tap-posts", "target-file"], env=environment, capture_output=True, text=True)
    written = [json.loads(line) for line in open("written.jsonl")]
    return run.returncode, [line["record"] for line in written if line["type"] == "RECORD"]


whole = {"contentType": "text", "content": "hello"}
stated("messages.body", records("messages.body"), (0, [{"id": "1", "body": {}}]))
stated("messages.body.*", records("messages.body.*"), (0, [{"id": "1", "body": whole}]))
stated("*.* and !messages.body", records("*.*", "!messages.body"), (0, [{"id": "1", "subject": "Plan"}]))
PY
