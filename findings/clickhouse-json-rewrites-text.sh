#!/usr/bin/env bash
# ClickHouse's JSON type rewrites the texts of messages.
#
# Version:  chdb 4.4.0 (ClickHouse 26.9.2.1)
# Expected: a column of type JSON gives back the strings that went in, and the keys that went in. Perhaps it reorders keys.
# Found:    a string that can be read as a date or date-time is stored as one, and comes back in another form. The parser is lenient: days
#           and hours that do not exist are added up, a weekday is dropped, PM and offsets are worked in, and the result depends on the
#           session's time zone. No error, no warning. A key with a dot, such as @odata.type, comes back as an object in an object, and
#           properties that are null are gone. 2026-02-30 became 2026-03-02, "2026-11-30 25:00" became "2026-12-01 01:00:00".
#           Only whole strings are touched ("we meet 2026-11-30" stays). One such message is enough, and LIKE, length() and = on the path fail for
#           the whole table: "Illegal type Date of argument of function like".
# Matters:  a short message is often just a date: the answer to "when?". Such texts are altered for good in `body`, `attachments`,
#           `eventDetail` and `_additional_properties`. `toString(eventDetail)` handed on to another system has no "@odata.type" any more.
# Instead:  type String for nested columns, and JSONExtractString(body, 'content'). Or name the types of paths: JSON(content String).
#           Or both input_format_try_infer_dates=0 and input_format_try_infer_datetimes=0, and json_type_escape_dots_in_keys=1, in every
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
