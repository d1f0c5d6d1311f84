//! The replies that Graph did not expand into their root: whether there are any, and which of two ways leads to them with fewer requests.
//!
//! Graph expands some replies (200 today) and links to the rest, in pages of a size of its own. The list of the thread has the largest pages,
//! but begins with what is known already (graph.md 2.5, 2.6).

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::expansion::Expansion;
use crate::{
    graph::{Item, Link},
    record::instant,
    streams::MAX_TOP,
};

/// The most replies that are remembered of those that came with a root.
const MAX_KNOWN: usize = 1000;

/// The replies of a root beyond those that came with it.
#[derive(Debug)]
pub(crate) struct RemainingReplies {
    /// Where they go on; [`None`]: only the list of the thread has them.
    pub(crate) link: Option<Link>,
    /// What came with the root, as hashes.
    known: HashSet<u64>,
    /// How many came with the root.
    expanded: usize,
    /// How many there are beyond, by Graph's own count.
    counted: Option<usize>,
    /// How many there are likely to be, by the times of those that came; [`None`] if these show nothing.
    likely: Option<f64>,
}

impl RemainingReplies {
    /// Of a root; [`None`] if all its replies came with it.
    pub(crate) fn of(root: Item<'_>, expansion: &Expansion) -> Option<Self> {
        let (link, expanded) = (root.replies_next().cloned(), root.replies().count());
        let counted = root.replies_count().and_then(|count| usize::try_from(count).ok()?.checked_sub(expanded)).filter(|&rest| rest > 0);
        if link.is_some() {
            expansion.was_cut(expanded);
        } else if counted.is_none() && !expansion.may_be_cut(expanded) {
            return None;
        }
        let known: HashSet<_> = root.replies().take(MAX_KNOWN).map(Item::hash).collect();
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

    /// How many came with the root.
    pub(super) fn expanded(&self) -> usize {
        self.expanded
    }

    /// Replies that are likely beyond what came with the root, and the requests that they take on pages of this size.
    pub(crate) fn likely(&self, page: usize) -> (f64, f64) {
        let likely = self.likely.unwrap_or(self.expanded as f64);
        (likely, self.requests(likely as usize, page) as f64)
    }

    /// The requests that this number of replies beyond what came with the root takes, on pages of this size.
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
impl RemainingReplies {
    /// Of a root that came with `expanded` replies and this link, and has `counted` more by Graph's count.
    pub(crate) fn beyond(link: Link, expanded: usize, counted: Option<usize>) -> Self {
        Self { link: Some(link), known: HashSet::new(), expanded, counted, likely: None }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rest(expanded: usize, counted: Option<usize>, likely: Option<f64>) -> RemainingReplies {
        let link = Link::from_path("/v1.0/teams/t/channels/c/messages/m/replies?$skiptoken=x").unwrap();
        RemainingReplies { likely, ..RemainingReplies::beyond(link, expanded, counted) }
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
    fn what_is_beyond_is_estimated_from_times() {
        let at = |seconds: i64| DateTime::from_timestamp(1_790_000_000 + seconds, 0);
        assert_eq!(share_beyond(at(0), at(400), at(100)), Some(100.0 / 300.0));
        assert_eq!(share_beyond(at(0), at(100), at(400)), None);
        assert_eq!(share_beyond(None, at(400), at(100)), None);
        assert_eq!(share_beyond(at(500), at(400), at(100)), Some(0.0));
    }
}
