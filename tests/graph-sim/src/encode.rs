//! Encodings that Graph uses: GUIDs, base64, percent encoding, and JSON written directly to a byte buffer.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use uuid::{Builder, Uuid};

use crate::{rng::mix, time::Time};

/// Appends JSON to a buffer: building a tree of values for each page of messages would be too slow.
pub(crate) trait JsonOut {
    fn raw(&mut self, json: &str);
    fn number(&mut self, number: u64);
    fn string(&mut self, text: &str);
    fn time(&mut self, time: Time);
    fn maybe_time(&mut self, time: Option<Time>);
    fn guid(&mut self, guid: Uuid);
}

impl JsonOut for Vec<u8> {
    fn raw(&mut self, json: &str) {
        self.extend_from_slice(json.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.raw(itoa::Buffer::new().format(number));
    }

    fn string(&mut self, text: &str) {
        // Writing a string to memory cannot fail.
        let _ = serde_json::to_writer(self, text);
    }

    fn time(&mut self, time: Time) {
        self.push(b'"');
        time.write(self);
        self.push(b'"');
    }

    fn maybe_time(&mut self, time: Option<Time>) {
        match time {
            Some(time) => self.time(time),
            None => self.raw("null"),
        }
    }

    fn guid(&mut self, guid: Uuid) {
        self.raw(guid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    }
}

/// The GUID of a seed and a number, of version 4 like those of Entra.
pub(crate) fn guid(seed: u64, number: u64) -> Uuid {
    let bits = u128::from(mix(seed, number)) << 64 | u128::from(mix(seed ^ 0xa5a5, number));
    Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}

/// Whether a text is a GUID with hyphens.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == uuid::fmt::Hyphenated::LENGTH && Uuid::try_parse(text).is_ok()
}

/// base64url without padding.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

/// All characters except the unreserved ones of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Replaces invalid UTF-8.
pub(crate) fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Decodes query strings and forms, where `+` is a space.
pub(crate) fn form_decode(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_round_trips() {
        assert_eq!(percent_encode("19:ab-c~@thread.tacv2"), "19%3Aab-c~%40thread.tacv2");
        assert_eq!(percent_decode("19%3aab%40thread.tacv2%"), "19:ab@thread.tacv2%");
        assert_eq!(form_decode("a+b%2Bc"), "a b+c");
    }

    #[test]
    fn guids_are_valid_and_of_version_4() {
        let generated = guid(1, 2);
        assert!(is_guid(&generated.to_string()));
        assert_eq!((generated.get_version_num(), guid(1, 2), guid(2, 1) == generated), (4, generated, false));
        for other in ["19:general@thread.tacv2", "{e3b0c442-98fc-4c14-9afb-f4c8996fb924}", "e3b0c44298fc4c149afbf4c8996fb924"] {
            assert!(!is_guid(other), "{other}");
        }
    }
}
