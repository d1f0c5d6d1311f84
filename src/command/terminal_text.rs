//! Text for terminals: wrapping, and removal of control characters from names.

use std::io;

use terminal_size::{Width, terminal_size_of};
use textwrap::{Options, WordSplitter, core::display_width, fill};

use crate::printable::is_hidden;

/// Maximum width of lines on a terminal.
const MAX_WIDTH: usize = 120;
/// Width of lines in a pipe.
const PIPE_WIDTH: usize = 100;

const NO_BREAK: &str = "\u{a0}";

/// The width of lines on stdout.
pub(super) fn width() -> usize {
    terminal_size_of(io::stdout()).map_or(PIPE_WIDTH, |(Width(width), _)| usize::from(width).min(MAX_WIDTH))
}

/// Wraps a paragraph. The first line starts with `head`; the others are indented by its width.
pub(super) fn paragraph(head: &str, text: &str, width: usize) -> String {
    lines(text, head, &" ".repeat(head.len()), width)
}

/// Wraps a text at spaces, so that links stay whole. `first` precedes the first line, `others` the other lines.
pub(super) fn lines(text: &str, first: &str, others: &str, width: usize) -> String {
    let options = Options::new(width).initial_indent(first).subsequent_indent(others);
    fill(&without_controls(text), options.break_words(false).word_splitter(WordSplitter::NoHyphenation)).replace(NO_BREAK, " ")
}

/// Keeps a text on one line when it is wrapped.
pub(super) fn unbroken(text: &str) -> String {
    text.replace(' ', NO_BREAK)
}

/// Removes control characters, which a terminal would obey, and characters of no width, which terminals measure differently.
pub(super) fn without_controls(text: &str) -> String {
    let visible =
        text.chars().filter(|char| !is_invisible(*char)).map(|char| if char.is_control() { ' ' } else { char }).collect::<String>();
    visible.trim().to_owned()
}

/// Shortens a text to a maximum width.
pub(super) fn truncate(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let (mut kept, mut used) = (String::new(), 0);
    for char in text.chars() {
        used += display_width(char.encode_utf8(&mut [0; 4]));
        if used >= width {
            break;
        }
        kept.push(char);
    }
    kept.trim_end().to_owned() + "…"
}

/// Includes joiners and variation selectors.
fn is_invisible(char: char) -> bool {
    is_hidden(char) || matches!(char, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_not_within_numbers() {
        let text = format!("about {} and then so many more", unbroken("23,950 ±4%"));
        assert_eq!(paragraph("Time: ", &text, 20), "Time: about\n      23,950 ±4% and\n      then so many\n      more");
        assert_eq!(paragraph("- ", "508b6f48-e21b-4222-8a2d-a18ff1dbeda2", 20), "- 508b6f48-e21b-4222-8a2d-a18ff1dbeda2");
    }

    #[test]
    fn control_characters_are_removed() {
        assert_eq!(without_controls("\u{1b}[31mred\u{9b}2J\r\n"), "[31mred 2J");
        assert_eq!(without_controls("abc\u{202e}fed \u{1f469}\u{200d}\u{1f4bb} \u{2764}\u{fe0f}"), "abcfed \u{1f469}\u{1f4bb} \u{2764}");
    }

    #[test]
    fn names_are_truncated_by_display_width() {
        let cuts = ["general", "generally", "東京支社の皆さん", "東京支社", "🎉🎉🎉🎉🎉"].map(|name| truncate(name, 8));
        assert_eq!(cuts, ["general", "general…", "東京支…", "東京支社", "🎉🎉🎉…"]);
        assert!(cuts.iter().all(|cut| display_width(cut) <= 8));
    }
}
