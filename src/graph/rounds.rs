//! Whether the pages of a list go round: the links are new each time, and what they lead to is not.

/// So many pages in a row without an item that is new are a circle. Items come again where a list changes while it is paged, but never so many.
const IN_A_ROW: u32 = 20;

/// A few of the pages that were met, by the ids on them: the first ones, and as many from two places whose distances double (as in Brent's
/// search for cycles). So memory is bounded, and whatever the circle is, it comes by one of these places before three times as many pages were
/// read as lead once around it.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// Pages so far that were not empty.
    pages: u64,
    /// So many of them at the end had nothing that is new.
    known: u32,
    first: Window,
    older: Window,
    newer: Window,
    newer_from: u64,
}

/// The hashes of the ids on some pages in a row, in order.
#[derive(Debug, Default)]
struct Window(Vec<u32>);

impl Window {
    fn has(&self, hash: u32) -> bool {
        self.0.binary_search(&hash).is_ok()
    }

    fn add(&mut self, hashes: &[u32]) {
        self.0.extend(hashes);
        self.0.sort_unstable();
        self.0.dedup();
    }
}

impl Rounds {
    /// Takes note of a page by the hashes of its items' ids. Gives whether the pages go round.
    pub(super) fn page(&mut self, hashes: impl Iterator<Item = u32>) -> bool {
        let hashes: Vec<u32> = hashes.collect();
        if hashes.is_empty() {
            return false;
        }
        let is_known = hashes.iter().all(|&hash| self.first.has(hash) || self.older.has(hash) || self.newer.has(hash));
        self.known = if is_known { self.known + 1 } else { 0 };
        let (at, span) = (self.pages, u64::from(IN_A_ROW));
        self.pages += 1;
        if at < span {
            self.first.add(&hashes);
        } else if at.is_power_of_two() {
            (self.older, self.newer, self.newer_from) = (std::mem::take(&mut self.newer), Window::default(), at);
        }
        if self.newer_from > 0 && at - self.newer_from < span {
            self.newer.add(&hashes);
        }
        self.known >= IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The hashes of the ids on a page of this number.
    fn page(number: u64, size: u64) -> impl Iterator<Item = u32> {
        (number * size..(number + 1) * size).map(|id| xxhash_rust::xxh3::xxh3_64(&id.to_le_bytes()) as u32)
    }

    /// After how many pages it is noticed that behind `end` pages the list goes on at `back`; [`None`] if it never is.
    fn noticed(back: u64, end: u64, size: u64) -> Option<u64> {
        let mut rounds = Rounds::default();
        let mut number = 0;
        (1..=3 * end + 100).find(|_| {
            let goes_round = rounds.page(page(number, size));
            number = if number + 1 == end { back } else { number + 1 };
            goes_round
        })
    }

    #[test]
    fn a_list_that_begins_again_is_noticed_twenty_pages_later() {
        for end in [1, 2, 3, 20, 500, 3000] {
            assert_eq!(noticed(0, end, 50), Some(end + 20), "{end}");
        }
    }

    #[test]
    fn a_list_without_an_end_that_does_not_go_round_is_none_and_takes_little_memory() {
        let mut rounds = Rounds::default();
        for number in 0..100_000 {
            // Each page begins with most of the one before, and some are empty.
            assert!(!rounds.page((number * 7..number * 7 + 50).map(|id: u32| xxhash_rust::xxh3::xxh3_64(&id.to_le_bytes()) as u32)));
            assert!(!rounds.page(std::iter::empty()));
        }
        let remembered = [&rounds.first, &rounds.older, &rounds.newer].map(|window| window.0.len());
        assert!(remembered.into_iter().all(|ids| ids <= 20 * 50), "{remembered:?}");
    }

    proptest! {
        #[test]
        fn every_circle_is_noticed(back in 0_u64..400, length in 1_u64..400, size in 1_u64..5) {
            let end = back + length;
            let noticed = noticed(back, end, size).expect("the circle is noticed");
            // Not before it was read once, and not long after.
            prop_assert!(noticed > end && noticed <= end + 3 * back.max(length) + 100, "{noticed}");
        }
    }
}
