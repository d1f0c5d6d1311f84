//! Decodes a body to text in place, and removes or replaces characters that destinations cannot store before the text is parsed.

use memchr::{memchr, memchr2};
use serde::de::IgnoredAny;

const REPLACEMENT_CHARACTER: &[u8] = "\u{fffd}".as_bytes();

/// Maximum growth of a body when invalid UTF-8 is replaced: this number of bytes, ...
const MAX_GROWTH: usize = 64 * 1024;

/// ... or this fraction of the body. A body that would grow more is not text.
const MAX_GROWTH_DIVISOR: usize = 8;

/// The number of changes to the text of a body.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Replacements {
    /// Removed U+0000 characters, which PostgreSQL cannot store.
    pub nul: u64,
    /// Lone surrogates and invalid UTF-8 that were replaced with U+FFFD, because UTF-8 text cannot contain them.
    pub replaced: u64,
}

/// Strips the byte order mark from a body. JSON must not have one, but parsers may ignore it (RFC 8259, 8.1).
pub(in crate::graph) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// Decodes a JSON body. Escapes of U+0000 are removed; lone surrogates and invalid UTF-8 become U+FFFD. Line breaks are removed, because a
/// record must be a single line. [`None`] if the body is not text.
pub(in crate::graph) fn decode(mut body: Vec<u8>) -> Option<(String, Replacements)> {
    body.drain(..body.len() - without_bom(&body).len());
    let mut replacements = Replacements::default();
    let text = utf8(body, &mut replacements)?;
    let (has_breaks, mut bytes) = (memchr2(b'\n', b'\r', text.as_bytes()).is_some(), text.as_bytes());
    // Invalid JSON is not changed, because it might become valid without whitespace or an escape.
    if !has_breaks && unwanted_escape(&mut bytes).is_none() || !is_json(&text) {
        return Some((text, replacements));
    }
    let mut bytes = text.into_bytes();
    replace_escapes(&mut bytes, &mut replacements);
    if has_breaks {
        compact(&mut bytes);
    }
    Some((String::from_utf8(bytes).ok()?, replacements))
}

/// Decodes a plain-text body, such as CSV, without the byte order mark and U+0000. [`None`] if the body is not text.
pub(in crate::graph) fn decode_plain(mut body: Vec<u8>) -> Option<(String, Replacements)> {
    body.drain(..body.len() - without_bom(&body).len());
    let (mut replacements, length) = (Replacements::default(), body.len());
    body.retain(|byte| *byte != 0);
    replacements.nul = (length - body.len()) as u64;
    Some((utf8(body, &mut replacements)?, replacements))
}

