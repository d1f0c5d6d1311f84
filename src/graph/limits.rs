//! The limits at which a client gives up.

use std::time::Duration;

/// Maximum attempts at a request that is not throttled.
pub(super) const MAX_ATTEMPTS: u32 = 7;

/// Maximum wait that Graph may require, and maximum time for which a request may be throttled. Platforms kill a run that is silent for too
/// long; a scheduler can wait longer.
pub const MAX_WAIT: Duration = Duration::from_secs(15 * 60);

/// The limits at which a client gives up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum bytes of a response body, decompressed.
    pub body: usize,
    /// Maximum attempts at a request that is not throttled.
    pub attempts: u32,
    /// Maximum wait before another attempt, even if Graph requires a longer one.
    pub wait: Duration,
    /// Maximum time for which a request may be throttled, in Graph's time.
    pub throttled: Duration,
}

impl Limits {
    /// Short limits for a user who waits for the result.
    pub fn interactive() -> Self {
        let seconds = Duration::from_secs;
        Self { attempts: 3, wait: seconds(5), throttled: seconds(10), ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: usize::MAX, attempts: MAX_ATTEMPTS, wait: MAX_WAIT, throttled: MAX_WAIT }
    }
}
