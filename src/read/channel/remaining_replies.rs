//! The replies that Graph did not expand into their root message: whether there are any, and which of two ways to fetch them takes fewer
//! requests.
//!
//! Graph expands some replies (200 today) and links to the rest, with a page size of its own. The list of the thread has larger pages, but
//! begins with the replies that are known already (graph.md 2.5, 2.6).

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::expansion::Expansion;
use crate::{
    graph::{Item, Link},
    record::instant,
    streams::MAX_TOP,
};

/// Maximum number of replies to remember of those that came with a root.
const MAX_KNOWN: usize = 1000;

/// The replies of a root that did not come with it.
#[derive(Debug)]
pub(crate) struct RemainingReplies {
    /// Link to the next replies; [`None`]: only the list of the thread has them.
    pub(crate) link: Option<Link>,
    /// Hashes of the replies that came with the root.
    known: HashSet<u64>,
    /// The number of replies that came with the root.
    expanded: usize,
    /// The number of remaining replies according to Graph's own count.
    counted: Option<usize>,
    /// The likely number of remaining replies, estimated from the times of those that came; [`None`] if these show nothing.
    likely: Option<f64>,
}

impl RemainingReplies {
    /// [`None`] if all replies came with the root.
    pub(crate) fn from_root(root: Item<'_>, expansion: &Expansion) -> Option<Self> {
        let (link, expanded) = (root.replies_next().cloned(), root.replies().count());
        let counted = root.replies_count().and_then(|count| usize::try_from(count).ok()?.checked_sub(expanded)).filter(|&rest| rest > 0);
        if link.is_some() {
            expansion.note_truncated(expanded);
        } else if counted.is_none() && !expansion.may_be_truncated(expanded) {
            return None;
        }
        let known: HashSet<_> = root.replies().take(MAX_KNOWN).map(Item::hash).collect();
        let (first, last) = (root.replies().next().and_then(created), root.replies().last().and_then(created));
        let by_times =
            if link.is_some() { share_beyond(created(root), first, last).map(|share| expanded as f64 * share) } else { Some(0.0) };
        Some(Self { link, known, expanded, counted, likely: counted.map(|rest| rest as f64).or(by_times) })
    }

    /// For a root that came without its replies.
    pub(crate) fn all() -> Self {
        Self { link: None, known: HashSet::new(), expanded: 0, counted: None, likely: Some(0.0) }
    }

    /// Whether to read the thread as a list from its beginning, after `pages` pages with `replies` replies were read from the link and a
    /// next page exists. Both ways together take at most twice the requests of the shorter one, however many replies there are.
    pub(crate) fn is_better_listed(&self, pages: usize, replies: usize, page: usize) -> bool {
        let page = page.max(1);
        let list = |rest: usize| (self.expanded + rest).div_ceil(MAX_TOP as usize);
        if let Some(rest) = self.counted.filter(|&rest| rest > replies) {
            return list(rest) < (rest - replies).div_ceil(page);
        }
        // After its next page, the link has taken one request more than so far, whatever the number of replies.
        let (at_minimum, with_next_page, likely) = (list(replies + 1), list(replies + page), self.likely.unwrap_or_default() as usize);
        let is_likely_shorter = likely > replies && list(likely) < likely.div_ceil(page);
        page < MAX_TOP as usize && with_next_page <= pages + 2 && (pages >= at_minimum || is_likely_shorter)
    }

    pub(super) fn expanded(&self) -> usize {
        self.expanded
    }

    /// The likely number of remaining replies, and the number of requests for them with pages of this size.
    pub(crate) fn likely(&self, page: usize) -> (f64, f64) {
        let likely = self.likely.unwrap_or(self.expanded as f64);
        (likely, self.requests(likely as usize, page) as f64)
    }

    /// The number of requests for `beyond` remaining replies with pages of this size.
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
    pub(crate) fn may_be_missing(&self, expansion: &Expansion) -> bool {
        self.link.is_some() || self.counted.is_some() || self.expanded == 0 || expansion.may_be_truncated(self.expanded)
    }

    /// Whether this reply came with the root and is unchanged.
    pub(crate) fn knows(&self, reply: Item<'_>) -> bool {
        self.known.contains(&reply.hash())
    }
}

fn created(message: Item<'_>) -> Option<DateTime<Utc>> {
    instant(&message.created()?)
}

/// Estimates the number of remaining replies as a multiple of those that came: replies are assumed to be as frequent in the time before
/// them. Unknown if the oldest replies came first, or if times are missing.
pub(crate) fn share_beyond(root: Option<DateTime<Utc>>, first: Option<DateTime<Utc>>, last: Option<DateTime<Utc>>) -> Option<f64> {
    let (root, first, last) = (root?, first?, last?);
    (last < first).then(|| (last - root).num_seconds().max(0) as f64 / (first - last).num_seconds().max(1) as f64)
}

#[cfg(test)]
impl RemainingReplies {
    /// For a root that came with `expanded` replies and this link, and has `counted` more by Graph's count.
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
        fn a_thread_takes_at_most_twice_the_minimum_number_of_requests(
            expanded in 0_usize..1100, beyond in 1_usize..5000, page in 1_usize..60, likely in proptest::option::of(0.0..10_000.0),
        ) {
            let minimum = beyond.div_ceil(page).min((expanded + beyond).div_ceil(MAX_TOP as usize));
            let taken = rest(expanded, None, likely).requests(beyond, page);
            prop_assert!(taken <= 2 * minimum, "{taken} > 2 * {minimum}");
            prop_assert_eq!(rest(expanded, Some(beyond), likely).requests(beyond, page), minimum);
        }
    }

    #[test]
    fn a_thread_whose_times_show_its_length_takes_the_minimum_number_of_requests() {
        for (beyond, minimum) in [(1, 1), (30, 2), (100, 5), (130, 7)] {
            assert_eq!(rest(200, None, Some(beyond as f64)).requests(beyond, 20), minimum, "{beyond}");
        }
        assert_eq!(rest(200, None, Some(1000.0)).requests(1000, 20), 4 + 24);
    }

    #[test]
    fn the_number_of_remaining_replies_is_estimated_from_times() {
        let at = |seconds: i64| DateTime::from_timestamp(1_790_000_000 + seconds, 0);
        assert_eq!(share_beyond(at(0), at(400), at(100)), Some(100.0 / 300.0));
        assert_eq!(share_beyond(at(0), at(100), at(400)), None);
        assert_eq!(share_beyond(None, at(400), at(100)), None);
        assert_eq!(share_beyond(at(500), at(400), at(100)), Some(0.0));
    }
}
