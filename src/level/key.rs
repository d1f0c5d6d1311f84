//! The key of a partition: its ids in one text, each encoded, so that a key has one meaning.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What must be encoded in an id.
const ENCODED: &AsciiSet = &CONTROLS.add(b'/').add(b'%');

/// The key of a partition, such as a channel or a thread: its ids, from the team's down.
pub fn key<I: AsRef<str>>(ids: &[I]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| utf8_percent_encode(id.as_ref(), ENCODED).to_string()).collect();
    ids.join("/")
}

/// The ids that make a key.
pub fn ids(key: &str) -> impl Iterator<Item = String> {
    key.split('/').filter(|id| !id.is_empty()).map(decoded)
}

/// The key of the parents, and the partition's own id.
pub fn split(key: &str) -> (&str, String) {
    let (parents, id) = key.rsplit_once('/').unwrap_or(("", key));
    (parents, decoded(id))
}

/// The key of a partition of these parents.
pub fn join(parents: &str, id: &str) -> String {
    let id = key(&[id]);
    if parents.is_empty() { id } else { format!("{parents}/{id}") }
}

fn decoded(id: &str) -> String {
    percent_decode_str(id).decode_utf8_lossy().into_owned()
}
