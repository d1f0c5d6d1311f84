//! The limits at which a client gives up.

use std::time::Duration;

/// Maximum number of attempts at a request that is not throttled.
pub(super) const MAX_ATTEMPTS: u32 = 7;

/// The longest wait that is accepted from Graph, and the longest time for which a request may be throttled. Platforms kill a run that produces
/// no output for too long, whereas a scheduler can wait longer.
pub const MAX_WAIT: Duration = Duration::from_secs(15 * 60);

/// The limits at which a client gives up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum size of a decompressed response body, in bytes.
    pub max_body: usize,
    /// Maximum number of attempts at a request that is not throttled.
    pub max_attempts: u32,
    /// Maximum wait before another attempt. If Graph asks for a longer one, the request fails.
    pub max_wait: Duration,
    /// Maximum time for which a request may be throttled, before `pace` scales it for simulators.
    pub max_throttled_time: Duration,
}

impl Limits {
    /// Short limits for a user who waits for the result.
    pub fn interactive() -> Self {
        let seconds = Duration::from_secs;
        Self { max_attempts: 3, max_wait: seconds(5), max_throttled_time: seconds(10), ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_body: usize::MAX, max_attempts: MAX_ATTEMPTS, max_wait: MAX_WAIT, max_throttled_time: MAX_WAIT }
    }
}
