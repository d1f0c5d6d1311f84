//! The bookmarks in STATE messages: current states of the streams that are read, and unchanged bookmarks of all others.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    state::{StoredStates, StreamState},
    streams::Stream,
};

/// The bookmarks by stream.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Bookmarks(BTreeMap<String, Bookmark>);

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Bookmark {
    /// Not used by this run, and passed through unchanged except for white space.
    Unchanged(Box<RawValue>),
    Current(StreamState),
}

impl Bookmarks {
    /// Combines the bookmarks of the previous run with the states that this run starts with.
    pub fn new<'s>(previous: StoredStates<'_>, states: impl Iterator<Item = &'s (&'static Stream, StreamState)>) -> Self {
        let states: Vec<_> = states.collect();
        let bookmark = |(name, previous): (String, &RawValue)| {
            let bookmark = match states.iter().find(|(stream, _)| stream.name == name) {
                Some((_, state)) => Bookmark::Current(state.clone()),
                None => Bookmark::Unchanged(in_one_line(previous)),
            };
            (name, bookmark)
        };
        Self(previous.into_iter().map(bookmark).collect())
    }

    pub(super) fn set(&mut self, stream: &Stream, state: StreamState) {
        self.0.insert(stream.name.to_owned(), Bookmark::Current(state));
    }
}

/// Removes white space between JSON values: Meltano indents states, but a message is one line.
fn in_one_line(json: &RawValue) -> Box<RawValue> {
    let (mut in_string, mut is_escaped) = (false, false);
    let is_kept = |char: &char| {
        let was_in_string = in_string;
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
        was_in_string || !char.is_ascii_whitespace()
    };
    let line: String = json.get().chars().filter(is_kept).collect();
    RawValue::from_string(line).unwrap_or_else(|_| json.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    proptest! {
        #[test]
        fn white_space_does_not_change_json(text in "[ \\n\\r\\t\"\\\\a-c]{0,12}", number in any::<i64>()) {
            let value = json!({&text: [number, &text, null, {"a": {}}], "b": []});
            let line = in_one_line(&RawValue::from_string(format!("{value:#}").replace('\n', "\r\n\t")).unwrap());
            prop_assert_eq!(line.get(), value.to_string());
            prop_assert_eq!(serde_json::from_str::<Value>(line.get()).unwrap(), value);
        }
    }
}
