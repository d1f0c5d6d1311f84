//! The first page of a pass: if two passes have the same one, no chain moved to the top in between.

use chrono::{DateTime, Utc};
use xxhash_rust::xxh3::xxh3_64;

use super::activity::Activity;
use crate::graph::{Item, Page};

/// What the first page of a pass shows.
#[derive(Debug)]
pub(super) struct FirstPage {
    /// Graph's clock.
    pub(super) at: DateTime<Utc>,
    /// The newest activity, as served.
    pub(super) head: Option<DateTime<Utc>>,
    /// The chains in their order with their activity as served, as hashes.
    chains: Vec<u64>,
    /// Whether the first chain has replies beyond those on the page: these may change, and it stays the first.
    pub(super) first_has_more: bool,
}

impl FirstPage {
    pub(super) fn of(page: &Page, has_more: impl Fn(Item<'_>) -> bool) -> Self {
        let messages = page.items().flat_map(|chain| std::iter::once(chain).chain(chain.replies()));
        let hash = |chain: Item<'_>| {
            let activity = chain.replies().map(Activity::of).fold(Activity::of(chain), Activity::later);
            xxh3_64(format!("{activity:?} {}", chain.value("id").unwrap_or_default()).as_bytes())
        };
        let head = messages.filter_map(|message| Activity::of(message).known()).max();
        Self {
            at: page.date().believed(head),
            head,
            chains: page.items().map(hash).collect(),
            first_has_more: page.items().next().is_some_and(has_more),
        }
    }

    /// Whether both show the same, as far as both reach down.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let both = self.chains.len().min(other.chains.len());
        both > 0 && self.chains[..both] == other.chains[..both]
    }
}
