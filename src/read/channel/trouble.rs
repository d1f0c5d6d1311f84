//! What an error means for delta: one table from what Graph refused to what is done about it (graph.md 4.1 and 4.2).

use crate::graph::{Cause, Error};

/// Why a round of delta did not come to its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    /// The token is no longer taken: the round begins again, or delta is opened anew.
    Ended,
    /// There is no delta for this channel.
    Refused,
    /// Graph has no answer for the moment.
    Unanswered,
    /// Nothing more can be read of the stream.
    Fatal,
}

/// A row fits a refusal with one of these statuses whose code or message has one of these words, in lower case. Graph has the code `BadRequest`
/// for most of them: only the words distinguish a token that has ended from a channel without delta.
struct Row {
    statuses: [u16; 2],
    words: &'static [&'static str],
    trouble: Trouble,
}

/// The first row that fits counts.
const ROWS: [Row; 6] = [
    Row { statuses: [410, 410], words: &[""], trouble: Trouble::Ended },
    Row { statuses: [400, 400], words: &["backend request"], trouble: Trouble::Unanswered },
    Row { statuses: [400, 400], words: &["not supported"], trouble: Trouble::Refused },
    Row { statuses: [404, 404], words: &["not supported"], trouble: Trouble::Unanswered },
    Row { statuses: [400, 404], words: &["token", "syncstate", "resync"], trouble: Trouble::Ended },
    Row { statuses: [400, 400], words: &[""], trouble: Trouble::Refused },
];

impl Trouble {
    /// Of an error. `is_given_up`: the link has not been answered for so long that it will hardly be.
    pub(crate) fn of(error: &Error, is_given_up: bool) -> Self {
        match &error.cause {
            Cause::Refused(refusal) if refusal.status >= 500 && is_given_up => Self::Ended,
            Cause::Refused(refusal) => Self::of_refusal(refusal.status, &format!("{} {}", refusal.code, refusal.message)),
            Cause::Malformed(_) => Self::Ended,
            // To begin the round again would lead the same way.
            Cause::EndlessPaging(_) => Self::Refused,
            Cause::Transport(_) | Cause::Closed(_) | Cause::TooLarge(_) => Self::Unanswered,
            Cause::SignIn(_) | Cause::ForeignLink(_) => Self::Fatal,
        }
    }

    fn of_refusal(status: u16, text: &str) -> Self {
        let text = text.to_lowercase();
        let fits = |row: &&Row| row.statuses.contains(&status) && row.words.iter().any(|word| text.contains(word));
        ROWS.iter().find(fits).map_or(Self::Unanswered, |row| row.trouble)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn every_refusal_of_delta_has_its_trouble() {
        let texts = [
            "",
            "BadRequest Parameter 'DeltaToken' not supported for this request.",
            "BadRequest Invalid request. Delta query is not supported by this resource.",
            "BadRequest Parameter 'Filter' not supported for this request.",
            "BadRequest The provided skip token is not valid.",
            "BadRequest Failed to execute Skype backend request GetThreadRequest.",
            "SyncStateInvalid The sync state is invalid.",
            "syncStateNotFound Not found.",
            "resyncRequired Resync required.",
            "UnknownError ",
        ];
        let mut table = String::new();
        for text in texts {
            writeln!(table, "{text:?}").unwrap();
            let mut from = 300;
            for status in 300..600 {
                let trouble = Trouble::of_refusal(status, text);
                if status == 599 || trouble != Trouble::of_refusal(status + 1, text) {
                    writeln!(table, "  {from}-{status} {trouble:?}").unwrap();
                    from = status + 1;
                }
            }
        }
        insta::assert_snapshot!(table);
    }
}
