//! Classifies the errors of delta: a table maps Graph's responses to the ways to continue (graph.md 4.1 and 4.2).

use crate::graph::{Cause, Error};

/// Why a round of delta failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DeltaFailure {
    /// Graph no longer accepts the token: start the round again, or start a new delta query.
    TokenRejected,
    /// Graph does not support delta for this channel.
    Unsupported,
    /// A temporary failure.
    Unavailable,
    /// Nothing more can be read for the stream.
    Fatal,
}

/// A row matches a response with one of these statuses whose code or message contains one of these lower-case words. Most responses have
/// the code `BadRequest`, so only the words distinguish an expired token from a channel without delta.
struct Row {
    statuses: [u16; 2],
    words: &'static [&'static str],
    failure: DeltaFailure,
}

/// The first matching row counts.
const ROWS: [Row; 6] = [
    Row { statuses: [410, 410], words: &[""], failure: DeltaFailure::TokenRejected },
    Row { statuses: [400, 400], words: &["backend request"], failure: DeltaFailure::Unavailable },
    Row { statuses: [400, 400], words: &["not supported"], failure: DeltaFailure::Unsupported },
    Row { statuses: [404, 404], words: &["not supported"], failure: DeltaFailure::Unavailable },
    Row { statuses: [400, 404], words: &["token", "syncstate", "resync"], failure: DeltaFailure::TokenRejected },
    Row { statuses: [400, 400], words: &[""], failure: DeltaFailure::Unsupported },
];

impl DeltaFailure {
    /// `is_link_stale`: the link has failed for so long that it is unlikely to work again.
    pub(crate) fn from_error(error: &Error, is_link_stale: bool) -> Self {
        match &error.cause {
            Cause::ErrorStatus(refusal) if refusal.status >= 500 && is_link_stale => Self::TokenRejected,
            Cause::ErrorStatus(refusal) => Self::from_refusal(refusal.status, &format!("{} {}", refusal.code, refusal.message)),
            Cause::Malformed(_) => Self::TokenRejected,
            // Starting the round again would lead to the same loop.
            Cause::EndlessPaging(_) => Self::Unsupported,
            Cause::Transport(_) | Cause::RateLimited(_) | Cause::TooLarge(_) => Self::Unavailable,
            Cause::SignIn(_) | Cause::ForeignLink(_) => Self::Fatal,
        }
    }

    fn from_refusal(status: u16, text: &str) -> Self {
        let text = text.to_lowercase();
        let matches = |row: &&Row| row.statuses.contains(&status) && row.words.iter().any(|word| text.contains(word));
        ROWS.iter().find(matches).map_or(Self::Unavailable, |row| row.failure)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn every_refusal_of_delta_has_its_failure() {
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
                let failure = DeltaFailure::from_refusal(status, text);
                if status == 599 || failure != DeltaFailure::from_refusal(status + 1, text) {
                    writeln!(table, "  {from}-{status} {failure:?}").unwrap();
                    from = status + 1;
                }
            }
        }
        insta::assert_snapshot!(table);
    }
}
