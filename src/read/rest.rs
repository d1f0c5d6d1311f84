//! The replies that Graph did not expand into their root: whether there are any, and which of two ways leads to them with fewer requests.
//!
//! Graph expands some replies (200 today) and links to the rest, in pages of a size of its own. The list of the thread has the largest pages,
//! but begins with what is known already (graph.md 2.5, 2.6).

use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::{DateTime, Utc};

use crate::{
    graph::{Item, Link},
    record::instant,
    streams::MAX_TOP,
};

/// Replies on a page that a link leads to, before one was seen: Graph's usual page, and the smallest that it has anywhere.
pub(crate) const USUAL_PAGE: usize = 20;

/// The most replies that are remembered of those that came with a root.
const MOST_KNOWN: usize = 1000;

/// Numbers of expanded replies that are remembered.
const MOST_CUTS: usize = 64;

/// The replies of a root beyond those that came with it.
#[derive(Debug)]
pub(crate) struct Rest {
    /// Where they go on; [`None`]: only the list of the thread has them.
    pub(crate) link: Option<Link>,
    /// What came with the root, as hashes.
    known: HashSet<u64>,
    /// How many came with the root.
    expanded: usize,
    /// How many there are beyond, by Graph's own count.
    counted: Option<usize>,
    /// How many there are likely to be, by the times of those that came; [`None`] if these say nothing.
    likely: Option<f64>,
}

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
    pub(crate) fn page_size(&self) -> usize {
        self.page_size.load(Ordering::Relaxed)
    }

    /// A page that a link led to had so many replies, and is not the last one.
    pub(crate) fn note_page_size(&self, replies: usize) {
        self.page_size.store(replies, Ordering::Relaxed);
    }

    /// The list of a thread had so many replies.
    pub(crate) fn learn(&self, thread: &Rest, replies: usize) {
        match thread.expanded {
            0 => {}
            expanded if replies > expanded => self.was_cut(expanded),
            expanded => self.was_whole(expanded),
        }
    }

    /// A thread has more than these replies that came with its root.
    fn was_cut(&self, expanded: usize) {
        let mut learned = self.learned();
        if learned.cuts.len() < MOST_CUTS {
            learned.cuts.insert(expanded);
        }
    }

    /// A thread has just these replies.
    fn was_whole(&self, expanded: usize) {
        let mut learned = self.learned();
        learned.whole = learned.whole.max(expanded);
    }

    /// Whether Graph has cut a thread at this number.
    pub(crate) fn is_cut(&self, expanded: usize) -> bool {
        self.learned().cuts.contains(&expanded)
    }

    /// Whether a thread may have more replies although Graph gives neither a link nor a count: it has as many as where another one was cut,
    /// or more than any that is known to be whole, and a page of them at least.
    fn may_be_cut(&self, expanded: usize) -> bool {
        let learned = self.learned();
        let is_longest = expanded >= USUAL_PAGE && expanded > learned.whole && learned.cuts.last().is_none_or(|&cut| expanded > cut);
        learned.cuts.contains(&expanded) || is_longest
    }
}

impl Rest {
    /// Of a root; [`None`] if all its replies came with it.
    pub(crate) fn of(root: Item<'_>, expansion: &Expansion) -> Option<Self> {
        let (link, expanded) = (root.replies_next().cloned(), root.replies().count());
        let counted = root.replies_count().and_then(|count| usize::try_from(count).ok()?.checked_sub(expanded)).filter(|&rest| rest > 0);
        if link.is_some() {
            expansion.was_cut(expanded);
        } else if counted.is_none() && !expansion.may_be_cut(expanded) {
            return None;
        }
        let known: HashSet<_> = root.replies().take(MOST_KNOWN).map(Item::hash).collect();
        let (first, last) = (root.replies().next().and_then(created), root.replies().last().and_then(created));
        let by_times =
            if link.is_some() { share_beyond(created(root), first, last).map(|share| expanded as f64 * share) } else { Some(0.0) };
        Some(Self { link, known, expanded, counted, likely: counted.map(|rest| rest as f64).or(by_times) })
    }

    /// Of a root that came without its replies.
    pub(crate) fn of_all() -> Self {
        Self { link: None, known: HashSet::new(), expanded: 0, counted: None, likely: Some(0.0) }
    }

