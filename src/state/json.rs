//! A JSON value of a written state, with its path for errors. It is parsed lazily, so that reading a large state copies only what is kept.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::InvalidState;

/// The maximum length of a key in an error. A foreign state can have keys of any length.
const MAX_KEY_CHARS: usize = 200;

/// The text of a JSON value, and its path.
#[derive(Clone, Copy)]
pub(super) struct JsonValue<'t, 'p> {
    text: &'t str,
    path: &'p Path<'p>,
}

/// The path of a value in the state.
pub(super) enum Path<'p> {
    Root,
    Key(&'p Self, &'p str),
    Item(&'p Self, usize),
}

/// The members of an object. If a key is repeated, the last value counts.
pub(super) struct Members<'t>(pub(super) Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'t, 'p> JsonValue<'t, 'p> {
    pub(super) fn new(raw: &'t RawValue, path: &'p Path<'p>) -> Self {
        Self { text: raw.get(), path }
    }

    pub(super) fn path(self) -> &'p Path<'p> {
        self.path
    }

    pub(super) fn is_null(self) -> bool {
        self.text == "null"
    }

    pub(super) fn is(self, json: &str) -> bool {
        self.text == json
    }

    /// Whether it is null, an empty list or an empty object.
    pub(super) fn is_null_or_empty(self) -> bool {
        let inner = |open, close| self.text.strip_prefix(open).and_then(|text: &str| text.strip_suffix(close));
        self.is_null() || inner('[', ']').or_else(|| inner('{', '}')).is_some_and(|inner| inner.trim_ascii().is_empty())
    }

    pub(super) fn members(self) -> Result<Members<'t>, InvalidState> {
        self.parse("is not an object")
    }

    /// Visits each item of a list without collecting them, since a list can have millions.
    pub(super) fn for_each(self, visit: impl FnMut(usize, &'t RawValue) -> Result<(), InvalidState>) -> Result<(), InvalidState> {
        let mut error = None;
        let visitor = ItemVisitor { visit, error: &mut error };
        match serde_json::Deserializer::from_str(self.text).deserialize_seq(visitor) {
            Ok(()) => Ok(()),
            Err(_) => Err(error.unwrap_or_else(|| self.invalid("is not a list"))),
        }
    }

    /// The first items of a list, at most `limit`.
    pub(super) fn first_items(self, limit: usize) -> Result<Vec<&'t RawValue>, InvalidState> {
        let mut items = Vec::new();
        self.for_each(|at, raw| {
            if at < limit {
                items.push(raw);
            }
            Ok(())
        })?;
        Ok(items)
    }

    pub(super) fn string(self) -> Result<Cow<'t, str>, InvalidState> {
        let string: BorrowedStr<'t> = self.parse("is not a string")?;
        Ok(string.0)
    }

    /// An integer. It may be written as a float, because some tools rewrite numbers.
    pub(super) fn integer(self) -> Option<i64> {
        let number: f64 = serde_json::from_str(self.text).ok()?;
        // Up to 2^53, floats represent integers exactly.
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    }

    pub(super) fn invalid(self, reason: &'static str) -> InvalidState {
        self.path.invalid(reason)
    }

    fn parse<T: Deserialize<'t>>(self, reason: &'static str) -> Result<T, InvalidState> {
        serde_json::from_str(self.text).map_err(|_| self.invalid(reason))
    }
}

impl Path<'_> {
    pub(super) fn invalid(&self, reason: &'static str) -> InvalidState {
        InvalidState { key: self.to_string(), reason }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(parent, key) => {
                let parent = parent.to_string();
                let key: String = key.chars().map(|char| if char.is_control() { ' ' } else { char }).take(MAX_KEY_CHARS).collect();
                write!(formatter, "{parent}{}{key}", if parent.is_empty() { "" } else { "." })
            }
            Self::Item(list, at) => write!(formatter, "{list}[{at}]"),
        }
    }
}

/// Visits the items of a list until one is invalid.
struct ItemVisitor<'r, F> {
    visit: F,
    error: &'r mut Option<InvalidState>,
}

impl<'t, F: FnMut(usize, &'t RawValue) -> Result<(), InvalidState>> Visitor<'t> for ItemVisitor<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'t>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(raw) = list.next_element()? {
            if let Err(invalid) = (self.visit)(at, raw) {
                *self.error = Some(invalid);
                return Err(A::Error::custom("invalid"));
            }
            at += 1;
        }
        Ok(())
    }
}

/// A string that is borrowed unless it contains escapes.
#[derive(Deserialize)]
struct BorrowedStr<'t>(#[serde(borrow)] Cow<'t, str>);

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'t> Visitor<'t> for MembersVisitor {
            type Value = Members<'t>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((BorrowedStr(key), value)) = map.next_entry::<BorrowedStr<'t>, &'t RawValue>()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

impl<'t> Members<'t> {
    pub(super) fn get(&self, key: &str) -> Option<&'t RawValue> {
        self.0.iter().rfind(|(name, _)| name == key).map(|(_, value)| *value)
    }
}
