//! Numbers drawn from a seed: the same seed gives the same tenant, faults and latencies on every machine.

use fastrand::Rng;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// What the generator draws besides numbers.
pub(crate) trait Draw {
    /// True in `percent` of a hundred cases.
    fn chance(&mut self, percent: u32) -> bool;

    /// One of these; there must be some.
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

/// One number out of two, each bit depending on all.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    xxh3_64_with_seed(&a.to_le_bytes(), b)
}

/// A number for a text.
pub(crate) fn hash(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}
