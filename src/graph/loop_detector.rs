//! Detects pages that are repeated under new links.

/// This many consecutive pages without a new item are considered a loop. Lists that change while they are read repeat items, but never this many.
const MAX_KNOWN_PAGES: u32 = 20;

/// Remembers the hashes of the ids on a few pages: the first ones, and two windows at distances that double (as in Brent's cycle detection).
/// This bounds the memory, and a loop reaches one of the windows before three times its length has been read.
#[derive(Debug, Default)]
pub(super) struct LoopDetector {
    /// The number of pages that were not empty.
    pages: u64,
    /// The number of consecutive pages without a new item.
    known: u32,
    first: Window,
    older: Window,
    newer: Window,
    newer_from: u64,
}

/// The sorted hashes of the ids on consecutive pages.
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

impl LoopDetector {
    /// Adds a page by the hashes of its ids. Returns whether the pages repeat.
    pub(super) fn add_page(&mut self, hashes: impl Iterator<Item = u32>) -> bool {
        let hashes: Vec<u32> = hashes.collect();
        if hashes.is_empty() {
            return false;
        }
        let is_known = hashes.iter().all(|&hash| self.first.has(hash) || self.older.has(hash) || self.newer.has(hash));
        self.known = if is_known { self.known + 1 } else { 0 };
        let (at, span) = (self.pages, u64::from(MAX_KNOWN_PAGES));
        self.pages += 1;
        if at < span {
            self.first.add(&hashes);
        } else if at.is_power_of_two() {
            (self.older, self.newer, self.newer_from) = (std::mem::take(&mut self.newer), Window::default(), at);
        }
        if self.newer_from > 0 && at - self.newer_from < span {
            self.newer.add(&hashes);
        }
        self.known >= MAX_KNOWN_PAGES
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

    /// The number of pages until a loop is detected, if page `end` is followed by page `back`. [`None`] if it is not detected.
    fn detected(back: u64, end: u64, size: u64) -> Option<u64> {
        let mut detector = LoopDetector::default();
        let mut number = 0;
        (1..=3 * end + 100).find(|_| {
            let is_loop = detector.add_page(page(number, size));
            number = if number + 1 == end { back } else { number + 1 };
            is_loop
        })
    }

    #[test]
    fn a_list_that_restarts_is_detected_twenty_pages_later() {
        for end in [1, 2, 3, 20, 500, 3000] {
            assert_eq!(detected(0, end, 50), Some(end + 20), "{end}");
        }
    }

    #[test]
    fn a_long_list_without_a_loop_is_accepted_and_uses_little_memory() {
        let mut detector = LoopDetector::default();
        for number in 0..100_000 {
            // Each page begins with most of the page before, and some are empty.
            assert!(!detector.add_page((number * 7..number * 7 + 50).map(|id: u32| xxhash_rust::xxh3::xxh3_64(&id.to_le_bytes()) as u32)));
            assert!(!detector.add_page(std::iter::empty()));
        }
        let remembered = [&detector.first, &detector.older, &detector.newer].map(|window| window.0.len());
        assert!(remembered.into_iter().all(|ids| ids <= 20 * 50), "{remembered:?}");
    }

    proptest! {
        #[test]
        fn every_loop_is_detected(back in 0_u64..400, length in 1_u64..400, size in 1_u64..5) {
            let end = back + length;
            let detected = detected(back, end, size).expect("the loop is detected");
            // The loop must be detected only after it was read once, but soon after that.
            prop_assert!(detected > end && detected <= end + 3 * back.max(length) + 100, "{detected}");
        }
    }
}
