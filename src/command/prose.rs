//! Text for a terminal: lines that end between words, and names that others have given, of which nothing is obeyed and nothing is too wide.

use std::io;

use terminal_size::{Width, terminal_size_of};
use textwrap::{Options, WordSplitter, core::display_width, fill};

use crate::shown::is_hidden;

/// Lines are no longer, however wide the terminal is; and so long where there is none.
const WIDEST: usize = 120;
const IN_A_PIPE: usize = 100;

const NO_BREAK: &str = "\u{a0}";

/// How wide lines on stdout may be.
pub(super) fn width() -> usize {
    terminal_size_of(io::stdout()).map_or(IN_A_PIPE, |(Width(width), _)| usize::from(width).min(WIDEST))
}

/// A paragraph in lines of that width. It goes on below its head, which the first line begins with.
pub(super) fn paragraph(head: &str, text: &str, width: usize) -> String {
    lines(text, head, &" ".repeat(head.len()), width)
}

/// A text in lines of that width, with what stands before the first and before the others. Nothing is split that has no space, such as a link.
pub(super) fn lines(text: &str, first: &str, others: &str, width: usize) -> String {
    let options = Options::new(width).initial_indent(first).subsequent_indent(others);
    fill(&shown(text), options.break_words(false).word_splitter(WordSplitter::NoHyphenation)).replace(NO_BREAK, " ")
}

/// A text that no line ends within.
pub(super) fn unbroken(text: &str) -> String {
    text.replace(' ', NO_BREAK)
}

/// A text without what a terminal would obey, and without what has no width of its own: terminals do not agree on how wide it makes the rest.
pub(super) fn shown(text: &str) -> String {
    let shown = text.chars().filter(|char| !is_invisible(*char)).map(|char| if char.is_control() { ' ' } else { char }).collect::<String>();
    shown.trim().to_owned()
}

/// A text that is no wider than that.
pub(super) fn cut(text: &str, width: usize) -> String {
    if display_width(text) <= width {
        return text.to_owned();
    }
    let (mut kept, mut taken) = (String::new(), 0);
    for char in text.chars() {
        taken += display_width(char.encode_utf8(&mut [0; 4]));
        if taken >= width {
            break;
        }
        kept.push(char);
    }
    kept.trim_end().to_owned() + "…"
}

/// Besides what is hidden: joiners and selectors of variants.
fn is_invisible(char: char) -> bool {
    is_hidden(char) || matches!(char, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_and_not_within_numbers() {
        let text = format!("about {} and then so many more", unbroken("23,950 ±4%"));
        assert_eq!(paragraph("Time: ", &text, 20), "Time: about\n      23,950 ±4% and\n      then so many\n      more");
        assert_eq!(paragraph("- ", "508b6f48-e21b-4222-8a2d-a18ff1dbeda2", 20), "- 508b6f48-e21b-4222-8a2d-a18ff1dbeda2");
    }

    #[test]
    fn nothing_of_a_name_is_obeyed() {
        assert_eq!(shown("\u{1b}[31mred\u{9b}2J\r\n"), "[31mred 2J");
        assert_eq!(shown("abc\u{202e}fed \u{1f469}\u{200d}\u{1f4bb} \u{2764}\u{fe0f}"), "abcfed \u{1f469}\u{1f4bb} \u{2764}");
    }

    #[test]
    fn a_name_is_as_wide_as_a_terminal_shows_it() {
        let cuts = ["general", "generally", "東京支社の皆さん", "東京支社", "🎉🎉🎉🎉🎉"].map(|name| cut(name, 8));
        assert_eq!(cuts, ["general", "general…", "東京支…", "東京支社", "🎉🎉🎉…"]);
        assert!(cuts.iter().all(|cut| display_width(cut) <= 8));
    }
}
