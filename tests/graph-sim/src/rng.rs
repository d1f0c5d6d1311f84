//! Random numbers from a seed: the same seed gives the same tenant, faults and latencies on every machine.

use fastrand::Rng;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Random choices.
pub(crate) trait Draw {
    /// True with a probability of `percent`.
    fn chance(&mut self, percent: u32) -> bool;

    /// One of these items, of which there must be at least one.
    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T;
}

impl Draw for Rng {
    fn chance(&mut self, percent: u32) -> bool {
        self.u32(..100) < percent
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.usize(..from.len())]
    }
}

/// Mixes two numbers; every bit of the result depends on all bits of both.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    xxh3_64_with_seed(&a.to_le_bytes(), b)
}

pub(crate) fn hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}
