//! Parses the state passed to a sync: the output of a target, possibly edited by users.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::{error::Error, state::StoredStates, streams::Stream};

/// Returns the bookmarks by stream, and warnings.
///
/// Accepts the state itself, a whole STATE message, and Meltano's `{"singer_state": ...}`.
///
/// # Errors
/// If it is not a state.
pub fn read_state(state: &RawValue) -> Result<(StoredStates<'_>, Vec<String>), Error> {
    let not_a_state = || Error::State("it is not the state of a Singer tap, which is an object with `bookmarks`".to_owned());
    let mut state = members(state).ok_or_else(not_a_state)?;
    if !state.contains_key("bookmarks")
        && let Some(wrapped) = ["singer_state", "value"].into_iter().find_map(|key| state.get(key).copied())
    {
        state = members(wrapped).ok_or_else(not_a_state)?;
    }
    let Some(bookmarks) = state.get("bookmarks") else {
        let is_empty = |(key, value): (&String, &&RawValue)| key == "currently_syncing" || value.get() == "null";
        return if state.iter().all(is_empty) { Ok((StoredStates::new(), Vec::new())) } else { Err(not_a_state()) };
    };
    let bookmarks = members(bookmarks).ok_or_else(|| Error::State("`bookmarks` is not an object".to_owned()))?;
    let all_unknown = !bookmarks.is_empty() && bookmarks.keys().all(|name| Stream::by_name(name).is_none());
    let warning = "the state contains only bookmarks of unknown streams; all streams are read from the beginning";
    Ok((bookmarks, all_unknown.then(|| warning.to_owned()).into_iter().collect()))
}

/// Whether it is a Singer state rather than an Airbyte state.
pub fn has_bookmarks(state: &RawValue) -> bool {
    members(state).is_some_and(|members| ["bookmarks", "singer_state", "value"].iter().any(|key| members.contains_key(*key)))
}

/// The members of an object; none for null.
fn members(value: &RawValue) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str::<Option<_>>(value.get()).ok().map(Option::unwrap_or_default)
}
