//! Splits JSON lists and objects into their elements without parsing them. The input is valid JSON, because pages are parsed first.

use std::borrow::Cow;

use memchr::memchr2;

/// The elements of a list.
pub(super) fn elements(list: &str) -> impl Iterator<Item = &str> {
    Parts::new(list)
}

/// The names and values of an object's properties.
pub(super) fn properties(object: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    let mut parts = Parts::new(object);
    std::iter::from_fn(move || Some((string(parts.next()?)?, parts.next()?)))
}

/// The value of a JSON string. [`None`] if it is not a string.
pub(super) fn string(json: &str) -> Option<Cow<'_, str>> {
    let content = json.strip_prefix('"')?.strip_suffix('"')?;
    if content.contains('\\') { serde_json::from_str(json).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(content)) }
}

/// Iterates over the values between the brackets. For an object, the names are values too.
struct Parts<'t> {
    rest: &'t str,
}

impl<'t> Parts<'t> {
    fn new(text: &'t str) -> Self {
        Self { rest: text.strip_prefix(['[', '{']).unwrap_or_default() }
    }
}

impl<'t> Iterator for Parts<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let rest = self.rest.trim_start_matches([',', ':', ' ', '\t', '\n', '\r']);
        let (part, rest) = rest.split_at_checked(value_length(rest.as_bytes()))?;
        self.rest = rest;
        (!part.is_empty()).then_some(part)
    }
}

/// The length of the value at the start of the text, or 0 before a closing bracket.
fn value_length(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"') => string_length(text),
        Some(b'{' | b'[') => nested_length(text),
        _ => text.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r')).unwrap_or(text.len()),
    }
}

/// The length of a string, including its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if text[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    text.len()
}

/// The length of a list or an object, including its brackets.
fn nested_length(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'"' => string_length(&text[at..]),
            _ => 1,
        };
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json, value::RawValue};

    use super::*;

    /// Any JSON, with strings that look like JSON syntax.
    fn values() -> impl Strategy<Value = Value> {
        let text = || r#"[a-b\\\[\]{},: "\n\u{e9}]{0,6}"#;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            text().prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((text(), inner), 0..4).prop_map(|properties| Value::Object(properties.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_parts_are_the_same_as_those_of_a_parser(list in prop::collection::vec(values(), 0..4), is_pretty: bool) {
            let write = |value: &Value| if is_pretty { format!("{value:#}") } else { value.to_string() };
            let text = write(&Value::from(list.clone()));
            let parsed: Vec<&RawValue> = serde_json::from_str(&text).unwrap();
            prop_assert!(elements(&text).eq(parsed.into_iter().map(RawValue::get)), "{text}");

            let object: Value = list.into_iter().enumerate().map(|(at, value)| (format!("{at}\"\\,}}"), value)).collect();
            let text = write(&object);
            let found: Value = properties(&text).map(|(name, value)| (name.into_owned(), serde_json::from_str::<Value>(value).unwrap())).collect();
            prop_assert_eq!(found, object, "{}", text);
        }

        #[test]
        fn invalid_json_does_not_panic(text in r#"[\[\]{},:"\\a é]*"#) {
            elements(&text).for_each(drop);
            properties(&text).for_each(drop);
        }
    }

    #[test]
    fn a_name_may_have_escapes() {
        let found: Vec<_> = properties(r#"{"a\u0062" : [ 1 ],"c":"\\"}"#).collect();
        assert_eq!(found, [("ab".into(), "[ 1 ]"), ("c".into(), r#""\\""#)]);
        assert_eq!(json!({"ab": [1], "c": "\\"}), serde_json::from_str::<Value>(r#"{"a\u0062" : [ 1 ],"c":"\\"}"#).unwrap());
    }
}
