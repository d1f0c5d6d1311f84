//! What to do about a request that failed: a table from cause to verdict, and the waits in between.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::error::Cause;

/// How often a request is sent at most.
pub(super) const MAX_ATTEMPTS: u32 = 7;

/// What to do about a failed request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// The same request again, after a wait.
    Retry,
    /// The same request with a fresh token, once.
    RefreshToken,
    /// Nothing that we could do.
    Fail,
}

/// The table (graph.md 5.3).
pub(super) fn verdict(cause: &Cause) -> Verdict {
    match cause {
        Cause::Refused(refusal) => match refusal.status {
            401 => Verdict::RefreshToken,
            408 | 429 | 500 | 502 | 503 | 504 => Verdict::Retry,
            _ => Verdict::Fail,
        },
        Cause::SignIn(refusal) if refusal.transient => Verdict::Retry,
        Cause::Transport(_) | Cause::Malformed(_) => Verdict::Retry,
        Cause::SignIn(_) | Cause::ForeignLink(_) | Cause::EndlessPaging(_) => Verdict::Fail,
    }
}

/// The waits between the attempts of one request: exponential with jitter; Graph's own wish comes first.
#[derive(Debug)]
pub(super) struct Waits(ExponentialBackoff);

impl Waits {
    /// Waits that begin at `first` and double up to a minute.
    pub(super) fn new(first: Duration) -> Self {
        let builder = ExponentialBuilder::new().with_min_delay(first).with_max_delay(Duration::from_secs(60)).with_jitter();
        Self(builder.with_max_times(MAX_ATTEMPTS as usize - 1).build())
    }

    /// How long to wait before the next attempt; [`None`] if there were enough.
    pub(super) fn next(&mut self, cause: &Cause) -> Option<Duration> {
        let own = self.0.next()?;
        let asked = match cause {
            Cause::Refused(refusal) => refusal.retry_after,
            Cause::SignIn(refusal) => refusal.retry_after,
            _ => None,
        };
        Some(asked.unwrap_or(own))
    }
}
