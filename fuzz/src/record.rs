//! Checks that every record must pass, whatever Graph sent.

use chrono::{DateTime, Datelike};
use serde_json::Value;
use tap_microsoft_teams::{
    record::{Added, Columns},
    streams::Stream,
};

use crate::{
    json::{Members, depth, elements, is_storable},
    place::{CHANNEL, TEAM},
};

/// The column for targets with hard deletes. It is not in the schema of any stream.
pub(crate) const DELETED_AT: &str = "_sdc_deleted_at";

/// The maximum depth of a record, and of a value that is copied unchanged.
const MAX_RECORD_DEPTH: usize = 64;
const MAX_DEPTH: usize = 50;

/// The maximum length of a number that is copied unchanged.
const MAX_NUMBER_LENGTH: usize = 300;

/// The derived columns of a message.
pub(crate) const DERIVED: [(&str, Added<'_>); 3] =
    [("team_id", Added::Text(TEAM)), ("channel_id", Added::Text(CHANNEL)), ("parent_message_id", Added::Text("1616963377068"))];

/// Checks that a record is one line of JSON with exactly these columns, each of its type, with keys that are never null, and without characters
/// that destinations cannot store.
pub(crate) fn assert_record<'r>(stream: &Stream, columns: &Columns, record: &'r [u8]) -> Members<'r> {
    let record = str::from_utf8(record).expect("a record is UTF-8");
    assert!(!record.contains(['\n', '\r']), "{record} has more than one line");
    let members = Members::parse(record);
    assert!(members.names().eq(columns.names()), "wrong columns in {record}");
    assert!(is_storable(record), "{record} cannot be stored");
    assert!(depth(record).is_some_and(|depth| depth <= MAX_RECORD_DEPTH), "some parsers reject {record}");
    for (name, value) in &members.0 {
        match stream.schema()["properties"].get(name) {
            Some(schema) => assert!(has_type(schema, value), "`{name}` of {record} has the wrong type"),
            None => assert!(name == DELETED_AT && (*value == "null" || is_date_time(value)), "`{name}` of {record}"),
        }
    }
    for key in stream.primary_key {
        assert!(members.value(key).is_some_and(|value| value.starts_with('"') && value != "\"\""), "invalid key `{key}` in {record}");
    }
    if let Some(additional) = members.value("_additional_properties").filter(|additional| *additional != "null") {
        let additional = Members::parse(additional);
        let mut names: Vec<_> = additional.names().collect();
        assert!(!names.is_empty() && !names.iter().any(|name| name.contains("@odata.")), "annotations in {record}");
        names.sort_unstable();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "a repeated name in {record}");
    }
    members
}

/// Checks that everything that Graph sent is in the record, in its column or in `_additional_properties`.
pub(crate) fn assert_nothing_is_lost(columns: &Columns, sent: &[(&str, &str)], members: &Members<'_>) {
    let additional = members.value("_additional_properties").filter(|additional| *additional != "null").map(Members::parse);
    for (at, (name, value)) in sent.iter().enumerate() {
        let is_repeated = sent[at + 1..].iter().any(|(later, value)| later == name && *value != "null");
        if is_repeated || *value == "null" {
            continue;
        }
        let is_derived = name.contains('_') || !columns.names().any(|column| column == *name);
        let in_column = members.value(name).filter(|value| !is_derived && *value != "null");
        let kept = additional.as_ref().and_then(|additional| additional.value(name));
        let is_kept = kept.is_some_and(|kept| kept == *value || is_rejected_by_some_parsers(value) && is_text(kept, value));
        // An empty date-time becomes null.
        let is_empty = *value == "\"\"" && name.ends_with("DateTime");
        let is_last = sent.iter().rfind(|(later, _)| later == name).is_some_and(|(_, last)| last == value);
        assert!(in_column.is_some() || is_kept || is_empty || is_derived && !is_last, "`{name}` of {sent:?} is lost");
    }
}

/// Whether some parsers reject a value, so that it is written as a string.
fn is_rejected_by_some_parsers(value: &str) -> bool {
    let mut parts = value.split(|char: char| !"+-.eE0123456789".contains(char));
    depth(value).is_none_or(|depth| depth > MAX_DEPTH) || parts.any(|part| part.len() > MAX_NUMBER_LENGTH)
}

/// Whether `json` is the string `text`.
fn is_text(json: &str, text: &str) -> bool {
    serde_json::from_str::<String>(json).is_ok_and(|string| string == text)
}

/// Whether a value has the type of the schema.
fn has_type(schema: &Value, value: &str) -> bool {
    let declares = |kind: &str| match &schema["type"] {
        Value::Array(kinds) => kinds.iter().any(|known| known == kind),
        known => known == kind,
    };
    match value.as_bytes() {
        [b'n', ..] => declares("null"),
        [b't' | b'f', ..] => declares("boolean"),
        [b'"', ..] => declares("string") && (schema.get("format").is_none() || is_date_time(value)),
        [b'[', ..] => declares("array") && elements(value).iter().all(|element| has_type(&schema["items"], element)),
        [b'{', ..] => {
            let is_declared = |(name, value): &(String, &str)| schema["properties"].get(name).is_none_or(|schema| has_type(schema, value));
            declares("object") && Members::parse(value).0.iter().all(is_declared)
        }
        _ => declares("number") || declares("integer"),
    }
}

/// Whether it is a date-time in the form of columns: UTC, years 1900 to 9999, six fraction digits.
fn is_date_time(value: &str) -> bool {
    let text: String = serde_json::from_str(value).expect("a string");
    let has_form = text.len() == "2026-11-20T10:00:00.123456Z".len() && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    has_form && DateTime::parse_from_rfc3339(&text).is_ok_and(|time| time.year() >= 1900)
}
