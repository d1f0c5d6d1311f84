//! The catalog of a run in both protocols.

use serde_json::Value;
use tap_microsoft_teams::{
    protocol::{airbyte, singer},
    streams::{Selected, Stream},
};

use crate::record::{DERIVED, assert_record};

/// A message with values of all types.
const SENT: [(&str, &str); 6] = [
    ("id", r#""1616963377068""#),
    ("subject", r#""Hello""#),
    ("body", r#"{"contentType":"html","content":"<p>Hello</p>","more":1}"#),
    ("deletedDateTime", r#""2026-11-20T10:00:00.1234567Z""#),
    ("reactions", "[]"),
    ("unknown", "1"),
];

pub(crate) fn catalog(file: &[u8]) {
    let Ok(written) = serde_json::from_slice::<Value>(file) else { return };
    if let Ok((selected, unknown)) = airbyte::read_catalog(&written) {
        selected.iter().for_each(|selected| assert!(selected.columns.names().eq(selected.stream.columns().names())));
        assert_selection(&selected);
        assert!(unknown.iter().all(|name| Stream::by_name(name).is_none()));
    }
    if let Ok((selected, remarks)) = singer::read_catalog(&written) {
        assert_selection(&selected);
        assert!(selected.is_sorted_by_key(|selected| selected.stream.position()));
        assert!(!selected.is_empty() || !remarks.is_empty(), "nothing is read, without a warning");
    }
}

/// Checks that each stream is selected once, with its keys and cursor, and that its records have the selected columns.
fn assert_selection(selected: &[Selected]) {
    for Selected { stream, columns, .. } in selected {
        assert_eq!(selected.iter().filter(|other| other.stream.name == stream.name).count(), 1);
        assert!(Stream::all().any(|known| known.name == stream.name));
        for needed in stream.primary_key.iter().chain(&stream.cursor) {
            assert!(columns.names().any(|name| name == *needed), "{} without {needed}", stream.name);
        }
        let mut record = Vec::new();
        columns.write(SENT.into_iter(), &DERIVED, &mut record);
        assert_record(stream, columns, &record);
    }
}
