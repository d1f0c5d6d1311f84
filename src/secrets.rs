//! The secrets and tokens of a run, and the one way to show a text in which somebody may have quoted them.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use memchr::memmem;
use secrecy::{ExposeSecret, SecretSlice};

/// Shorter ones are not looked for: a common word would make logs and ids unreadable. No secret of Microsoft Entra is as short.
const LEAST: usize = 8;

/// So many tokens are remembered, the latest: most have ended before.
const TOKENS: usize = 100;

/// What is written in place of a secret.
const HIDDEN: &str = "***";

/// So often a text may have been encoded: a URL within JSON within JSON.
const LAYERS: usize = 3;

/// All secrets and tokens of a run. Clones share them.
///
/// They are found as they are, percent-encoded, as a form or JSON writes them, and in any mix of these, whatever the case of the letters.
#[derive(Clone, Default)]
pub struct Secrets(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    secrets: Vec<SecretSlice<u8>>,
    tokens: VecDeque<SecretSlice<u8>>,
}

impl Secrets {
    /// From now on this secret is hidden.
    pub fn add(&self, secret: &str) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = known.unknown(secret) {
            known.secrets.push(secret);
        }
    }

    /// From now on this token is hidden.
    pub fn add_token(&self, token: &str) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = known.unknown(token) {
            known.tokens.push_back(token);
            if known.tokens.len() > TOKENS {
                known.tokens.pop_front();
            }
        }
    }

    /// Whether one of them is in a text.
    pub fn are_in(&self, text: &str) -> bool {
        !self.found(text).is_empty()
    }

    /// The text without them.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.found(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
        for Range { start, end } in found {
            if start >= at {
                shown.push_str(text.get(at..start).unwrap_or_default());
                shown.push_str(HIDDEN);
            }
            at = at.max(end);
        }
        shown.push_str(text.get(at..).unwrap_or_default());
        Cow::Owned(shown)
    }

    /// Where they are, in order.
    fn found(&self, text: &str) -> Vec<Range<usize>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // No way to write one is shorter than it is.
        if known.all().all(|secret| secret.len() > text.len()) {
            return Vec::new();
        }
        let mut found = Vec::new();
        known.find(&Layer::of(text), LAYERS, &mut found);
        found.sort_unstable_by_key(|range| (range.start, range.end));
        found
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secrets(***)")
    }
}

impl Known {
    fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.secrets.iter().chain(&self.tokens).map(ExposeSecret::expose_secret)
    }

    /// Where they are in a text that was encoded so often at most.
    fn find(&self, layer: &Layer, encoded: usize, found: &mut Vec<Range<usize>>) {
        for secret in self.all() {
            found.extend(memmem::find_iter(&layer.bytes, secret).map(|at| layer.range(at..at + secret.len())));
        }
        // A secret may hold what looks like an escape: each kind is decoded alone.
        let decoded = [url_escape, json_escape].into_iter().filter(|_| encoded > 0).filter_map(|escape| layer.decoded(escape));
        decoded.for_each(|decoded| self.find(&decoded, encoded - 1, found));
    }

    /// The secret as it is looked for, unless it is known already or too short.
    fn unknown(&self, secret: &str) -> Option<SecretSlice<u8>> {
        let folded: Vec<u8> = secret.bytes().map(folded).collect();
        let is_new = folded.len() >= LEAST && self.all().all(|known| *known != *folded);
        is_new.then(|| folded.into())
    }
}

/// The case of a letter may have been lost on the way, in the name of a host for one; and a form writes a blank as a plus.
fn folded(byte: u8) -> u8 {
    if byte == b' ' { b'+' } else { byte.to_ascii_lowercase() }
}

/// A text, folded, perhaps decoded, and where each of its bytes stands in the text as it was written.
struct Layer {
    bytes: Vec<u8>,
    /// Empty: as in the text.
    places: Vec<Range<usize>>,
}

impl Layer {
    fn of(text: &str) -> Self {
        Self { bytes: text.bytes().map(folded).collect(), places: Vec::new() }
    }

    /// Where a part stands in the text as it was written.
    fn range(&self, part: Range<usize>) -> Range<usize> {
        match self.places.get(part.clone()) {
            Some([first, .., last]) => first.start..last.end,
            Some([one]) => one.clone(),
            _ => part,
        }
    }

