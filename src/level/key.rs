//! The key of a partition in states: its ids, percent-encoded and joined by slashes.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// The characters that are encoded, so that a key is unambiguous.
const ENCODED: &AsciiSet = &CONTROLS.add(b'/').add(b'%');

/// Joins the ids of a partition, from the top level down.
pub fn key<I: AsRef<str>>(ids: &[I]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| utf8_percent_encode(id.as_ref(), ENCODED).to_string()).collect();
    ids.join("/")
}

/// The ids in a key.
pub fn ids(key: &str) -> impl Iterator<Item = String> {
    key.split('/').filter(|id| !id.is_empty()).map(decoded)
}

/// Splits a key into the key of the parent and the partition's own id.
pub fn split(key: &str) -> (&str, String) {
    let (parent, id) = key.rsplit_once('/').unwrap_or(("", key));
    (parent, decoded(id))
}

/// Appends an id to the key of its parent.
pub fn join(parent: &str, id: &str) -> String {
    let id = key(&[id]);
    if parent.is_empty() { id } else { format!("{parent}/{id}") }
}

fn decoded(id: &str) -> String {
    percent_decode_str(id).decode_utf8_lossy().into_owned()
}
