//! Detects values that some JSON parsers reject: deeply nested ones, and numbers beyond 64 bits.
//!
//! Parsers have depth limits (64, 100, 500 or 1000 levels), and large numbers become errors or infinity, which JSON cannot represent. A single
//! such value in a message would block a pipeline permanently, so it is written as a string.

use memchr::{memchr2, memchr2_iter};

/// The maximum nesting of a value. With the levels around it, a record stays below 64, which every parser accepts.
const MAX_DEPTH: usize = 50;

/// The maximum length of a number. Some parsers reject longer ones.
const MAX_NUMBER_LENGTH: usize = 300;

/// Whether every parser accepts this JSON value.
pub(super) fn is_portable(value: &str) -> bool {
    let text = value.as_bytes();
    // Few values have a number or many levels, so most need no scan.
    !needs_scan(text) || Scan { text, at: 0, depth: 0 }.finds_only_portable()
}

/// Whether the value may contain a number or too many levels.
fn needs_scan(text: &[u8]) -> bool {
    let opens = || memchr2_iter(b'[', b'{', text).nth(MAX_DEPTH).is_some();
    may_have_number(text) || (text.len() > 2 * MAX_DEPTH && opens())
}

/// Whether the text contains something like the end of a number: a digit before a comma, a bracket, white space or the end.
fn may_have_number(text: &[u8]) -> bool {
    let is_end = |byte: u8| (byte == b',') | (byte | 0x20 == b'}') | (byte <= b' ');
    let ends = text.iter().zip(text.get(1..).unwrap_or_default()).map(|(&last, &next)| last.is_ascii_digit() & is_end(next));
    // Without an early exit, the compiler can vectorize this.
    ends.fold(false, |any, is_end| any | is_end) || text.last().is_some_and(u8::is_ascii_digit)
}

/// A scan over the tokens of a value.
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
}

impl Scan<'_> {
    fn finds_only_portable(mut self) -> bool {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => self.skip_string(),
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                b'-' | b'0'..=b'9' if !self.skip_number() => return false,
                _ => {}
            }
            if self.depth > MAX_DEPTH {
                return false;
            }
            self.at += 1;
        }
        true
    }

    /// Moves to the closing quote of the string.
    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(found) = self.text.get(self.at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
            self.at += found;
            if self.text[self.at] == b'"' {
                return;
            }
            self.at += 2;
        }
        self.at = self.text.len();
    }

    /// Moves to the last character of the number. Returns whether every parser accepts it.
    fn skip_number(&mut self) -> bool {
        let is_part = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let length = self.text[self.at..].iter().take_while(is_part).count();
        let number = &self.text[self.at..self.at + length];
        self.at += length.saturating_sub(1);
        length <= MAX_NUMBER_LENGTH && str::from_utf8(number).is_ok_and(fits_into_64_bits)
    }
}

/// Whether the number fits into a signed integer if it is written as one. Otherwise, whether it neither overflows to infinity nor underflows
/// to zero as a float.
///
/// Parsers such as orjson (in dlt) and ujson (in pandas) refuse a whole file because of one longer integer.
fn fits_into_64_bits(number: &str) -> bool {
    if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return number.parse::<i64>().is_ok();
    }
    let is_zero = || number.bytes().take_while(|byte| !matches!(byte, b'e' | b'E')).all(|byte| !matches!(byte, b'1'..=b'9'));
    number.parse::<f64>().is_ok_and(|float| float.is_finite() && (float != 0.0 || is_zero()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn values_that_every_parser_accepts_are_portable() {
        for portable in [
            "null",
            "true",
            "0",
            "-0.0e9",
            "1.50",
            "9223372036854775807",
            "-9223372036854775808",
            "1e308",
            "[5e-324]",
            r#"{"a":[1,"1e400,"]}"#,
            "[]",
        ] {
            assert!(is_portable(portable), "{portable}");
        }
        for other in [
            "1e400",
            "9223372036854775808",
            "[-9223372036854775809]",
            "-1e400",
            "1E+309",
            "[1e400]",
            r#"{"a":"\"","b":[0,1e-400 ]}"#,
            r#"{"a" : 1e999999999999}"#,
        ] {
            assert!(!is_portable(other), "{other}");
        }
        let fraction = |digits: usize| format!("0.{}", "1".repeat(digits - 2));
        assert!(is_portable(&fraction(300)) && !is_portable(&fraction(301)) && !is_portable(&format!("0.{}", "1".repeat(5000))));
    }

    #[test]
    fn depth_is_limited_but_not_the_number_of_brackets() {
        let nested = |levels: usize, inner: &str| format!("{}{inner}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(is_portable(&nested(50, "")) && !is_portable(&nested(51, "")) && !is_portable(&nested(100_000, "")));
        assert!(is_portable(&format!("[{}]", "[[1],{}],".repeat(100).trim_end_matches(','))));
        assert!(is_portable(&nested(3, &format!("\"{}\\\"{}\"", "[".repeat(60), "{".repeat(60)))));
        assert!(!is_portable(&format!("{}1{}", r#"{"a":"#.repeat(51), "}".repeat(51))));
    }

    proptest! {
        #[test]
        fn numbers_are_portable_if_they_fit_into_64_bits(number in r#"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?"#, before in r#"["\[{a:, ]{0,5}"#) {
            let float: f64 = number.parse().unwrap();
            let fits = float.is_finite() && (float != 0.0 || number.split(['e', 'E']).next().unwrap().parse::<f64>().unwrap() == 0.0);
            let text = format!("[{},{number}]", Value::from(before));
            prop_assert_eq!(is_portable(&text), fits, "{}", text);
        }
    }
}