    /// With the escapes of one kind decoded, once; [`None`] if there are none.
    fn decoded(&self, escape: Escape) -> Option<Self> {
        let mut at = (0..self.bytes.len()).find(|&at| escape(&self.bytes[at..]).is_some())?;
        let mut bytes = self.bytes[..at].to_vec();
        let mut places: Vec<_> = (0..at).map(|at| self.range(at..at + 1)).collect();
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (char, length) = escape(rest).unwrap_or((Escaped::Byte(rest[0]), 1));
            let place = self.range(at..at + length);
            let mut push = |byte: u8| {
                bytes.push(folded(byte));
                places.push(place.clone());
            };
            match char {
                Escaped::Byte(byte) => push(byte),
                Escaped::Char(char) => char.encode_utf8(&mut [0; 4]).bytes().for_each(push),
            }
            at += length;
        }
        Some(Self { bytes, places })
    }
}

enum Escaped {
    Byte(u8),
    Char(char),
}

/// What the escape means that a text begins with, and its length.
type Escape = fn(&[u8]) -> Option<(Escaped, usize)>;

/// As URLs have them.
fn url_escape(text: &[u8]) -> Option<(Escaped, usize)> {
    match text {
        [b'%', one, two, ..] => Some((Escaped::Byte(u8::try_from(hex(&[*one, *two])?).ok()?), 3)),
        _ => None,
    }
}

/// As JSON has them, and Rust's debug form.
fn json_escape(text: &[u8]) -> Option<(Escaped, usize)> {
    match text {
        [b'\\', b'u', b'{', rest @ ..] => {
            let length = rest.iter().position(|byte| *byte == b'}')?;
            Some((Escaped::Char(char::from_u32(hex(&rest[..length])?)?), length + 4))
        }
        [b'\\', b'u', rest @ ..] => Some((Escaped::Char(char::from_u32(hex(rest.get(..4)?)?)?), 6)),
        [b'\\', char @ (b'"' | b'\'' | b'\\' | b'/'), ..] => Some((Escaped::Byte(*char), 2)),
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    let is_number = (1..=6).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    u32::from_str_radix(str::from_utf8(digits).ok().filter(|_| is_number)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const SECRET: &str = "Ab~c\"d\\e f+g/%42ü";
    const TOKEN: &str = "eyJhbGciOi.JIUzI1NiJ9_x-yz";

    fn secrets() -> Secrets {
        let secrets = Secrets::default();
        secrets.add(SECRET);
        secrets.add_token(TOKEN);
        secrets
    }

    fn json(text: &str) -> String {
        Value::from(text).to_string().trim_matches('"').to_owned()
    }

    /// Every character as an escape of JSON.
    fn escaped(text: &str) -> String {
        text.chars().map(|char| format!("\\u{:04X}", u32::from(char))).collect()
    }

    fn percent(text: &str) -> String {
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
    }

    fn form(text: &str) -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }

    fn same(text: &str) -> String {
        text.to_owned()
    }

    const ENCODINGS: [fn(&str) -> String; 7] = [
        same,
        json,
        escaped,
        percent,
        form,
        |text| percent(text).to_lowercase().replace("%c3%bc", "ü"),
        |text| format!("{text:?}").trim_matches('"').to_owned(),
    ];

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let secrets = secrets();
        for encoding in ENCODINGS {
            for other in ENCODINGS {
                for secret in [SECRET, TOKEN] {
                    let written = other(&encoding(secret));
                    let text = format!("100 % of \\x {written}, {written}");
                    assert_eq!(secrets.hide(&text), "100 % of \\x ***, ***", "{text}");
                    assert!(secrets.are_in(&text));
                }
            }
        }
        assert_eq!(secrets.hide(&format!("https://{}.example/", TOKEN.to_lowercase())), "https://***.example/");
    }

    #[test]
    fn what_is_no_secret_stays() {
        let secrets = secrets();
        secrets.add("short");
        for text in ["", "short", &SECRET[1..], &TOKEN[..TOKEN.len() - 1], "%e2%28%a1 \\ud800 \\u{110000} \\", "%41%4"] {
            assert!(matches!(secrets.hide(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert!(!format!("{secrets:?}{secrets:#?}").contains("eyJ"));
    }

    #[test]
    fn the_latest_tokens_are_known_and_the_secret_always() {
        let secrets = secrets();
        for number in 0..TOKENS {
            secrets.add_token(&format!("token-{number:03}"));
        }
        assert_eq!(secrets.hide(&format!("{SECRET} token-000 token-099 {TOKEN}")), format!("*** *** *** {TOKEN}"));
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_secret(before in "[%\\\\u{}0-9a-cé\"]{0,8}", after in "[%\\\\u{}0-9a-cé\"]{0,8}", encoding in 0..ENCODINGS.len()) {
            let written = ENCODINGS[encoding](TOKEN);
            let hidden = secrets().hide(&format!("{before} {written} {after}")).into_owned();
            prop_assert!(!hidden.contains(&written) && !secrets().are_in(&hidden), "{}", hidden);
        }
    }
}
