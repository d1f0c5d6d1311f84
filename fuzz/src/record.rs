//! What holds of every record, whatever Graph sent.

use chrono::{DateTime, Datelike};
use serde_json::Value;
use tap_microsoft_teams::{
    record::{Columns, Derived},
    streams::Stream,
};

use crate::{
    json::{Members, can_be_held, depth, elements},
    place::{CHANNEL, TEAM},
};

/// The column that targets with hard deletes look at; it is in no schema of a stream.
pub(crate) const DELETED_AT: &str = "_sdc_deleted_at";

/// Levels that every parser takes, and those that a value has at most which stands in a record as it is.
const DEEPEST_RECORD: usize = 64;
const DEEPEST: usize = 50;

/// Characters that a number has at most which stands in a record as it is.
const LONGEST: usize = 300;

/// What the tap itself knows of a message.
pub(crate) const DERIVED: [(&str, Derived<'_>); 3] =
    [("team_id", Derived::Text(TEAM)), ("channel_id", Derived::Text(CHANNEL)), ("parent_message_id", Derived::Text("1616963377068"))];

/// One line of JSON with exactly these columns, each of its type, keys never null, nothing in it that a destination cannot hold.
pub(crate) fn assert_is_record<'r>(stream: &Stream, columns: &Columns, record: &'r [u8]) -> Members<'r> {
    let record = str::from_utf8(record).expect("a record is UTF-8");
    assert!(!record.contains(['\n', '\r']), "{record} has more than one line");
    let members = Members::of(record);
    assert!(members.names().eq(columns.names()), "the columns of {record}");
    assert!(can_be_held(record), "{record} cannot be held");
    assert!(depth(record).is_some_and(|depth| depth <= DEEPEST_RECORD), "not every reader can take {record}");
    for (name, value) in &members.0 {
        match stream.schema()["properties"].get(name) {
            Some(schema) => assert!(is_of(schema, value), "`{name}` of {record} is not of its type"),
            None => assert!(name == DELETED_AT && (*value == "null" || is_date_time(value)), "`{name}` of {record}"),
        }
    }
    for key in stream.primary_key {
        assert!(members.value(key).is_some_and(|value| value.starts_with('"') && value != "\"\""), "the key `{key}` of {record}");
    }
    if let Some(additional) = members.value("_additional_properties").filter(|additional| *additional != "null") {
        let additional = Members::of(additional);
        let mut names: Vec<_> = additional.names().collect();
        assert!(!names.is_empty() && !names.iter().any(|name| name.contains("@odata.")), "the annotations in {record}");
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "a name comes twice in {record}");
    }
    members
}

/// All that Graph sent is in the record: in its column, or in `_additional_properties`.
pub(crate) fn assert_nothing_is_lost(columns: &Columns, sent: &[(&str, &str)], members: &Members<'_>) {
    let additional = members.value("_additional_properties").filter(|additional| *additional != "null").map(Members::of);
    for (at, (name, value)) in sent.iter().enumerate() {
        let comes_again = sent[at + 1..].iter().any(|(later, value)| later == name && *value != "null");
        if comes_again || *value == "null" {
            continue;
        }
        let is_ours = name.contains('_') || !columns.names().any(|column| column == *name);
        let in_column = members.value(name).filter(|value| !is_ours && *value != "null");
        let kept = additional.as_ref().and_then(|additional| additional.value(name));
        let is_kept = kept.is_some_and(|kept| kept == *value || is_odd(value) && is_text(kept, value));
        // An empty text is no date-time, and tells nothing.
        let tells_nothing = *value == "\"\"" && name.ends_with("DateTime");
        let comes_last = sent.iter().rfind(|(later, _)| later == name).is_some_and(|(_, last)| last == value);
        assert!(in_column.is_some() || is_kept || tells_nothing || is_ours && !comes_last, "`{name}` of {sent:?} is lost");
    }
}

/// Whether not every reader of JSON can take a value: it travels as a text.
fn is_odd(value: &str) -> bool {
    let mut parts = value.split(|char: char| !"+-.eE0123456789".contains(char));
    depth(value).is_none_or(|depth| depth > DEEPEST) || parts.any(|part| part.len() > LONGEST)
}

/// Whether it is the JSON of that text.
fn is_text(json: &str, text: &str) -> bool {
    serde_json::from_str::<String>(json).is_ok_and(|said| said == text)
}

/// Whether a value is of the type that a schema declares.
fn is_of(schema: &Value, value: &str) -> bool {
    let declares = |kind: &str| match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|known| known == kind),
        known => known == kind,
    };
    match value.as_bytes() {
        [b'n', ..] => declares("null"),
        [b't' | b'f', ..] => declares("boolean"),
        [b'"', ..] => declares("string") && (schema.get("format").is_none() || is_date_time(value)),
        [b'[', ..] => declares("array") && elements(value).iter().all(|element| is_of(&schema["items"], element)),
        [b'{', ..] => {
            let is_declared = |(name, value): &(String, &str)| schema["properties"].get(name).is_none_or(|schema| is_of(schema, value));
            declares("object") && Members::of(value).0.iter().all(is_declared)
        }
        _ => declares("number") || declares("integer"),
    }
}

/// Whether it is a date-time in the form of a column: in UTC, from year 1900 to 9999, with six digits of a second.
fn is_date_time(value: &str) -> bool {
    let text: String = serde_json::from_str(value).expect("a string");
    let has_form = text.len() == "2026-11-20T10:00:00.123456Z".len() && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    has_form && DateTime::parse_from_rfc3339(&text).is_ok_and(|time| time.year() >= 1900)
}
