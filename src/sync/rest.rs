//! The replies that did not fit into their root: which of two ways leads to them with fewer requests.
//!
//! Graph expands 200 replies and links to the rest, in pages of a size of its own. The list of the thread has the largest pages, but begins
//! with what is known already (graph.md 2.5, 2.6).

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::{
    graph::{Item, Link},
    record::instant,
    streams::MAX_TOP,
};

/// Replies on a page behind a link, before one was seen: Graph's usual page.
pub(super) const USUAL_PAGE: usize = 20;

/// So many are remembered; Graph expands 200.
const MOST_KNOWN: usize = 1000;

/// The replies of a root beyond those that came with it.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) link: Link,
    /// What came with the root, as hashes.
    known: HashSet<u64>,
    /// So many are likely behind them.
    likely: f64,
}

impl Rest {
    /// Of a root; [`None`] if all its replies came with it.
    pub(super) fn of(root: Item<'_>) -> Option<Self> {
        let link = root.replies_next()?.clone();
        let known: HashSet<_> = root.replies().take(MOST_KNOWN).map(Item::hash).collect();
        let (first, last) = (root.replies().next().and_then(created), root.replies().last().and_then(created));
        let likely = known.len() as f64 * share_behind(created(root), first, last);
        Some(Self { link, known, likely })
    }

    /// Whether the list of the thread needs fewer requests than the link, on whose pages so many replies are.
    pub(super) fn is_long(&self, page: usize) -> bool {
        let by_list = ((self.known.len() as f64 + self.likely) / MAX_TOP as f64).ceil();
        by_list < (self.likely / page.max(1) as f64).ceil()
    }

    /// Replies that are likely behind what came with the root, and the requests that they take by the shorter way.
    pub(super) fn likely(&self, page: usize) -> (f64, f64) {
        let requests = if self.is_long(page) {
            ((self.known.len() as f64 + self.likely) / MAX_TOP as f64).ceil()
        } else {
            (self.likely / page.max(1) as f64).ceil().max(1.0)
        };
        (self.likely, requests)
    }

    /// Whether so many replies behind the link, and still no end, are more than was likely: then it is anybody's guess how many there are.
    pub(super) fn is_longer_than(&mut self, seen: usize) -> bool {
        let is_longer = seen as f64 > 2.0 * self.likely;
        if is_longer {
            self.likely = (self.known.len() + seen) as f64;
        }
        is_longer
    }

    /// Whether this reply came with the root, the same in every property.
    pub(super) fn knows(&self, reply: Item<'_>) -> bool {
        self.known.contains(&reply.hash())
    }
}

fn created(message: Item<'_>) -> Option<DateTime<Utc>> {
    instant(&message.text("createdDateTime")?)
}

/// How many times the replies that came are likely behind them: as many as the time behind them holds. Where the oldest came first, or times
/// are missing, as many again.
pub(super) fn share_behind(root: Option<DateTime<Utc>>, first: Option<DateTime<Utc>>, last: Option<DateTime<Utc>>) -> f64 {
    match (root, first, last) {
        (Some(root), Some(first), Some(last)) if last < first => {
            (last - root).num_seconds().max(0) as f64 / (first - last).num_seconds().max(1) as f64
        }
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(known: u64, likely: f64) -> Rest {
        let link = Link::from_path("/v1.0/teams/t/channels/c/messages/m/replies?$skiptoken=x").unwrap();
        Rest { link, known: (0..known).collect(), likely }
    }

    #[test]
    fn a_list_is_worth_its_beginning_where_much_is_behind_it() {
        for (likely, page, is_long) in
            [(0.0, 20, false), (130.0, 20, false), (161.0, 20, true), (480.0, 20, true), (9000.0, 50, false), (9.0, 0, true)]
        {
            assert_eq!(rest(200, likely).is_long(page), is_long, "{likely} behind, pages of {page}");
        }
    }

    #[test]
    fn a_guess_that_was_wrong_is_made_anew() {
        let mut rest = rest(200, 40.0);
        assert!(!rest.is_long(20) && !rest.is_longer_than(80));
        assert!(rest.is_longer_than(100) && rest.is_long(20));
    }

    #[test]
    fn what_is_behind_is_told_from_times() {
        let at = |seconds: i64| DateTime::from_timestamp(1_790_000_000 + seconds, 0);
        assert_eq!(share_behind(at(0), at(400), at(100)), 100.0 / 300.0);
        assert_eq!(share_behind(at(0), at(100), at(400)), 1.0);
        assert_eq!(share_behind(None, at(400), at(100)), 1.0);
        assert_eq!(share_behind(at(500), at(400), at(100)), 0.0);
    }
}
