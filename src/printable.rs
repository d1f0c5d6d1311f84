//! Makes external text safe to print: on one line, without control characters or invisible characters.

use std::borrow::Cow;

/// Replaces line ends and tabs by spaces, and escapes other control and [hidden](is_hidden) characters, such as `\u{1b}`.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    let needs_change = |char: char| char.is_control() || is_hidden(char) || is_line_end(char);
    if !text.contains(needs_change) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            char if is_line_end(char) || char == '\t' => line.push(' '),
            char if needs_change(char) => line.extend(char.escape_unicode()),
            char => line.push(char),
        }
    }
    Cow::Owned(line)
}

fn is_line_end(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Invisible characters and those that change the direction of text, which could make a line look like something else. Joiners and variation
/// selectors are not included, since words and emoji need them.
pub(crate) fn is_hidden(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e00ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_hidden_characters_are_escaped() {
        assert_eq!(one_line("a\r\nb\u{2028}c\u{2029}d\te\u{85}"), "a  b c d e ");
        assert_eq!(one_line("\u{1b}[31m\u{7}\u{9b}\0"), r"\u{1b}[31m\u{7}\u{9b}\u{0}");
        assert_eq!(one_line("abc\u{202e}fed\u{2066}\u{200b}\u{feff}\u{e0041}"), r"abc\u{202e}fed\u{2066}\u{200b}\u{feff}\u{e0041}");
        for same in ["", "Grüße, 東京 🎉", "👩\u{200d}💻 ❤\u{fe0f} می\u{200c}خواهم"] {
            assert!(matches!(one_line(same), Cow::Borrowed(line) if line == same), "{same}");
        }
    }
}
