//! The first page of a pass. If two passes have the same one, no chain moved to the top in between.

use chrono::{DateTime, Utc};
use xxhash_rust::xxh3::xxh3_64;

use super::activity::Activity;
use crate::graph::{Item, Page};

#[derive(Debug)]
pub(super) struct FirstPage {
    /// Graph's clock when it returned the page.
    pub(super) at: DateTime<Utc>,
    /// The newest activity, as Graph returned it.
    pub(super) head: Option<DateTime<Utc>>,
    /// Hashes of the chains with their activity, in the order of the page.
    chains: Vec<u64>,
    /// Whether the first chain has replies that are not on the page. These may change without moving the chain.
    pub(super) first_has_more: bool,
}

impl FirstPage {
    pub(super) fn new(page: &Page, has_more: impl Fn(Item<'_>) -> bool) -> Self {
        let messages = page.items().flat_map(|chain| std::iter::once(chain).chain(chain.replies()));
        let hash = |chain: Item<'_>| {
            let activity = chain.replies().map(Activity::from_message).fold(Activity::from_message(chain), Activity::later);
            xxh3_64(format!("{activity:?} {}", chain.value("id").unwrap_or_default()).as_bytes())
        };
        let head = messages.filter_map(|message| Activity::from_message(message).known()).max();
        Self {
            at: page.date().trusted(head),
            head,
            chains: page.items().map(hash).collect(),
            first_has_more: page.items().next().is_some_and(has_more),
        }
    }

    /// Whether both pages show the same chains, as far as both reach down.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let both = self.chains.len().min(other.chains.len());
        both > 0 && self.chains[..both] == other.chains[..both]
    }
}
