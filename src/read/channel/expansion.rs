//! What this run has learned about how Graph expands replies into their root messages (graph.md 2.5).

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The assumed number of replies on a page that a link leads to, before one was seen: Graph's usual page size, and the smallest that it
/// uses.
pub(crate) const DEFAULT_PAGE_SIZE: usize = 20;

/// Maximum number of cuts to remember.
const MAX_CUTS: usize = 64;

/// How many replies Graph expands and how large the pages with further replies are. These numbers are not fixed: the first was 1,000 once
/// and is 200 now (graph.md 2.5).
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
    /// Numbers of replies at which Graph has cut a thread.
    cuts: BTreeSet<usize>,
    /// The largest number of replies that was a whole thread.
    whole: usize,
}

impl Expansion {
    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn page_size(&self) -> usize {
        self.page_size.load(Ordering::Relaxed)
    }

    /// Notes that a page that a link led to has this many replies, and a next page.
    pub(super) fn note_page_size(&self, replies: usize) {
        self.page_size.store(replies, Ordering::Relaxed);
    }

    /// Notes that the list of a thread had `replies` replies, of which `expanded` came with the root.
    pub(super) fn learn(&self, expanded: usize, replies: usize) {
        match expanded {
            0 => {}
            expanded if replies > expanded => self.note_cut(expanded),
            expanded => self.note_whole(expanded),
        }
    }

    /// Notes that a thread has more replies than these, which came with its root.
    pub(super) fn note_cut(&self, expanded: usize) {
        let mut learned = self.learned();
        if learned.cuts.len() < MAX_CUTS {
            learned.cuts.insert(expanded);
        }
    }

    /// Notes that a thread has exactly these replies.
    fn note_whole(&self, expanded: usize) {
        let mut learned = self.learned();
        learned.whole = learned.whole.max(expanded);
    }

    pub(super) fn is_cut(&self, expanded: usize) -> bool {
        self.learned().cuts.contains(&expanded)
    }

    /// Whether a thread may have more replies although Graph returns neither a link nor a count: it has as many replies as another thread
    /// that was cut, or at least a page of them and more than any thread that is known to be whole.
    pub(super) fn may_be_cut(&self, expanded: usize) -> bool {
        let learned = self.learned();
        let is_longest = expanded >= DEFAULT_PAGE_SIZE && expanded > learned.whole && learned.cuts.last().is_none_or(|&cut| expanded > cut);
        learned.cuts.contains(&expanded) || is_longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_expanded_replies_is_learned_from_threads_that_were_cut() {
        let expansion = Expansion::default();
        assert_eq!([19, 20, 200].map(|expanded| expansion.may_be_cut(expanded)), [false, true, true]);
        expansion.note_whole(30);
        assert_eq!([20, 30, 31].map(|expanded| expansion.may_be_cut(expanded)), [false, false, true]);
        expansion.note_cut(200);
        assert_eq!([31, 199, 200, 201].map(|expanded| expansion.may_be_cut(expanded)), [false, false, true, true]);
        assert!(expansion.is_cut(200) && !expansion.is_cut(199));
    }

    #[test]
    fn the_list_of_a_thread_shows_whether_it_was_cut() {
        let expansion = Expansion::default();
        expansion.learn(30, 30);
        assert_eq!([30, 31].map(|expanded| expansion.may_be_cut(expanded)), [false, true]);
        [(0, 9), (200, 201)].into_iter().for_each(|(expanded, replies)| expansion.learn(expanded, replies));
        assert_eq!([0, 30, 200].map(|expanded| expansion.is_cut(expanded)), [false, false, true]);
    }
}
