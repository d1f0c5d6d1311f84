//! The text of a body: what no destination can hold is taken out before it is parsed.

use memchr::{memchr, memchr2};
use serde::de::IgnoredAny;

/// What was changed in the texts of a body.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cleaned {
    /// U+0000 that were removed: PostgreSQL cannot hold them.
    pub nul: u64,
    /// Lone surrogates and invalid UTF-8 that became U+FFFD: no UTF-8 text can hold them.
    pub replaced: u64,
}

/// A body without a byte order mark at its beginning: JSON has none, but parsers may ignore it (RFC 8259, 8.1).
pub(super) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Decodes a body of JSON. Escapes of U+0000 are removed, lone surrogates and bytes that are no UTF-8 become U+FFFD. There are no line breaks
/// in what is JSON: a record is one line.
pub(super) fn decode(mut body: Vec<u8>) -> (String, Cleaned) {
    body.drain(..body.len() - without_mark(&body).len());
    let mut cleaned = Cleaned::default();
    let text = String::from_utf8(body).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        cleaned.replaced = text.chars().filter(|&char| char == char::REPLACEMENT_CHARACTER).count() as u64;
        text
    });
    let mut escapes = cleaned;
    // What is no JSON stays as it is: without its white space, or without an escape, it might become JSON.
    let text = match clean_escapes(&text, &mut escapes).filter(|_| is_json(&text)) {
        Some(clean) => {
            cleaned = escapes;
            clean
        }
        None => text,
    };
    match memchr2(b'\n', b'\r', text.as_bytes()) {
        Some(_) if is_json(&text) => (compact(&text), cleaned),
        _ => (text, cleaned),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// A JSON text without the white space between its tokens.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let is_kept = |char: &char| {
        if in_string {
            in_string = escaped || *char != '"';
            escaped = !escaped && *char == '\\';
            return true;
        }
        in_string = *char == '"';
        !char.is_ascii_whitespace()
    };
    json.chars().filter(is_kept).collect()
}

/// The text with its escapes cleaned; [`None`] if there is nothing to clean.
fn clean_escapes(text: &str, cleaned: &mut Cleaned) -> Option<String> {
    let mut clean: Option<String> = None;
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = memchr(b'\\', &text.as_bytes()[at..]) {
        at += found;
        let Some(unit) = unicode_escape(&text[at..]) else {
            // Not a \u escape: the backslash and the ASCII character behind it.
            at = (at + 2).min(text.len());
            while !text.is_char_boundary(at) {
                at += 1;
            }
            continue;
        };
        let is_pair = is_high(unit) && unicode_escape(&text[at + 6..]).is_some_and(is_low);
        if is_pair {
            at += 12;
            continue;
        }
        let replacement = match unit {
            0 => {
                cleaned.nul += 1;
                Some("")
            }
            _ if is_high(unit) || is_low(unit) => {
                cleaned.replaced += 1;
                Some("\u{fffd}")
            }
            _ => None,
        };
        if let Some(replacement) = replacement {
            let clean = clean.get_or_insert_with(|| String::with_capacity(text.len()));
            clean.push_str(&text[kept..at]);
            clean.push_str(replacement);
            kept = at + 6;
        }
        at += 6;
    }
    if let Some(clean) = &mut clean {
        clean.push_str(&text[kept..]);
    }
    clean
}

/// The code unit of a `\uXXXX` at the start of the text.
fn unicode_escape(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(text: &str) -> (String, u64, u64) {
        let (text, cleaned) = decode(text.as_bytes().to_vec());
        (text, cleaned.nul, cleaned.replaced)
    }

    #[test]
    fn only_what_cannot_be_held_is_changed() {
        let same = |text: &str| assert_eq!(decoded(text), (text.to_owned(), 0, 0));
        same(r#""plain é \n \" \\ \u00e9 \ud83d\ude00 \\u0000 \\ud800""#);
        assert_eq!(decoded(r#""a\u0000b\\\u0000""#), (r#""ab\\""#.to_owned(), 2, 0));
        assert_eq!(decoded(r#""\ud83d x \ude00 \uD83D\ud83d\ude00""#), ("\"\u{fffd} x \u{fffd} \u{fffd}\\ud83d\\ude00\"".to_owned(), 0, 3));
        assert_eq!(decode(b"\"\xff\"".to_vec()), ("\"\u{fffd}\"".to_owned(), Cleaned { nul: 0, replaced: 1 }));
    }

    #[test]
    fn json_loses_its_line_breaks_and_its_texts_keep_their_spaces() {
        assert_eq!(decoded("{\n  \"a b\": [1,\r\n 2], \"c\": \"x \\\" \\\\\"\n}").0, r#"{"a b":[1,2],"c":"x \" \\"}"#);
        assert_eq!(decoded("\u{feff}{\"a\":1}").0, "{\"a\":1}");
        for same in ["[1\n2]", "{\"a\":\"\n\"}", "{\"a\": 1, \"b\": 2}", "<html>\n</html>"] {
            assert_eq!(decoded(same).0, same);
        }
    }

    #[test]
    fn what_is_no_json_does_not_become_json_without_an_escape() {
        for same in [r#""\u00\u000000""#, r#""\ud8\u00003d""#, r"[\u0000]"] {
            assert_eq!(decoded(same), (same.to_owned(), 0, 0));
        }
    }

    proptest! {
        #[test]
        fn every_text_of_escapes_becomes_json_without_nul(text in r#"(\\u[dD][89a-fA-F][0-9a-f]{2}|\\u0000|\\\\|\\n|é|a|u|0)*"#) {
            let (text, _) = decode(format!("\"{text}\"").into_bytes());
            let parsed: String = serde_json::from_str(&text).unwrap();
            prop_assert!(!parsed.contains('\0'));
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(prop::sample::select(b"\\u0d8\xff\xc3\"n".to_vec()), 0..24)) {
            decode(bytes);
        }
    }
}
