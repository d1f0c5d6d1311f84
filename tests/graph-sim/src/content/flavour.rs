//! The kinds of messages that the generator creates, and their frequencies.

use std::collections::HashSet;

use super::events::SYSTEM_EVENTS;

/// The kind of a message. Messages of each kind may also be edited or deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flavour {
    #[default]
    Text,
    Html,
    Mention,
    TagMention,
    Reference,
    AdaptiveCard,
    /// A card without text.
    CardOnly,
    Announcement,
    CodeSnippet,
    Forwarded,
    HostedContent,
    NonAscii,
    /// About 28 KB, the maximum of Teams (graph.md 2.7).
    Long,
    Reacted,
    CustomReaction,
    PolicyViolation,
    Bot,
    Connector,
    /// A sender without displayName (graph.md 2.7).
    NamelessUser,
    /// The sender no longer exists: `from` is null.
    GoneUser,
    /// An identity type that is `unknownFutureValue` without the `Prefer` header.
    EmailUser,
    Urgent,
    /// Optional properties are absent instead of null.
    Sparse,
    /// Has undocumented properties, at the top level and nested.
    Unknown,
    /// An index in [`SYSTEM_EVENTS`].
    SystemEvent(u8),
}

impl Flavour {
    /// All kinds.
    pub fn all() -> Vec<Flavour> {
        let events = (0..SYSTEM_EVENTS.len()).map(|kind| Flavour::SystemEvent(kind as u8));
        let mut all: Vec<Flavour> = COMMON.into_iter().chain(RARE).chain([Flavour::Long]).chain(events).collect();
        let mut seen = HashSet::new();
        all.retain(|flavour| seen.insert(*flavour));
        all
    }

    /// Draws a kind with the frequencies of a busy channel.
    pub(crate) fn draw(rng: &mut fastrand::Rng) -> Flavour {
        match rng.u64(..1000) {
            0..30 => Flavour::SystemEvent(rng.u8(..SYSTEM_EVENTS.len() as u8)),
            30..110 => RARE[rng.usize(..RARE.len())],
            110..115 => Flavour::Long,
            _ => COMMON[rng.usize(..COMMON.len())],
        }
    }
}

const COMMON: [Flavour; 8] =
    [Flavour::Text, Flavour::Html, Flavour::Html, Flavour::Mention, Flavour::Text, Flavour::NonAscii, Flavour::Reacted, Flavour::Reference];

const RARE: [Flavour; 17] = [
    Flavour::TagMention,
    Flavour::AdaptiveCard,
    Flavour::CardOnly,
    Flavour::Announcement,
    Flavour::CodeSnippet,
    Flavour::Forwarded,
    Flavour::HostedContent,
    Flavour::CustomReaction,
    Flavour::PolicyViolation,
    Flavour::Bot,
    Flavour::Connector,
    Flavour::NamelessUser,
    Flavour::GoneUser,
    Flavour::EmailUser,
    Flavour::Urgent,
    Flavour::Sparse,
    Flavour::Unknown,
];
