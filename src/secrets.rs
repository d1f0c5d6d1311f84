//! The secrets and tokens of a run, and their removal from texts that may contain them.

use std::{
    borrow::Cow,
    collections::VecDeque,
    fmt,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use memchr::memmem;
use secrecy::{ExposeSecret, SecretSlice};

/// Shorter secrets are not hidden, since they could be common words. Secrets of Microsoft Entra are longer.
const MIN_LENGTH: usize = 8;

/// Maximum number of tokens to remember. Older ones have expired.
const MAX_TOKENS: usize = 100;

/// Replaces a secret.
const HIDDEN: &str = "***";

/// Maximum number of nested encodings, such as a URL in JSON in JSON.
const MAX_ENCODINGS: usize = 3;

/// All secrets and tokens of a run. Clones share them.
///
/// They are found in plain form, percent-encoded, form-encoded, escaped in JSON, and in any combination of these, ignoring case.
#[derive(Clone, Default)]
pub struct Secrets(Arc<RwLock<Known>>);

#[derive(Default)]
struct Known {
    secrets: Vec<SecretSlice<u8>>,
    tokens: VecDeque<SecretSlice<u8>>,
}

impl Secrets {
    pub fn add(&self, secret: &str) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = known.normalize_new(secret) {
            known.secrets.push(secret);
        }
    }

    pub fn add_token(&self, token: &str) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = known.normalize_new(token) {
            known.tokens.push_back(token);
            if known.tokens.len() > MAX_TOKENS {
                known.tokens.pop_front();
            }
        }
    }

    /// Whether a text contains any of them.
    pub fn are_in(&self, text: &str) -> bool {
        !self.find(text).is_empty()
    }

    /// Replaces them in a text.
    pub fn hide<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.find(text);
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

    /// Their positions in a text, sorted.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // No encoding makes a secret shorter.
        if known.all().all(|secret| secret.len() > text.len()) {
            return Vec::new();
        }
        let mut found = Vec::new();
        known.find(&Layer::new(text), MAX_ENCODINGS, &mut found);
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

    /// Finds them in a text that is encoded up to `max_encodings` times.
    fn find(&self, layer: &Layer, max_encodings: usize, found: &mut Vec<Range<usize>>) {
        for secret in self.all() {
            found.extend(memmem::find_iter(&layer.bytes, secret).map(|at| layer.range(at..at + secret.len())));
        }
        // Decode each kind of escape separately, since a secret may contain something that looks like the other kind.
        let decoded = [url_escape, json_escape].into_iter().filter(|_| max_encodings > 0).filter_map(|escape| layer.decoded(escape));
        decoded.for_each(|decoded| self.find(&decoded, max_encodings - 1, found));
    }

    /// The secret in the form in which it is searched, unless it is known already or too short.
    fn normalize_new(&self, secret: &str) -> Option<SecretSlice<u8>> {
        let folded: Vec<u8> = secret.bytes().map(fold).collect();
        let is_new = folded.len() >= MIN_LENGTH && self.all().all(|known| *known != *folded);
        is_new.then(|| folded.into())
    }
}

/// Ignores case, which is lost in host names for example, and treats a space as a plus, like a form.
fn fold(byte: u8) -> u8 {
    if byte == b' ' { b'+' } else { byte.to_ascii_lowercase() }
}

/// A folded text, possibly decoded, with the positions of its bytes in the original text.
struct Layer {
    bytes: Vec<u8>,
    /// Empty if nothing was decoded.
    positions: Vec<Range<usize>>,
}

impl Layer {
    fn new(text: &str) -> Self {
        Self { bytes: text.bytes().map(fold).collect(), positions: Vec::new() }
    }

    /// The position of a part in the original text.
    fn range(&self, part: Range<usize>) -> Range<usize> {
        match self.positions.get(part.clone()) {
            Some([first, .., last]) => first.start..last.end,
            Some([one]) => one.clone(),
            _ => part,
        }
    }

    /// Decodes escapes of one kind once; [`None`] if there are none.
    fn decoded(&self, escape: Escape) -> Option<Self> {
        let mut at = (0..self.bytes.len()).find(|&at| escape(&self.bytes[at..]).is_some())?;
        let mut bytes = self.bytes[..at].to_vec();
        let mut positions: Vec<_> = (0..at).map(|at| self.range(at..at + 1)).collect();
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (char, length) = escape(rest).unwrap_or((Escaped::Byte(rest[0]), 1));
            let position = self.range(at..at + length);
            let mut push = |byte: u8| {
                bytes.push(fold(byte));
                positions.push(position.clone());
            };
            match char {
                Escaped::Byte(byte) => push(byte),
                Escaped::Char(char) => char.encode_utf8(&mut [0; 4]).bytes().for_each(push),
            }
            at += length;
        }
        Some(Self { bytes, positions })
    }
}

enum Escaped {
    Byte(u8),
    Char(char),
}

/// Decodes the escape at the start of a text; returns its value and length.
type Escape = fn(&[u8]) -> Option<(Escaped, usize)>;

/// Percent-encoding.
fn url_escape(text: &[u8]) -> Option<(Escaped, usize)> {
    match text {
        [b'%', one, two, ..] => Some((Escaped::Byte(u8::try_from(hex(&[*one, *two])?).ok()?), 3)),
        _ => None,
    }
}

/// Escapes of JSON and of Rust's debug format.
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

    /// Escapes every character as in JSON.
    fn escaped(text: &str) -> String {
        text.chars().map(|char| format!("\\u{:04X}", u32::from(char))).collect()
    }

    fn percent(text: &str) -> String {
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
    }

    fn form(text: &str) -> String {
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }

    fn plain(text: &str) -> String {
        text.to_owned()
    }

    const ENCODINGS: [fn(&str) -> String; 7] = [
        plain,
        json,
        escaped,
        percent,
        form,
        |text| percent(text).to_lowercase().replace("%c3%bc", "ü"),
        |text| format!("{text:?}").trim_matches('"').to_owned(),
    ];

    #[test]
    fn a_secret_is_found_in_every_encoding() {
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
    fn other_text_is_unchanged() {
        let secrets = secrets();
        secrets.add("short");
        for text in ["", "short", &SECRET[1..], &TOKEN[..TOKEN.len() - 1], "%e2%28%a1 \\ud800 \\u{110000} \\", "%41%4"] {
            assert!(matches!(secrets.hide(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert!(!format!("{secrets:?}{secrets:#?}").contains("eyJ"));
    }

    #[test]
    fn the_latest_tokens_and_all_secrets_are_hidden() {
        let secrets = secrets();
        for number in 0..MAX_TOKENS {
            secrets.add_token(&format!("token-{number:03}"));
        }
        assert_eq!(secrets.hide(&format!("{SECRET} token-000 token-099 {TOKEN}")), format!("*** *** *** {TOKEN}"));
    }

    proptest! {
        #[test]
        fn no_secret_remains_in_a_text(before in "[%\\\\u{}0-9a-cé\"]{0,8}", after in "[%\\\\u{}0-9a-cé\"]{0,8}", encoding in 0..ENCODINGS.len()) {
            let written = ENCODINGS[encoding](TOKEN);
            let hidden = secrets().hide(&format!("{before} {written} {after}")).into_owned();
            prop_assert!(!hidden.contains(&written) && !secrets().are_in(&hidden), "{}", hidden);
        }
    }
}