    /// Whether the thread is better read as a list, from its beginning, after so many pages from the link with so many replies, which have a
    /// next one. Both ways together take at most twice the requests of the shorter one, however many replies there are.
    pub(crate) fn is_better_listed(&self, pages: usize, replies: usize, page: usize) -> bool {
        let page = page.max(1);
        let list = |rest: usize| (self.expanded + rest).div_ceil(MAX_TOP as usize);
        if let Some(rest) = self.counted.filter(|&rest| rest > replies) {
            return list(rest) < (rest - replies).div_ceil(page);
        }
        // Whatever the number of replies, with the next page the link has taken one request more than so far.
        let (at_least, with_next_page, likely) = (list(replies + 1), list(replies + page), self.likely.unwrap_or_default() as usize);
        let is_likely_shorter = likely > replies && list(likely) < likely.div_ceil(page);
        page < MAX_TOP as usize && with_next_page <= pages + 2 && (pages >= at_least || is_likely_shorter)
    }

    /// Replies that are likely beyond what came with the root, and the requests that they take on pages of this size.
    pub(crate) fn likely(&self, page: usize) -> (f64, f64) {
        let likely = self.likely.unwrap_or(self.expanded as f64);
        (likely, self.requests(likely as usize, page) as f64)
    }

    /// The requests that so many replies beyond what came with the root take, on pages of this size.
    fn requests(&self, beyond: usize, page: usize) -> usize {
        let (page, mut pages) = (page.max(1), 0);
        loop {
            if self.link.is_none() || self.is_better_listed(pages, pages * page, page) {
                return pages + (self.expanded + beyond).div_ceil(MAX_TOP as usize).max(1);
            }
            pages += 1;
            if pages * page >= beyond {
                return pages;
            }
        }
    }

    /// Whether replies may be missing, as far as is known by now.
    pub(crate) fn is_wanted(&self, expansion: &Expansion) -> bool {
        self.link.is_some() || self.counted.is_some() || self.expanded == 0 || expansion.may_be_cut(self.expanded)
    }

    /// Whether this reply came with the root, the same in every property.
    pub(crate) fn knows(&self, reply: Item<'_>) -> bool {
        self.known.contains(&reply.hash())
    }
}

fn created(message: Item<'_>) -> Option<DateTime<Utc>> {
    instant(&message.created()?)
}

/// How many times the replies that came are likely beyond them: as many as the time before them holds. Nothing is known of that where the oldest
/// came first, or times are missing.
pub(crate) fn share_beyond(root: Option<DateTime<Utc>>, first: Option<DateTime<Utc>>, last: Option<DateTime<Utc>>) -> Option<f64> {
    let (root, first, last) = (root?, first?, last?);
    (last < first).then(|| (last - root).num_seconds().max(0) as f64 / (first - last).num_seconds().max(1) as f64)
}

#[cfg(test)]
impl Rest {
    /// Of a root that came with so many replies and this link, and has so many more by Graph's count.
    pub(crate) fn beyond(link: Link, expanded: usize, counted: Option<usize>) -> Self {
        Self { link: Some(link), known: HashSet::new(), expanded, counted, likely: None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rest(expanded: usize, counted: Option<usize>, likely: Option<f64>) -> Rest {
        let link = Link::from_path("/v1.0/teams/t/channels/c/messages/m/replies?$skiptoken=x").unwrap();
        Rest { likely, ..Rest::beyond(link, expanded, counted) }
    }

    proptest! {
        #[test]
        fn a_thread_takes_at_most_twice_the_least_requests(
            expanded in 0_usize..1100, beyond in 1_usize..5000, page in 1_usize..60, likely in proptest::option::of(0.0..10_000.0),
        ) {
            let least = beyond.div_ceil(page).min((expanded + beyond).div_ceil(MAX_TOP as usize));
            let taken = rest(expanded, None, likely).requests(beyond, page);
            prop_assert!(taken <= 2 * least, "{taken} > 2 * {least}");
            prop_assert_eq!(rest(expanded, Some(beyond), likely).requests(beyond, page), least);
        }
    }

    #[test]
    fn a_thread_whose_times_tell_its_length_takes_the_least() {
        for (beyond, least) in [(1, 1), (30, 2), (100, 5), (130, 7)] {
            assert_eq!(rest(200, None, Some(beyond as f64)).requests(beyond, 20), least, "{beyond}");
        }
        assert_eq!(rest(200, None, Some(1000.0)).requests(1000, 20), 4 + 24);
    }

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
    fn what_is_beyond_is_estimated_from_times() {
        let at = |seconds: i64| DateTime::from_timestamp(1_790_000_000 + seconds, 0);
        assert_eq!(share_beyond(at(0), at(400), at(100)), Some(100.0 / 300.0));
        assert_eq!(share_beyond(at(0), at(100), at(400)), None);
        assert_eq!(share_beyond(None, at(400), at(100)), None);
        assert_eq!(share_beyond(at(500), at(400), at(100)), Some(0.0));
    }
}
