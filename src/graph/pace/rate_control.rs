//! The rate control of one budget: the time of its next request, and its share of the full rate. After throttling, the share is reduced at once
//! and recovers steadily, as in TCP (additive increase, multiplicative decrease), so that concurrent runs converge to equal shares.

use std::time::{Duration, Instant};

/// The factor by which throttling reduces the share, at most once a second.
const DECREASE: f64 = 0.7;
const MIN_SHARE: f64 = 0.02;

/// The increase of the share per second: from 0.7 to 1 in 50 seconds.
const INCREASE: f64 = 0.006;

/// The rate control of one budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct RateControl {
    free_at: Instant,
    /// The share of the full rate at the time `throttled_at`.
    share: f64,
    throttled_at: Option<Instant>,
}

impl RateControl {
    pub(super) fn new(now: Instant) -> Self {
        Self { free_at: now, share: 1.0, throttled_at: None }
    }

    /// The earliest time of the next request.
    pub(super) fn free_at(&self) -> Instant {
        self.free_at
    }

    /// Whether this rate control is equivalent to a new one and can be dropped.
    pub(super) fn is_idle(&self, due: Instant, now: Instant, second: Duration) -> bool {
        self.free_at <= due && self.share(now, second) == 1.0
    }

    /// The current share of the full rate. `second` is one second, scaled by the pace for simulators.
    pub(super) fn share(&self, now: Instant, second: Duration) -> f64 {
        let seconds = self.throttled_at.map_or(f64::INFINITY, |at| now.duration_since(at).div_duration_f64(second));
        // At infinite speed a second takes no time, so the quotient is not finite.
        if seconds.is_finite() { (self.share + INCREASE * seconds).min(1.0) } else { 1.0 }
    }

    /// Counts a request that was due at this time. At the full rate, the next one may follow after `spacing`.
    pub(super) fn spend(&mut self, due: Instant, spacing: Duration, now: Instant, second: Duration) {
        let spacing = spacing.div_f64(self.share(now, second));
        self.free_at = self.free_at.max(due).checked_add(spacing).unwrap_or(now);
    }

    pub(super) fn wait_until(&mut self, until: Instant) {
        self.free_at = self.free_at.max(until);
    }

    /// Reduces the rate. Also pauses for half a second, because throttled requests count against the limit and would prolong the throttling.
    pub(super) fn slow_down(&mut self, now: Instant, second: Duration) {
        self.free_at = self.free_at.max(now + second / 2);
        if self.throttled_at.is_none_or(|at| now.duration_since(at) >= second) {
            self.share = (self.share(now, second) * DECREASE).max(MIN_SHARE);
            self.throttled_at = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_slows_down_once_a_second_and_recovers_steadily() {
        let start = Instant::now();
        let mut control = RateControl::new(start);
        (0..10).for_each(|_| control.slow_down(start, SECOND));
        let at = |control: &RateControl, seconds: u32| (control.share(start + seconds * SECOND, SECOND) * 1000.0).round();
        assert_eq!([0, 5, 10, 20, 3600].map(|seconds| at(&control, seconds)), [700.0, 730.0, 760.0, 820.0, 1000.0]);
        (1..100).for_each(|second| control.slow_down(start + 2 * second * SECOND, SECOND));
        assert!(at(&control, 199) >= 20.0);
        assert_eq!(at(&control, 3600), 1000.0);
    }

    #[test]
    fn at_infinite_speed_throttling_has_no_effect() {
        let start = Instant::now();
        let mut control = RateControl::new(start);
        control.slow_down(start, Duration::ZERO);
        control.spend(start, Duration::ZERO, start, Duration::ZERO);
        assert_eq!((control.free_at(), control.share(start, Duration::ZERO)), (start, 1.0));
    }
}
