//! What every reader of JSON can take: values that are nested a little, and numbers that a float holds.
//!
//! Parsers give up at some depth (64 levels, 100, 500, 1000), and a number beyond their floats becomes infinite, which no JSON can say, or an
//! error. One such value in a message would stop a pipeline for ever: it travels as a text.

use memchr::{memchr2, memchr2_iter};

/// Levels of lists and objects in one value. With those around it a record stays below the 64 that every parser takes.
const DEEPEST: usize = 50;

/// Characters of a number: longer ones some parsers refuse.
const LONGEST: usize = 300;

/// Whether a value, which is JSON, can stand as it is.
pub(super) fn is_plain(value: &str) -> bool {
    let text = value.as_bytes();
    // Few values have many levels or a number: only they are looked through.
    !may_be_odd(text) || Scan { text, at: 0, depth: 0 }.finds_only_plain()
}

/// Whether there may be a number, or more levels than are allowed.
fn may_be_odd(text: &[u8]) -> bool {
    let opens = || memchr2_iter(b'[', b'{', text).nth(DEEPEST).is_some();
    may_have_number(text) || (text.len() > 2 * DEEPEST && opens())
}

/// Whether something looks like the end of a number: a digit before a comma, a bracket, a blank or the end.
fn may_have_number(text: &[u8]) -> bool {
    let is_end = |byte: u8| (byte == b',') | (byte | 0x20 == b'}') | (byte <= b' ');
    let ends = text.iter().zip(text.get(1..).unwrap_or_default()).map(|(&last, &next)| last.is_ascii_digit() & is_end(next));
    // Without a way out in between many are compared at once.
    ends.fold(false, |any, is_end| any | is_end) || text.last().is_some_and(u8::is_ascii_digit)
}

/// A pass through the tokens of a value.
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    depth: usize,
}

impl Scan<'_> {
    fn finds_only_plain(mut self) -> bool {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'"' => self.skip_string(),
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                b'-' | b'0'..=b'9' if !self.skip_number() => return false,
                _ => {}
            }
            if self.depth > DEEPEST {
                return false;
            }
            self.at += 1;
        }
        true
    }

    /// To the quote that ends the string.
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

    /// To the last character of the number. Gives whether every reader can take it.
    fn skip_number(&mut self) -> bool {
        let is_part = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
        let length = self.text[self.at..].iter().take_while(is_part).count();
        let number = &self.text[self.at..self.at + length];
        self.at += length.saturating_sub(1);
        length <= LONGEST && str::from_utf8(number).is_ok_and(is_held_by_floats)
    }
}

/// Whether a float is neither infinite nor nothing where the number is neither.
fn is_held_by_floats(number: &str) -> bool {
    let is_zero = || number.bytes().take_while(|byte| !matches!(byte, b'e' | b'E')).all(|byte| !matches!(byte, b'1'..=b'9'));
    number.parse::<f64>().is_ok_and(|float| float.is_finite() && (float != 0.0 || is_zero()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_every_reader_can_take_is_plain() {
        for plain in
            ["null", "true", "0", "-0.0e9", "1.50", "123456789012345678901234567890", "1e308", "[5e-324]", r#"{"a":[1,"1e400,"]}"#, "[]"]
        {
            assert!(is_plain(plain), "{plain}");
        }
        for odd in ["1e400", "-1e400", "1E+309", "[1e400]", r#"{"a":"\"","b":[0,1e-400 ]}"#, r#"{"a" : 1e999999999999}"#] {
            assert!(!is_plain(odd), "{odd}");
        }
        assert!(is_plain(&"9".repeat(300)) && !is_plain(&"9".repeat(301)) && !is_plain(&format!("0.{}", "1".repeat(5000))));
    }

    #[test]
    fn depth_counts_and_not_brackets() {
        let nested = |levels: usize, inner: &str| format!("{}{inner}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(is_plain(&nested(50, "")) && !is_plain(&nested(51, "")) && !is_plain(&nested(100_000, "")));
        assert!(is_plain(&format!("[{}]", "[[1],{}],".repeat(100).trim_end_matches(','))));
        assert!(is_plain(&nested(3, &format!("\"{}\\\"{}\"", "[".repeat(60), "{".repeat(60)))));
        assert!(!is_plain(&format!("{}1{}", r#"{"a":"#.repeat(51), "}".repeat(51))));
    }

    proptest! {
        #[test]
        fn numbers_are_plain_where_a_float_holds_them(number in r#"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?"#, before in r#"["\[{a:, ]{0,5}"#) {
            let float: f64 = number.parse().unwrap();
            let is_held = float.is_finite() && (float != 0.0 || number.split(['e', 'E']).next().unwrap().parse::<f64>().unwrap() == 0.0);
            let text = format!("[{},{number}]", Value::from(before));
            prop_assert_eq!(is_plain(&text), is_held, "{}", text);
        }
    }
}
