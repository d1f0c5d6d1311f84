//! Text encodings: GUIDs, base64, percent escapes, and JSON written straight into a byte buffer.

use crate::{rng::mix, time::Time};

/// JSON pieces appended to a buffer: message pages are too many and too large for a tree of values.
pub(crate) trait JsonOut {
    fn raw(&mut self, json: &str);
    fn number(&mut self, number: u64);
    fn string(&mut self, text: &str);
    fn time(&mut self, time: Time);
    fn maybe_time(&mut self, time: Option<Time>);
    fn guid(&mut self, guid: Guid);
}

impl JsonOut for Vec<u8> {
    fn raw(&mut self, json: &str) {
        self.extend_from_slice(json.as_bytes());
    }

    fn number(&mut self, mut number: u64) {
        let mut digits = [0_u8; 20];
        let mut start = digits.len();
        loop {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.extend_from_slice(&digits[start..]);
    }

    fn string(&mut self, text: &str) {
        self.push(b'"');
        escape_json(self, text);
        self.push(b'"');
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

    fn guid(&mut self, guid: Guid) {
        guid.write(self);
    }
}

/// Writes `text` as the inside of a JSON string.
pub(crate) fn escape_json(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'"' => out.raw("\\\""),
            b'\\' => out.raw("\\\\"),
            b'\n' => out.raw("\\n"),
            b'\r' => out.raw("\\r"),
            b'\t' => out.raw("\\t"),
            0..0x20 => {
                out.raw("\\u00");
                hex(out, byte);
            }
            _ => out.push(byte),
        }
    }
}

/// A GUID that belongs to a seed and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guid(u64, u64);

impl Guid {
    pub(crate) fn of(seed: u64, number: u64) -> Guid {
        Guid(mix(seed, number), mix(seed ^ 0xa5a5, number))
    }

    pub(crate) fn write(self, out: &mut Vec<u8>) {
        // Version 4 and the RFC 4122 variant, as Entra's ids are.
        let high = (self.0 & !0xf000) | 0x4000;
        let low = (self.1 & !(0b11 << 62)) | (0b10 << 62);
        for (index, byte) in high.to_be_bytes().into_iter().chain(low.to_be_bytes()).enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                out.push(b'-');
            }
            hex(out, byte);
        }
    }
}

impl std::fmt::Display for Guid {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(36);
        self.write(&mut text);
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}

/// Has the shape of a GUID.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn hex(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(DIGITS[usize::from(byte >> 4)]);
    out.push(DIGITS[usize::from(byte & 15)]);
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// base64url without padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for sextet in 0..=chunk.len() {
            text.push(char::from(BASE64[(group >> (18 - 6 * sextet) & 63) as usize]));
        }
    }
    text
}

/// Both alphabets of base64, padded or not.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut group, mut bits) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let byte = match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => other,
        };
        let value = BASE64.iter().position(|known| *known == byte)?;
        group = group << 6 | value as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits) as u8);
            group &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Undoes percent escapes; text that is not UTF-8 afterwards has replacement characters.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent escapes and `+` for a blank: query strings and forms.
pub(crate) fn form_decode(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_goes_both_ways() {
        for text in ["", "a", "ab", "abc", "any carnal pleasure?~"] {
            assert_eq!(from_base64(&base64(text.as_bytes())).unwrap(), text.as_bytes());
        }
        assert_eq!(from_base64("YWI="), Some(b"ab".to_vec()));
        assert_eq!(from_base64("a b"), None);
    }

    #[test]
    fn percent_escapes_go_both_ways() {
        assert_eq!(percent_encode("19:ab@thread.tacv2"), "19%3Aab%40thread.tacv2");
        assert_eq!(percent_decode("19%3aab%40thread.tacv2%"), "19:ab@thread.tacv2%");
    }

    #[test]
    fn a_guid_has_its_shape() {
        assert!(is_guid(&Guid::of(1, 2).to_string()));
        assert!(!is_guid("19:general@thread.tacv2"));
    }
}
