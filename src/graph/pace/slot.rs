//! The slot of a budget: when its next request may be sent, and how much of its full pace it has. Where Graph throttles it, it slows down at
//! once and recovers steadily, as TCP does (additive increase, multiplicative decrease): so several runs come to share a budget evenly.

use std::time::{Duration, Instant};

/// To so much of its pace a budget falls when Graph throttles it, not more than once a second, and never below the least.
const FALL: f64 = 0.7;
const LEAST: f64 = 0.02;

/// What it recovers in a second, in shares of its full pace: from 0.7 to 1 in 50 seconds.
const RISE: f64 = 0.006;

/// A slot of one budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    free: Instant,
    /// The share of its full pace, and since when it has recovered from it.
    share: f64,
    since: Option<Instant>,
}

impl Slot {
    /// Free, and never throttled.
    pub(super) fn new(now: Instant) -> Self {
        Self { free: now, share: 1.0, since: None }
    }

    /// When its next request may be sent at the earliest.
    pub(super) fn free(&self) -> Instant {
        self.free
    }

    /// Whether it can be forgotten: it is as if nothing had ever been sent.
    pub(super) fn is_new(&self, due: Instant, now: Instant, second: Duration) -> bool {
        self.free <= due && self.share(now, second) == 1.0
    }

    /// The share of its full pace that it has by now; `second`: one of Graph's time.
    pub(super) fn share(&self, now: Instant, second: Duration) -> f64 {
        let seconds = self.since.map_or(f64::INFINITY, |since| now.duration_since(since).div_duration_f64(second));
        // Without a pace, a second takes no time, and all of it has passed.
        if seconds.is_finite() { (self.share + RISE * seconds).min(1.0) } else { 1.0 }
    }

    /// A request was due at that time. At the full pace the next one may follow after `spacing`.
    pub(super) fn spend(&mut self, due: Instant, spacing: Duration, now: Instant, second: Duration) {
        let spacing = spacing.div_f64(self.share(now, second));
        self.free = self.free.max(due).checked_add(spacing).unwrap_or(now);
    }

    /// Graph names a wait.
    pub(super) fn wait_until(&mut self, until: Instant) {
        self.free = self.free.max(until);
    }

    /// It is exhausted. It rests for half a second: what is refused counts, so that going on would prolong it.
    pub(super) fn fall(&mut self, now: Instant, second: Duration) {
        self.free = self.free.max(now + second / 2);
        if self.since.is_none_or(|since| now.duration_since(since) >= second) {
            self.share = (self.share(now, second) * FALL).max(LEAST);
            self.since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_falls_once_a_second_and_recovers_steadily() {
        let start = Instant::now();
        let mut slot = Slot::new(start);
        (0..10).for_each(|_| slot.fall(start, SECOND));
        let at = |slot: &Slot, seconds: u32| (slot.share(start + seconds * SECOND, SECOND) * 1000.0).round();
        assert_eq!([0, 5, 10, 20, 3600].map(|seconds| at(&slot, seconds)), [700.0, 730.0, 760.0, 820.0, 1000.0]);
        (1..100).for_each(|second| slot.fall(start + 2 * second * SECOND, SECOND));
        assert!(at(&slot, 199) >= 20.0);
        assert_eq!(at(&slot, 3600), 1000.0);
    }

    #[test]
    fn without_a_pace_nothing_is_left_of_a_fall() {
        let start = Instant::now();
        let mut slot = Slot::new(start);
        slot.fall(start, Duration::ZERO);
        slot.spend(start, Duration::ZERO, start, Duration::ZERO);
        assert_eq!((slot.free(), slot.share(start, Duration::ZERO)), (start, 1.0));
    }
}
