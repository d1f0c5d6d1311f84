//! The state that a run is given: what a target echoed, or what people made of it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::{error::Error, state::StoredStates, streams::Stream};

/// The bookmarks, one for each stream that has one, and what people should know about them.
///
/// Takes the state itself, a whole STATE message, and Meltano's `{"singer_state": ...}`.
///
/// # Errors
/// If it is no state.
pub fn read_state(written: &RawValue) -> Result<(StoredStates<'_>, Vec<String>), Error> {
    let not_a_state = || Error::State("it is not an object with `bookmarks`: it is not the state of a tap".to_owned());
    let mut state = members(written).ok_or_else(not_a_state)?;
    if !state.contains_key("bookmarks")
        && let Some(wrapped) = ["singer_state", "value"].into_iter().find_map(|key| state.get(key).copied())
    {
        state = members(wrapped).ok_or_else(not_a_state)?;
    }
    let Some(bookmarks) = state.get("bookmarks") else {
        let says_nothing = |(key, value): (&String, &&RawValue)| key == "currently_syncing" || value.get() == "null";
        return if state.iter().all(says_nothing) { Ok((StoredStates::new(), Vec::new())) } else { Err(not_a_state()) };
    };
    let bookmarks = members(bookmarks).ok_or_else(|| Error::State("`bookmarks` is not an object".to_owned()))?;
    let is_of_others = !bookmarks.is_empty() && bookmarks.keys().all(|name| Stream::named(name).is_none());
    let remark = "the state has bookmarks of other streams only: everything is read from its beginning";
    Ok((bookmarks, is_of_others.then(|| remark.to_owned()).into_iter().collect()))
}

/// Whether it has the form of a tap's state, rather than of a source's.
pub fn has_bookmarks(written: &RawValue) -> bool {
    members(written).is_some_and(|members| ["bookmarks", "singer_state", "value"].iter().any(|key| members.contains_key(*key)))
}

/// The members of an object; null has none.
fn members(written: &RawValue) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str::<Option<_>>(written.get()).ok().map(Option::unwrap_or_default)
}
