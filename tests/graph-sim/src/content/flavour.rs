//! The kinds of message that the generator knows, and how often each comes.

use std::collections::HashSet;

use super::events::SYSTEM_EVENTS;

/// What a message is made of, apart from being edited or deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flavour {
    #[default]
    Text,
    Html,
    Mention,
    TagMention,
    Reference,
    AdaptiveCard,
    /// A card without any text beside it.
    CardOnly,
    Announcement,
    CodeSnippet,
    Forwarded,
    HostedContent,
    NonAscii,
    /// About 28 KB, the most that Teams takes (graph.md 2.7).
    Long,
    Reacted,
    CustomReaction,
    PolicyViolation,
    Bot,
    Connector,
    /// A sender without displayName (graph.md 2.7).
    NamelessUser,
    /// A sender who is no more: `from` null.
    GoneUser,
    /// An identity type after the sentinel.
    EmailUser,
    Urgent,
    /// Optional properties absent instead of null.
    Sparse,
    /// Properties that no document has, on top and nested.
    Unknown,
    /// The n-th of [`SYSTEM_EVENTS`].
    SystemEvent(u8),
}

impl Flavour {
    /// One of each.
    pub fn all() -> Vec<Flavour> {
        let events = (0..SYSTEM_EVENTS.len()).map(|kind| Flavour::SystemEvent(kind as u8));
        let mut all: Vec<Flavour> = COMMON.into_iter().chain(RARE).chain([Flavour::Long]).chain(events).collect();
        let mut seen = HashSet::new();
        all.retain(|flavour| seen.insert(*flavour));
        all
    }

    /// As they are mixed in a busy channel.
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
