#!/usr/bin/env bash
# Meltano: a first `meltano select --exclude` deselects everything.
#
# Version:  meltano 4.4.1
# Expected: a plugin without `select` rules reads everything (as documented), so `meltano select tap --exclude members '*'` reads
#           everything except members.
# Found:    the command writes `select: ['!members.*']`, which replaces the default rule `*.*`: the catalog deselects every stream
#           and every property. `meltano run` silently exits with 0 and reads nothing. With `*.*` as the first rule it works as expected.
# Matters:  a pipeline that worked for weeks reads nothing from the day somebody excludes a stream, and stays green.
# Instead:  add both rules: `meltano select tap '*' '*'`, then the exclusion. In meltano.yml: select: ['*.*', '!members.*'].
. "$(dirname "$0")/lib.sh"
install meltano==4.4.1

cat > tap <<'SH'
#!/bin/sh
stream() {
    printf '{"tap_stream_id": "%s", "stream": "%s", "key_properties": ["id"],
    "schema": {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": ["string", "null"]}}}, "metadata": []}' "$1" "$1"
}
echo "{\"streams\": [$(stream messages), $(stream members)]}"
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
    return [stream["stream"] for stream in streams if stream["selected"]]


stated("no rules", selected(), ["messages", "members"])
meltano("select", "tap-posts", "--exclude", "members", "*")
stated("after one exclusion", selected(), [])
meltano("select", "tap-posts", "*", "*")
stated("with everything selected first", selected(), ["messages"])
PY
