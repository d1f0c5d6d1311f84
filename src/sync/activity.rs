//! The times of messages and chains: what is new, and how new.

use chrono::{DateTime, Utc};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    graph::{Item, Page},
    record::instant,
};

/// The times that make the activity of a message.
const TIMES: [&str; 3] = ["lastModifiedDateTime", "lastEditedDateTime", "deletedDateTime"];

/// The newest time of a message or a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Activity {
    /// There is no message.
    None,
    Known(DateTime<Utc>),
    /// A message has no time that could be read: the chain may be newer than all others.
    Unknown,
}

impl Activity {
    /// The newest time of one message.
    pub(super) fn of(message: Item<'_>) -> Self {
        let time = |name| message.text(name).and_then(|text| instant(&text));
        TIMES.into_iter().filter_map(time).max().map_or(Self::Unknown, Self::Known)
    }

    /// The newest time of a chain: unknown while replies are missing.
    pub(super) fn of_chain(chain: Item<'_>) -> Self {
        match chain.replies_next() {
            Some(_) => Self::Unknown,
            None => chain.replies().map(Self::of).fold(Self::of(chain), Self::later),
        }
    }

    pub(super) fn later(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::None, activity) | (activity, Self::None) => activity,
            (Self::Known(one), Self::Known(other)) => Self::Known(one.max(other)),
        }
    }

    pub(super) fn known(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Known(time) => Some(time),
            Self::None | Self::Unknown => None,
        }
    }
}

/// What a first page tells about a channel: if two are alike, no chain moved to the top in between.
#[derive(Debug)]
pub(super) struct Top {
    /// The newest activity, as served.
    pub(super) head: Option<DateTime<Utc>>,
    /// The chains in their order, as hashes of their ids.
    order: Vec<u64>,
}

impl Top {
    pub(super) fn of(page: &Page) -> Self {
        let messages = page.items().flat_map(|chain| std::iter::once(chain).chain(chain.replies()));
        let order = page.items().map(|chain| xxh3_64(chain.value("id").unwrap_or_default().as_bytes())).collect();
        Self { head: messages.filter_map(|message| Activity::of(message).known()).max(), order }
    }

    /// That of a page of which only the newest activity is known: like no other.
    pub(super) fn of_unseen(head: Option<DateTime<Utc>>) -> Self {
        Self { head, order: Vec::new() }
    }

    /// Whether both tell the same, as far as both reach down.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let both = self.order.len().min(other.order.len());
        both > 0 && self.head == other.head && self.order[..both] == other.order[..both]
    }
}