fn utf8(body: Vec<u8>, replacements: &mut Replacements) -> Option<String> {
    match String::from_utf8(body) {
        Ok(text) => Some(text),
        Err(error) => String::from_utf8(replace_invalid(error.into_bytes(), replacements)?).ok(),
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Replaces invalid UTF-8. [`None`] if there is too much of it.
fn replace_invalid(mut body: Vec<u8>, replacements: &mut Replacements) -> Option<Vec<u8>> {
    let invalid = body.utf8_chunks().map(|chunk| chunk.invalid().len()).filter(|&length| length > 0);
    let (count, growth) = invalid.fold((0, 0), |(count, growth), length| (count + 1, growth + REPLACEMENT_CHARACTER.len() - length));
    if growth > MAX_GROWTH.max(body.len() / MAX_GROWTH_DIVISOR) {
        return None;
    }
    replacements.replaced += count;
    // The body is moved to the end of the buffer and copied back to its beginning. Each replacement uses some of the gap in between.
    let (length, mut from, mut to) = (body.len(), growth, 0);
    body.reserve_exact(growth);
    body.resize(length + growth, 0);
    body.copy_within(..length, growth);
    while let Err(error) = str::from_utf8(&body[from..]) {
        let valid = error.valid_up_to();
        body.copy_within(from..from + valid, to);
        from += valid + error.error_len().unwrap_or(body.len() - from - valid);
        to += valid + REPLACEMENT_CHARACTER.len();
        body[to - REPLACEMENT_CHARACTER.len()..to].copy_from_slice(REPLACEMENT_CHARACTER);
    }
    body.copy_within(from.., to);
    body.truncate(to + length + growth - from);
    Some(body)
}

/// Removes the whitespace between JSON tokens.
fn compact(json: &mut Vec<u8>) {
    let (mut in_string, mut escaped) = (false, false);
    json.retain(|byte| {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            return true;
        }
        in_string = *byte == b'"';
        !byte.is_ascii_whitespace()
    });
}

/// Removes or replaces the escapes that destinations cannot store.
fn replace_escapes(json: &mut Vec<u8>, replacements: &mut Replacements) {
    let (mut from, mut to) = (0, 0);
    loop {
        let mut rest = &json[from..];
        let Some(unit) = unwanted_escape(&mut rest) else { break };
        let at = json.len() - rest.len();
        let replacement = if unit == 0 { [].as_slice() } else { REPLACEMENT_CHARACTER };
        *(if unit == 0 { &mut replacements.nul } else { &mut replacements.replaced }) += 1;
        json.copy_within(from..at, to);
        to += at - from + replacement.len();
        json[to - replacement.len()..to].copy_from_slice(replacement);
        from = at + ESCAPE_LENGTH;
    }
    json.copy_within(from.., to);
    json.truncate(json.len() - (from - to));
}

/// The length of a `\uXXXX` escape in bytes.
const ESCAPE_LENGTH: usize = 6;

/// Advances to the next escape that destinations cannot store. Returns its code unit.
fn unwanted_escape(json: &mut &[u8]) -> Option<u16> {
    loop {
        *json = &json[memchr(b'\\', json)?..];
        let is_pair = |unit: u16| unicode_escape(&json[ESCAPE_LENGTH..]).filter(|_| is_high(unit)).is_some_and(is_low);
        *json = match unicode_escape(json) {
            Some(unit) if is_pair(unit) => &json[2 * ESCAPE_LENGTH..],
            Some(unit) if unit == 0 || is_high(unit) || is_low(unit) => return Some(unit),
            Some(_) => &json[ESCAPE_LENGTH..],
            // The backslash and the character that it escapes.
            None => json.get(2..)?,
        };
    }
}

/// The code unit of a `\uXXXX` escape at the start of the text.
fn unicode_escape(json: &[u8]) -> Option<u16> {
    let digits = json.strip_prefix(b"\\u")?.get(..4)?;
    let digits = digits.iter().all(u8::is_ascii_hexdigit).then(|| str::from_utf8(digits).ok()).flatten()?;
    u16::from_str_radix(digits, 16).ok()
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
        let (text, replacements) = decode(text.as_bytes().to_vec()).unwrap();
        (text, replacements.nul, replacements.replaced)
    }

    #[test]
    fn only_characters_that_cannot_be_stored_are_changed() {
        let same = |text: &str| assert_eq!(decoded(text), (text.to_owned(), 0, 0));
        same(r#""plain é \n \" \\ \u00e9 \ud83d\ude00 \\u0000 \\ud800""#);
        assert_eq!(decoded(r#""a\u0000b\\\u0000""#), (r#""ab\\""#.to_owned(), 2, 0));
        assert_eq!(decoded(r#""\ud83d x \ude00 \uD83D\ud83d\ude00""#), ("\"\u{fffd} x \u{fffd} \u{fffd}\\ud83d\\ude00\"".to_owned(), 0, 3));
        assert_eq!(decode(b"\"\xff\"".to_vec()), Some(("\"\u{fffd}\"".to_owned(), Replacements { nul: 0, replaced: 1 })));
    }

    #[test]
    fn json_loses_its_line_breaks_and_its_strings_keep_their_spaces() {
        assert_eq!(decoded("{\n  \"a b\": [1,\r\n 2], \"c\": \"x \\\" \\\\\"\n}").0, r#"{"a b":[1,2],"c":"x \" \\"}"#);
        assert_eq!(decoded("\u{feff}{\"a\":1}").0, "{\"a\":1}");
        for same in ["[1\n2]", "{\"a\":\"\n\"}", "{\"a\": 1, \"b\": 2}", "<html>\n</html>"] {
            assert_eq!(decoded(same).0, same);
        }
    }

    #[test]
    fn invalid_json_does_not_become_valid_without_an_escape() {
        for same in [r#""\u00\u000000""#, r#""\ud8\u00003d""#, r"[\u0000]"] {
            assert_eq!(decoded(same), (same.to_owned(), 0, 0));
        }
    }

    #[test]
    fn a_body_is_decoded_in_place() {
        let mut body = Vec::with_capacity(1024);
        body.extend_from_slice(b"{\n\"a\": \"\\u0000x\xff\\ud800\", \"b\": 1}");
        let address = body.as_ptr();
        let (text, replacements) = decode(body).unwrap();
        assert_eq!((text.as_str(), text.as_ptr()), ("{\"a\":\"x\u{fffd}\u{fffd}\",\"b\":1}", address));
        assert_eq!(replacements, Replacements { nul: 1, replaced: 2 });
    }

    #[test]
    fn a_body_with_too_much_invalid_utf_8_is_not_text() {
        let body = |invalid: usize| [b"\"".repeat(MAX_GROWTH), vec![0xff; invalid]].concat();
        let growth = MAX_GROWTH / 2 * REPLACEMENT_CHARACTER.len();
        assert!(decode(body(MAX_GROWTH / 2)).is_some_and(|(text, _)| text.len() == MAX_GROWTH + growth));
        assert_eq!(decode(body(MAX_GROWTH / 2 + 1)), None);
    }

    proptest! {
        #[test]
        fn invalid_bytes_are_replaced_as_the_standard_library_does(bytes in prop::collection::vec(prop::sample::select(b"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xed\xa0".to_vec()), 0..24)) {
            let (text, replacements) = decode(bytes.clone()).unwrap();
            let expected = String::from_utf8_lossy(without_bom(&bytes)).into_owned();
            prop_assert_eq!(replacements.replaced as usize, expected.matches('\u{fffd}').count());
            prop_assert_eq!(text, expected);
        }

        #[test]
        fn every_string_of_escapes_becomes_json_without_nul(text in r#"(\\u[dD][89a-fA-F][0-9a-f]{2}|\\u0000|\\\\|\\n|é|a|u|0)*"#) {
            let (text, _) = decode(format!("\"{text}\"").into_bytes()).unwrap();
            let parsed: String = serde_json::from_str(&text).unwrap();
            prop_assert!(!parsed.contains('\0'));
        }

        #[test]
        fn no_bytes_break_the_decoder(bytes in prop::collection::vec(prop::sample::select(b"\\u0d8\xff\xc3\"n".to_vec()), 0..24)) {
            decode(bytes);
        }
    }
}
