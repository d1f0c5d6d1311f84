//! How Graph expands replies into their roots, as far as this run has seen it (graph.md 2.5).

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Replies on a page that a link leads to, before one was seen: Graph's usual page, and the smallest that it has anywhere.
pub(crate) const USUAL_PAGE: usize = 20;

/// The most numbers of expanded replies that are remembered.
const MAX_CUTS: usize = 64;

/// How many replies Graph expands, and how large the pages of the rest are, learned in this run. There is no fixed number: it was 1,000 once
/// and is 200 now (graph.md 2.5).
#[derive(Debug)]
pub(crate) struct Expansion {
    learned: Mutex<Learned>,
    /// Replies on a page that a link leads to, as seen last.
    page_size: AtomicUsize,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { learned: Mutex::default(), page_size: AtomicUsize::new(USUAL_PAGE) }
    }
}

#[derive(Debug, Default)]
struct Learned {
    /// Numbers at which Graph has cut a thread.
    cuts: BTreeSet<usize>,
    /// The largest number that was found to be a whole thread.
    whole: usize,
}

impl Expansion {
    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replies on a page that a link leads to.
    pub(super) fn page_size(&self) -> usize {
        self.page_size.load(Ordering::Relaxed)
    }

    /// A page that a link led to had this many replies, and is not the last one.
    pub(super) fn note_page_size(&self, replies: usize) {
        self.page_size.store(replies, Ordering::Relaxed);
    }

    /// The list of a thread had the given number of replies, some of which came with its root.
    pub(super) fn learn(&self, expanded: usize, replies: usize) {
        match expanded {
            0 => {}
            expanded if replies > expanded => self.was_cut(expanded),
            expanded => self.was_whole(expanded),
        }
    }

    /// A thread has more than these replies that came with its root.
    pub(super) fn was_cut(&self, expanded: usize) {
        let mut learned = self.learned();
        if learned.cuts.len() < MAX_CUTS {
            learned.cuts.insert(expanded);
        }
    }

    /// A thread has just these replies.
    fn was_whole(&self, expanded: usize) {
        let mut learned = self.learned();
        learned.whole = learned.whole.max(expanded);
    }

    /// Whether Graph has cut a thread at this number.
    pub(super) fn is_cut(&self, expanded: usize) -> bool {
        self.learned().cuts.contains(&expanded)
    }

    /// Whether a thread may have more replies although Graph gives neither a link nor a count: it has as many as where another one was cut,
    /// or more than any that is known to be whole, and a page of them at least.
    pub(super) fn may_be_cut(&self, expanded: usize) -> bool {
        let learned = self.learned();
        let is_longest = expanded >= USUAL_PAGE && expanded > learned.whole && learned.cuts.last().is_none_or(|&cut| expanded > cut);
        learned.cuts.contains(&expanded) || is_longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_graph_expands_is_learned_from_threads_that_were_cut() {
        let expansion = Expansion::default();
        assert_eq!([19, 20, 200].map(|expanded| expansion.may_be_cut(expanded)), [false, true, true]);
        expansion.was_whole(30);
        assert_eq!([20, 30, 31].map(|expanded| expansion.may_be_cut(expanded)), [false, false, true]);
        expansion.was_cut(200);
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
