#!/usr/bin/env bash
# Meltano ignores `selected-by-default: false` in a catalog.
#
# Version:  meltano 4.4.1
# Expected: without `select` rules, a stream whose metadata has `selected-by-default: false` is not read, as the Singer specification defines.
# Found:    a project without rules gets Meltano's rule `*.*`: the catalog selects that stream and its properties.
# Matters:  when a tap gains an opt-in stream, every project without rules starts to read it and needs its permission.
# Instead:  list the streams in the project: select: ['messages.*'].
. "$(dirname "$0")/lib.sh"
install meltano==4.4.1

cat > tap <<'SH'
#!/bin/sh
stream() {
    printf '{"tap_stream_id": "%s", "stream": "%s", "key_properties": ["id"],
    "schema": {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": ["string", "null"]}}},
    "metadata": [{"breadcrumb": [], "metadata": {"inclusion": "available", "selected-by-default": %s}}]}' "$1" "$1" "$2"
}
echo "{\"streams\": [$(stream messages true), $(stream members false)]}"
SH
chmod +x tap
cat > meltano.yml <<'YML'
send_anonymous_usage_stats: false
plugins:
  extractors: [{name: tap-posts, namespace: tap_posts, executable: ./tap, capabilities: [catalog, discover]}]
YML

python - <<'PY'
import json
import subprocess

from stated import stated


def meltano(*arguments):
    return subprocess.run(["meltano", *arguments], check=True, capture_output=True, text=True).stdout


def selected():
    streams = json.loads(meltano("invoke", "--dump=catalog", "tap-posts"))["streams"]
    roots = {s["stream"]: next(m["metadata"] for m in s["metadata"] if not m["breadcrumb"]) for s in streams}
    return [name for name, root in roots.items() if root["selected"]]


stated("no rules", selected(), ["messages", "members"])
meltano("select", "tap-posts", "messages", "*")
stated("with the stream that is wanted", selected(), ["messages"])
PY
