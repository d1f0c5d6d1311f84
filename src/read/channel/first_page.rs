//! The first page of a pass. If two passes have the same one, no thread moved to the top between them.

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
    /// Hashes of the threads with their activity, in the order of the page.
    threads: Vec<u64>,
    /// Whether the first thread has replies that are not on the page. These may change without moving the thread.
    pub(super) first_has_more: bool,
}

impl FirstPage {
    pub(super) fn new(page: &Page, has_more: impl Fn(Item<'_>) -> bool) -> Self {
        let messages = page.items().flat_map(|root| std::iter::once(root).chain(root.replies()));
        let hash = |root: Item<'_>| {
            let activity = root.replies().map(Activity::from_message).fold(Activity::from_message(root), Activity::later);
            xxh3_64(format!("{activity:?} {}", root.value("id").unwrap_or_default()).as_bytes())
        };
        let head = messages.filter_map(|message| Activity::from_message(message).known()).max();
        Self {
            at: page.date().trusted(head),
            head,
            threads: page.items().map(hash).collect(),
            first_has_more: page.items().next().is_some_and(has_more),
        }
    }

    /// Whether both pages list the same threads, ignoring those at the end of the longer page.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let both = self.threads.len().min(other.threads.len());
        both > 0 && self.threads[..both] == other.threads[..both]
    }
}
