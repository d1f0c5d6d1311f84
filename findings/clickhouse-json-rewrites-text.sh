#!/usr/bin/env bash
# ClickHouse's JSON type rewrites message texts that look like dates.
#
# Version:  chdb 4.4.0 (ClickHouse 26.9.2.1)
# Expected: a column of type JSON returns the strings and keys that were inserted, perhaps with the keys in another order.
# Found:    a string that can be parsed as a date or date-time is stored as one and returned in another form. The parser is lenient: it
#           rolls over days and hours that do not exist, drops weekdays, applies PM and offsets, and the result depends on the time zone of
#           the session. No error, no warning. A key with a dot, such as @odata.type, becomes a nested object, and null properties
#           disappear. 2026-02-30 became 2026-03-02, "2026-11-30 25:00" became "2026-12-01 01:00:00".
#           Only whole strings are affected ("we meet 2026-11-30" is kept). One such message makes LIKE, length() and = on the path fail for
#           the whole table: "Illegal type Date of argument of function like".
# Matters:  a short message is often just a date, the answer to "when?". Such texts are permanently changed in `body`, `attachments`,
#           `eventDetail` and `_additional_properties`. `toString(eventDetail)` no longer has "@odata.type".
# Instead:  use type String for nested columns, and JSONExtractString(body, 'content'); or declare the types of paths: JSON(content String);
#           or set input_format_try_infer_dates=0, input_format_try_infer_datetimes=0 and json_type_escape_dots_in_keys=1 in every
#           session that inserts.
. "$(dirname "$0")/lib.sh"
install chdb==4.4.0

python - <<'PY'
import json

import chdb
from stated import stated


def sql(query):
    return chdb.query(query, "TSVRaw").data().strip()


def stored(text, settings="session_timezone = 'UTC'", type_="JSON"):
    written = json.dumps({"content": text})
    return json.loads(sql(f"SELECT '{written}'::{type_} SETTINGS {settings}"))["content"]


for text, becomes in {
    "2026-02-30": "2026-03-02",
    "2026-11-30 25:00": "2026-12-01 01:00:00",
    "2026/11/30": "2026-11-30",
    "Friday 2026-11-27 10:00": "2026-11-27 10:00:00",
    "1-2-2026 10:00": "2026-02-01 10:00:00",
    "30 Nov 2026 5:00 PM": "2026-11-30 17:00:00",
    "2026-11-30T10:00:00+02:00": "2026-11-30 08:00:00",
    "we meet 2026-11-30": "we meet 2026-11-30",
}.items():
    stated(f"text {text!r}", stored(text), becomes)

stated("in New York", stored("2026-11-30T10:00:00Z", "session_timezone = 'America/New_York'"), "2026-11-30 05:00:00")

event = '{"@odata.type":"#microsoft.graph.channelAddedEventMessageDetail","channelId":null}'
stated("event", sql(f"SELECT '{event}'::JSON"), '{"@odata":{"type":"#microsoft.graph.channelAddedEventMessageDetail"}}')
stated("its type, from text", sql(f"SELECT JSONExtractString(toString('{event}'::JSON), '@odata.type')"), "")

bodies = """(SELECT arrayJoin(['{"content":"2026-11-30"}', '{"content":"hello"}'])::JSON AS body)"""
for condition in ("body.content LIKE '%hello%'", "body.content = 'hello'"):
    try:
        answer = sql(f"SELECT count() FROM {bodies} WHERE {condition}")
    except RuntimeError:
        answer = "error"
    stated(condition, answer, "error")

off = "input_format_try_infer_dates = 0, input_format_try_infer_datetimes = 0"
stated("without guessing", stored("2026-02-30", off), "2026-02-30")
stated("with a type for the path", stored("2026-02-30", type_="JSON(content String)"), "2026-02-30")
stated("with escaped dots", sql(f"SELECT '{event}'::JSON SETTINGS json_type_escape_dots_in_keys = 1"),
       '{"@odata.type":"#microsoft.graph.channelAddedEventMessageDetail"}')
PY
