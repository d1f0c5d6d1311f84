//! Learns during a run how Graph expands replies into their root messages (graph.md 2.5).

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The assumed number of replies on a page that a link leads to, until the run has seen one. It is Graph's usual page size and the smallest
/// that it uses.
pub(crate) const DEFAULT_PAGE_SIZE: usize = 20;

/// Maximum number of truncated sizes to remember.
const MAX_TRUNCATED_SIZES: usize = 64;

/// How many replies Graph expands and how large the pages with further replies are. These numbers change: Graph used to expand
/// 1,000 replies and now expands 200 (graph.md 2.5).
#[derive(Debug)]
pub(crate) struct Expansion {
    learned: Mutex<Learned>,
    /// Number of replies on a page that a link leads to, as last seen.
    page_size: AtomicUsize,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { learned: Mutex::default(), page_size: AtomicUsize::new(DEFAULT_PAGE_SIZE) }
    }
}

#[derive(Debug, Default)]
struct Learned {
    /// Numbers of replies after which Graph has truncated a thread.
    truncated_sizes: BTreeSet<usize>,
    /// The largest number of expanded replies that was a whole thread.
    whole: usize,
}

impl Expansion {
    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn page_size(&self) -> usize {
        self.page_size.load(Ordering::Relaxed)
    }

    /// Notes the number of replies on a page that a link led to and that has a next page.
    pub(super) fn note_page_size(&self, replies: usize) {
        self.page_size.store(replies, Ordering::Relaxed);
    }

    /// Notes that the list of a thread has `replies` replies, `expanded` of which came with the root.
    pub(super) fn learn(&self, expanded: usize, replies: usize) {
        match expanded {
            0 => {}
            expanded if replies > expanded => self.note_truncated(expanded),
            expanded => self.note_whole(expanded),
        }
    }

    /// Notes that a thread has more replies than the `expanded` ones that came with its root.
    pub(super) fn note_truncated(&self, expanded: usize) {
        let mut learned = self.learned();
        if learned.truncated_sizes.len() < MAX_TRUNCATED_SIZES {
            learned.truncated_sizes.insert(expanded);
        }
    }

    /// Notes that a thread has no more replies than the `expanded` ones that came with its root.
    fn note_whole(&self, expanded: usize) {
        let mut learned = self.learned();
        learned.whole = learned.whole.max(expanded);
    }

    pub(super) fn is_truncated(&self, expanded: usize) -> bool {
        self.learned().truncated_sizes.contains(&expanded)
    }

    /// Whether a thread may have more replies although Graph returns neither a link nor a count. This is possible if it has as many replies
    /// as another thread that was truncated, or at least a page of replies and more than any thread that is known to be whole.
    pub(super) fn may_be_truncated(&self, expanded: usize) -> bool {
        let learned = self.learned();
        let is_longest =
            expanded >= DEFAULT_PAGE_SIZE && expanded > learned.whole && learned.truncated_sizes.last().is_none_or(|&size| expanded > size);
        learned.truncated_sizes.contains(&expanded) || is_longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_expanded_replies_is_learned_from_truncated_threads() {
        let expansion = Expansion::default();
        assert_eq!([19, 20, 200].map(|expanded| expansion.may_be_truncated(expanded)), [false, true, true]);
        expansion.note_whole(30);
        assert_eq!([20, 30, 31].map(|expanded| expansion.may_be_truncated(expanded)), [false, false, true]);
        expansion.note_truncated(200);
        assert_eq!([31, 199, 200, 201].map(|expanded| expansion.may_be_truncated(expanded)), [false, false, true, true]);
        assert!(expansion.is_truncated(200) && !expansion.is_truncated(199));
    }

    #[test]
    fn the_list_of_a_thread_shows_whether_it_was_truncated() {
        let expansion = Expansion::default();
        expansion.learn(30, 30);
        assert_eq!([30, 31].map(|expanded| expansion.may_be_truncated(expanded)), [false, true]);
        [(0, 9), (200, 201)].into_iter().for_each(|(expanded, replies)| expansion.learn(expanded, replies));
        assert_eq!([0, 30, 200].map(|expanded| expansion.is_truncated(expanded)), [false, false, true]);
    }
}
