//! The bookmarks that a STATE line has: of the streams that are read where they can go on, of all others what was given.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    state::{StoredStates, StreamState},
    streams::Stream,
};

/// The bookmark of each stream that has one. States share what they have in common with those that the run works with.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Bookmarks(BTreeMap<String, Bookmark>);

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Bookmark {
    /// As it was given, but in one line: nothing of it was taken up.
    Given(Box<RawValue>),
    Own(StreamState),
}

impl Bookmarks {
    /// Those that were given, of which these states are known.
    pub fn new<'s>(given: StoredStates<'_>, known: impl Iterator<Item = &'s (&'static Stream, StreamState)>) -> Self {
        let known: Vec<_> = known.collect();
        let taken_up = |name: &str| known.iter().find(|(stream, _)| stream.name == name);
        let bookmark = |(name, given): (String, &RawValue)| {
            let bookmark = match taken_up(&name) {
                Some((_, state)) => Bookmark::Own(state.clone()),
                None => Bookmark::Given(in_one_line(given)),
            };
            (name, bookmark)
        };
        Self(given.into_iter().map(bookmark).collect())
    }

    /// Takes note of where a stream can go on.
    pub(super) fn set(&mut self, stream: &Stream, state: StreamState) {
        self.0.insert(stream.name.to_owned(), Bookmark::Own(state));
    }
}

/// The same JSON without the white space between its values: Meltano indents what it hands over, and a message is one line.
fn in_one_line(json: &RawValue) -> Box<RawValue> {
    let (mut within_text, mut is_escaped) = (false, false);
    let is_kept = |char: &char| {
        let is_text = within_text;
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = within_text,
            '"' => within_text = !within_text,
            _ => {}
        }
        is_text || !char.is_ascii_whitespace()
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
        fn json_is_the_same_in_one_line(text in "[ \\n\\r\\t\"\\\\a-c]{0,12}", number in any::<i64>()) {
            let value = json!({&text: [number, &text, null, {"a": {}}], "b": []});
            let line = in_one_line(&RawValue::from_string(format!("{value:#}").replace('\n', "\r\n\t")).unwrap());
            prop_assert_eq!(line.get(), value.to_string());
            prop_assert_eq!(serde_json::from_str::<Value>(line.get()).unwrap(), value);
        }
    }
}
