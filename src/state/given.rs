//! A value of a state as an earlier run wrote it, with its place: it is read piece by piece, and nothing of it is copied that is not kept.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::Invalid;

/// So much of a key is shown: in a state that is not ours a key may be anything.
const SHOWN: usize = 200;

/// A value, and where it is.
#[derive(Clone, Copy)]
pub(super) struct Given<'t, 'p> {
    text: &'t str,
    path: &'p Path<'p>,
}

/// Where a value is.
pub(super) enum Path<'p> {
    Top,
    Key(&'p Self, &'p str),
    Item(&'p Self, usize),
}

/// The members of an object. Of a key that comes twice the last one counts.
pub(super) struct Members<'t>(pub(super) Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'t, 'p> Given<'t, 'p> {
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

    /// Whether it says nothing: null, or an empty list or object.
    pub(super) fn is_nothing(self) -> bool {
        let inner = |open, close| self.text.strip_prefix(open).and_then(|text: &str| text.strip_suffix(close));
        self.is_null() || inner('[', ']').or_else(|| inner('{', '}')).is_some_and(|inner| inner.trim_ascii().is_empty())
    }

    pub(super) fn members(self) -> Result<Members<'t>, Invalid> {
        self.parse("is not an object")
    }

    /// Looks at each item of a list. It may have millions: none is kept.
    pub(super) fn each(self, look: impl FnMut(usize, &'t RawValue) -> Result<(), Invalid>) -> Result<(), Invalid> {
        let mut refused = None;
        let visitor = Items { look, refused: &mut refused };
        match serde_json::Deserializer::from_str(self.text).deserialize_seq(visitor) {
            Ok(()) => Ok(()),
            Err(_) => Err(refused.unwrap_or_else(|| self.invalid("is not a list"))),
        }
    }

    /// The first items of a list, so many at most.
    pub(super) fn first(self, most: usize) -> Result<Vec<&'t RawValue>, Invalid> {
        let mut items = Vec::new();
        self.each(|at, raw| {
            if at < most {
                items.push(raw);
            }
            Ok(())
        })?;
        Ok(items)
    }

    pub(super) fn text(self) -> Result<Cow<'t, str>, Invalid> {
        let text: Text<'t> = self.parse("is not a string")?;
        Ok(text.0)
    }

    /// A whole number; some tools rewrite numbers as floats.
    pub(super) fn whole(self) -> Option<i64> {
        let number: f64 = serde_json::from_str(self.text).ok()?;
        // Up to 2^53 a float holds each whole number.
        (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
    }

    pub(super) fn invalid(self, reason: &'static str) -> Invalid {
        self.path.invalid(reason)
    }

    fn parse<T: Deserialize<'t>>(self, reason: &'static str) -> Result<T, Invalid> {
        serde_json::from_str(self.text).map_err(|_| self.invalid(reason))
    }
}

impl Path<'_> {
    pub(super) fn invalid(&self, reason: &'static str) -> Invalid {
        Invalid { key: self.to_string(), reason }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Key(of, key) => {
                let parent = of.to_string();
                let key: String = key.chars().map(|char| if char.is_control() { ' ' } else { char }).take(SHOWN).collect();
                write!(formatter, "{parent}{}{key}", if parent.is_empty() { "" } else { "." })
            }
            Self::Item(of, at) => write!(formatter, "{of}[{at}]"),
        }
    }
}

/// Shows the items of a list to whoever looks, until one is refused.
struct Items<'r, F> {
    look: F,
    refused: &'r mut Option<Invalid>,
}

impl<'t, F: FnMut(usize, &'t RawValue) -> Result<(), Invalid>> Visitor<'t> for Items<'_, F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'t>>(mut self, mut list: A) -> Result<(), A::Error> {
        let mut at = 0;
        while let Some(raw) = list.next_element()? {
            if let Err(invalid) = (self.look)(at, raw) {
                *self.refused = Some(invalid);
                return Err(A::Error::custom("refused"));
            }
            at += 1;
        }
        Ok(())
    }
}

/// A text, borrowed where it is written without escapes.
#[derive(Deserialize)]
struct Text<'t>(#[serde(borrow)] Cow<'t, str>);

impl<'t> Deserialize<'t> for Members<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;

        impl<'t> Visitor<'t> for Each {
            type Value = Members<'t>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(key), value)) = map.next_entry::<Text<'t>, &'t RawValue>()? {
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Each)
    }
}

impl<'t> Members<'t> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'t RawValue> {
        self.0.iter().rfind(|(name, _)| name == key).map(|(_, value)| *value)
    }
}
