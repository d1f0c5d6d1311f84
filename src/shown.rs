//! Texts of others as people are shown them: on one line, with nothing in it that a terminal or a viewer obeys.

use std::borrow::Cow;

/// The text on one line. Line ends become blanks; other control characters and what [`is_hidden`] is written as an escape, such as `\u{1b}`.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    let is_changed = |char: char| char.is_control() || is_hidden(char) || is_line_end(char);
    if !text.contains(is_changed) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            char if is_line_end(char) || char == '\t' => line.push(' '),
            char if is_changed(char) => line.extend(char.escape_unicode()),
            char => line.push(char),
        }
    }
    Cow::Owned(line)
}

fn is_line_end(char: char) -> bool {
    matches!(char, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Marks that change the direction of a text or cannot be seen: a line with them says something else than it seems to. Joiners and
/// selectors, with which people write words and pictures, are none of them.
pub(crate) fn is_hidden(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e00ff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_line_or_turns_it_around() {
        assert_eq!(one_line("a\r\nb\u{2028}c\u{2029}d\te\u{85}"), "a  b c d e ");
        assert_eq!(one_line("\u{1b}[31m\u{7}\u{9b}\0"), r"\u{1b}[31m\u{7}\u{9b}\u{0}");
        assert_eq!(one_line("abc\u{202e}fed\u{2066}\u{200b}\u{feff}\u{e0041}"), r"abc\u{202e}fed\u{2066}\u{200b}\u{feff}\u{e0041}");
        for same in ["", "Grüße, 東京 🎉", "👩\u{200d}💻 ❤\u{fe0f} می\u{200c}خواهم"] {
            assert!(matches!(one_line(same), Cow::Borrowed(line) if line == same), "{same}");
        }
    }
}
