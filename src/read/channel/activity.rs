//! The times of messages and chains: what is new, and how new.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    graph::{Item, Page},
    record::instant,
    state::BEGINNING,
};

/// The newest time of a message or a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activity {
    /// There is no message.
    None,
    Known(DateTime<Utc>),
    /// A message has no time that could be read: the chain may be newer than all others.
    Unknown,
}

impl Activity {
    /// The newest time of one message. Graph has left out lastModifiedDateTime of what was never changed (graph.md 3): then its creation counts.
    pub(crate) fn of(message: Item<'_>) -> Self {
        let changed = message.times().filter_map(|text| instant(&text)).max();
        changed.or_else(|| instant(&message.created()?)).map_or(Self::Unknown, Self::Known)
    }

    /// The newest time of a chain: unknown while replies are missing.
    pub(crate) fn of_chain(chain: Item<'_>) -> Self {
        match chain.replies_next() {
            Some(_) => Self::Unknown,
            None => chain.replies().map(Self::of).fold(Self::of(chain), Self::later),
        }
    }

    pub(crate) fn later(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::None, activity) | (activity, Self::None) => activity,
            (Self::Known(one), Self::Known(other)) => Self::Known(one.max(other)),
        }
    }

    pub(crate) fn known(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Known(time) => Some(time),
            Self::None | Self::Unknown => None,
        }
    }
}

/// A time, and so much before it.
pub(crate) fn before(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| time.checked_sub_signed(by)).unwrap_or(BEGINNING).max(BEGINNING)
}

/// How far down the chains have been met: below a bound are all further ones too if two in a row were. One alone may stand higher than its
/// times tell, such as a chain whose newest reply was removed for good.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Descent {
    last: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
}

impl Descent {
    /// Takes note of the next chain; one of unknown activity tells nothing.
    pub(crate) fn meet(&mut self, activity: Activity) {
        if let Activity::Known(time) = activity {
            (self.before, self.last) = (self.last, Some(time));
        }
    }

    pub(crate) fn is_below(self, bound: DateTime<Utc>) -> bool {
        self.last.zip(self.before).is_some_and(|(last, before)| last < bound && before < bound)
    }
}

/// What the first page tells about a channel: if two are alike, no chain moved to the top in between.
#[derive(Debug)]
pub(crate) struct Top {
    /// The newest activity, as served.
    pub(crate) head: Option<DateTime<Utc>>,
    /// The chains in their order with their activity as served, as hashes.
    chains: Vec<u64>,
    /// Whether the first chain has replies beyond those on the page: these may change, and it stays the first.
    pub(crate) goes_on: bool,
}

impl Top {
    pub(crate) fn of(page: &Page, goes_on: impl Fn(Item<'_>) -> bool) -> Self {
        let messages = page.items().flat_map(|chain| std::iter::once(chain).chain(chain.replies()));
        let hash = |chain: Item<'_>| {
            let activity = chain.replies().map(Activity::of).fold(Activity::of(chain), Activity::later);
            xxh3_64(format!("{activity:?} {}", chain.value("id").unwrap_or_default()).as_bytes())
        };
        Self {
            head: messages.filter_map(|message| Activity::of(message).known()).max(),
            chains: page.items().map(hash).collect(),
            goes_on: page.items().next().is_some_and(goes_on),
        }
    }

    /// That of a page of which only the newest activity is known: like no other.
    pub(crate) fn of_unseen(head: Option<DateTime<Utc>>) -> Self {
        Self { head, chains: Vec::new(), goes_on: false }
    }

    /// Whether both tell the same, as far as both reach down.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let both = self.chains.len().min(other.chains.len());
        both > 0 && self.chains[..both] == other.chains[..both]
    }
}
