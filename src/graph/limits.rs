//! Where a client gives up.

use std::time::Duration;

/// How often a request is sent at most that is not throttled.
pub(super) const MAX_ATTEMPTS: u32 = 7;

/// The longest that Graph may ask to wait, and for how long a request is throttled at most. Platforms take a run that says nothing for dead;
/// whoever starts runs waits better.
pub const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// Where a client gives up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of an answer, decompressed: a larger one is not read to its end.
    pub body: usize,
    /// How often a request is sent at most that is not throttled.
    pub attempts: u32,
    /// The longest wait before another attempt, even if Graph asks for it.
    pub wait: Duration,
    /// For how long a request may be throttled, by Graph's time.
    pub throttled: Duration,
}

impl Limits {
    /// For somebody who waits for the answer: what passes at once is passed, the rest is said.
    pub fn brief() -> Self {
        let seconds = Duration::from_secs;
        Self { attempts: 3, wait: seconds(5), throttled: seconds(10), ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: usize::MAX, attempts: MAX_ATTEMPTS, wait: LONGEST_WAIT, throttled: LONGEST_WAIT }
    }
}
