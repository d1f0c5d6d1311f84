//! Reads JSON independently of the tap, without a depth limit.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

/// The members of an object in their order, including repeated ones.
#[derive(Debug)]
pub(crate) struct Members<'a>(pub(crate) Vec<(String, &'a str)>);

impl<'a> Members<'a> {
    pub(crate) fn parse(json: &'a str) -> Self {
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Members)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(String, &'de str)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            members.push((name, value.get()));
        }
        Ok(members)
    }
}

pub(crate) fn elements(json: &str) -> Vec<&str> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"));
    elements.into_iter().map(RawValue::get).collect()
}

/// The nesting depth of JSON. [`None`] if some parsers reject it: it is too deep, or contains a number that does not fit into 64 bits.
pub(crate) fn depth(json: &str) -> Option<usize> {
    fn depth_of(value: &Value) -> usize {
        match value {
            Value::Array(elements) => 1 + elements.iter().map(depth_of).max().unwrap_or_default(),
            Value::Object(members) => 1 + members.values().map(depth_of).max().unwrap_or_default(),
            _ => 0,
        }
    }
    serde_json::from_str(json).ok().as_ref().filter(|_| !has_long_integer(json)).map(depth_of)
}

/// Whether valid JSON contains an integer that does not fit into a signed 64-bit integer.
fn has_long_integer(json: &str) -> bool {
    if let Ok(members) = serde_json::from_str::<Members<'_>>(json) {
        return members.0.iter().any(|(_, value)| has_long_integer(value));
    }
    if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) {
        return elements.iter().any(|element| has_long_integer(element.get()));
    }
    json.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && json.parse::<i64>().is_err()
}

/// Whether a text is JSON. Strings may contain any escapes.
pub(crate) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Whether every destination can store the strings in this JSON: no U+0000, and no lone surrogates.
pub(crate) fn is_storable(json: &str) -> bool {
    let (bytes, mut at, mut is_high) = (json.as_bytes(), 0, false);
    while at < bytes.len() {
        let (length, unit) = match &bytes[at..] {
            [b'\\', b'u', ..] => (6, u16::from_str_radix(&json[at + 2..at + 6], 16).expect("four digits")),
            [b'\\', ..] => (2, 1),
            _ => (1, u16::from(bytes[at])),
        };
        let is_low = (0xdc00..0xe000).contains(&unit);
        if unit == 0 || is_high != is_low {
            return false;
        }
        is_high = (0xd800..0xdc00).contains(&unit);
        at += length;
    }
    !is_high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_that_cannot_be_stored_are_detected() {
        for good in [r#""""#, r#""é \u00e9 \\u0000 \\ud800 \ud83d\ude00 \n""#] {
            assert!(is_storable(good), "{good}");
        }
        for bad in [
            r#""\u0000""#,
            r#""\ud83d""#,
            r#""\ud83dx\ude00""#,
            r#""\ude00""#,
            r#""\ud83d\n\ude00""#,
            r#""\\\u0000""#,
            r#""\ud83d\ud83d\ude00""#,
        ] {
            assert!(!is_storable(bad), "{bad}");
        }
    }

    #[test]
    fn json_that_some_parsers_reject_has_no_depth() {
        for (json, expected) in [("1", Some(0)), ("[[],{\"a\":[1e308]}]", Some(3)), ("1e309", None)] {
            assert_eq!(depth(json), expected, "{json}");
        }
        assert_eq!(depth(&format!("{}{}", "[".repeat(200), "]".repeat(200))), None);
    }

    #[test]
    fn members_keep_their_order_and_repetitions() {
        let members = Members::parse(r#"{"b":1,"a":[ 2 ],"b":null}"#);
        assert_eq!(members.0, [("b".to_owned(), "1"), ("a".to_owned(), "[ 2 ]"), ("b".to_owned(), "null")]);
    }
}
