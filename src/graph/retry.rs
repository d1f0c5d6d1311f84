//! Decides what happens after each status and cause, and how long to wait between attempts.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    error::{Cause, Error, ErrorResponse},
    limits::{Limits, MAX_WAIT},
};

/// A link for which Graph returns server errors is abandoned after this time.
const LINK_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Maximum total time for retrying a request, including the waits.
const MAX_RETRY_TIME: Duration = Duration::from_secs(3600);

/// The longest backoff, as a multiple of the first one.
const MAX_BACKOFF_FACTOR: u32 = 60;

/// What happens after a request has failed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum FailureAction {
    /// The request is retried after a wait. When its retries are exhausted, the stream fails, but a later run may succeed.
    Retry,
    /// The request is retried once. If that fails too, the parent is skipped.
    RetryOnce,
    /// The request is retried once with a new token. If that fails too, the stream fails.
    RefreshToken,
    /// The parent is skipped with a warning, and the other parents are read.
    SkipParent,
    /// The stream is incomplete.
    FailStream,
    /// The run ends.
    FailRun,
}

/// What to do after an error status (graph.md 5.2 and 5.3).
pub(super) fn action_for_status(status: u16) -> FailureAction {
    match status {
        401 => FailureAction::RefreshToken,
        403 | 404 => FailureAction::SkipParent,
        // Permanent server errors: not implemented, version not supported, a captive portal.
        501 | 505 | 511 => FailureAction::FailStream,
        // A misbehaving cache (304), a wrong connection (421), and temporary failures.
        304 | 408 | 409 | 421 | 423 | 425 | 429 | 500.. => FailureAction::Retry,
        _ => FailureAction::FailStream,
    }
}

/// What to do after an attempt failed for this cause.
pub(super) fn action_for_cause(cause: &Cause) -> FailureAction {
    match cause {
        Cause::ErrorStatus(response) if response.is_outage() => FailureAction::Retry,
        // If a 404 does not indicate what was not found, it may come from a gateway with a routing failure (graph.md 5.2).
        Cause::ErrorStatus(ErrorResponse { status: 404, code, .. }) if matches!(code.as_str(), "" | "UnknownError") => {
            FailureAction::RetryOnce
        }
        Cause::ErrorStatus(response) => action_for_status(response.status),
        Cause::SignIn(refusal) if refusal.transient => FailureAction::Retry,
        Cause::Transport(_) | Cause::Malformed(_) => FailureAction::Retry,
        Cause::RateLimited(_) | Cause::TooLarge(_) | Cause::ForeignLink(_) | Cause::EndlessPaging(_) => FailureAction::FailStream,
        Cause::SignIn(_) => FailureAction::FailRun,
    }
}

/// The waits between the attempts at one request. The first wait is Graph's `Retry-After`, if there is one. Later waits are the longer of
/// `Retry-After` and an increasing backoff, because some limits last a minute although `Retry-After` is always one second.
#[derive(Debug)]
pub(super) struct Backoff {
    /// The first backoff.
    first: Duration,
    limits: Limits,
    /// The number of failed attempts.
    failed_attempts: u32,
    /// The number of failed attempts that were not throttled.
    failures: u32,
    /// When retries end. The time is counted from the first failed attempt, so time in the queue does not count.
    until: Option<Instant>,
    throttled_until: Option<Instant>,
}

impl Backoff {
    pub(super) fn new(first: Duration, limits: Limits) -> Self {
        Self { first, limits, failed_attempts: 0, failures: 0, until: None, throttled_until: None }
    }

    /// The wait from `now` until the next attempt. [`None`] if the attempts are exhausted, or the wait would be too long.
    pub(super) fn next(&mut self, cause: &Cause, now: Instant) -> Option<Duration> {
        let is_throttled = matches!(cause, Cause::ErrorStatus(ErrorResponse { status: 429, .. }));
        let is_exhausted = if is_throttled {
            now > *self.throttled_until.get_or_insert(now + self.limits.max_throttled_time)
        } else {
            self.failures += 1;
            self.failures >= self.limits.max_attempts
        };
        let requested = retry_after(cause);
        let backoff = if is_throttled { self.linear_backoff(requested) } else { self.exponential_backoff() };
        self.failed_attempts += 1;
        let wait = match requested {
            Some(requested) if self.failed_attempts == 1 => requested,
            requested => requested.unwrap_or_default().max(backoff),
        };
        let is_allowed = wait <= self.limits.max_wait && now.checked_add(wait)? <= *self.until.get_or_insert(now + MAX_RETRY_TIME);
        (is_allowed && !is_exhausted).then_some(wait)
    }

    /// The client's own backoff, which doubles. The jitter prevents requests that failed together from being retried together.
    fn exponential_backoff(&self) -> Duration {
        self.first * 2_u32.saturating_pow(self.failed_attempts).min(MAX_BACKOFF_FACTOR) + self.first.mul_f64(fastrand::f64())
    }

    /// The client's own backoff while requests are throttled. It grows linearly, by `first` or by `Retry-After`. If another client shares the
    /// budget, each attempt costs both clients such a wait, but waiting too long costs just as much. The total is lowest if the wait grows with the
    /// square root of the elapsed time.
    fn linear_backoff(&self, requested: Option<Duration>) -> Duration {
        let longest = self.first * MAX_BACKOFF_FACTOR;
        let step = requested.unwrap_or_default().clamp(self.first, longest);
        let jitter = fastrand::f64();
        step.mul_f64(f64::from(self.failed_attempts + 1) + jitter).min(longest + self.first.mul_f64(jitter))
    }
}

fn retry_after(cause: &Cause) -> Option<Duration> {
    match cause {
        Cause::ErrorStatus(response) => response.retry_after,
        Cause::SignIn(refusal) => refusal.retry_after,
        _ => None,
    }
}

impl Error {
    /// Whether `$top`, rather than another part of the request, may have caused the error. Graph's message varies.
    pub(super) fn may_be_caused_by_top(&self, has_other_options: bool) -> bool {
        let Cause::ErrorStatus(refusal) = &self.cause else { return false };
        let message = refusal.message.to_ascii_lowercase();
        let mentions = |words: &[&str]| words.iter().any(|word| message.contains(word));
        let is_likely = if has_other_options { mentions(&["top", "query"]) } else { !mentions(&["guid", "token"]) };
        refusal.status == 400 && !self.is_transient() && is_likely && !mentions(&["expand"])
    }

    /// Whether Graph refused a page other than the first one, as if the list did not exist or access were not allowed.
    pub fn is_later_page_refusal(&self) -> bool {
        self.is_later_page && !self.is_transient() && matches!(self.status(), Some(400 | 403 | 404 | 410))
    }

    /// How the error affects the parent, the stream and the run.
    pub fn action(&self) -> FailureAction {
        match action_for_cause(&self.cause) {
            FailureAction::SkipParent | FailureAction::RetryOnce if self.is_later_page => FailureAction::FailStream,
            action => action,
        }
    }

    /// Whether the same request may succeed later without any change by the user.
    pub fn is_transient(&self) -> bool {
        self.action() == FailureAction::Retry || matches!(self.cause, Cause::RateLimited(_))
    }

    /// The wait that Graph asked for, if it is longer than a run waits.
    pub fn long_wait(&self) -> Option<Duration> {
        let wait = match &self.cause {
            Cause::RateLimited(wait) => Some(*wait),
            cause => retry_after(cause),
        };
        wait.filter(|wait| *wait > MAX_WAIT)
    }

    /// Whether a link will probably never work again, so that its list must be restarted. If the link results in server errors, it is abandoned a
    /// day after `got_at`, the time at which Graph returned it.
    pub fn is_link_lost(&self, got_at: Option<DateTime<Utc>>) -> bool {
        match &self.cause {
            Cause::ErrorStatus(ErrorResponse { status: 500.., date, .. }) => {
                got_at.is_some_and(|got_at| (*date - got_at).abs() > LINK_LIFETIME)
            }
            // Temporary failures and expired tokens are unrelated to the link.
            Cause::ErrorStatus(_) => !matches!(self.action(), FailureAction::Retry | FailureAction::RefreshToken),
            Cause::Malformed(_) | Cause::EndlessPaging(_) => true,
            Cause::SignIn(_) | Cause::Transport(_) | Cause::RateLimited(_) | Cause::TooLarge(_) | Cause::ForeignLink(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn refused(status: u16, retry_after: Option<Duration>) -> Cause {
        Cause::ErrorStatus(ErrorResponse { status, retry_after, ..ErrorResponse::default() })
    }

    #[test]
    fn every_status_has_its_action() {
        let (mut table, mut from) = (String::new(), 100);
        for status in 100..600 {
            if status == 599 || action_for_status(status) != action_for_status(status + 1) {
                writeln!(table, "{from}-{status} {:?}", action_for_status(status)).unwrap();
                from = status + 1;
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn an_outage_is_recognized_whatever_its_status() {
        let refused = |status, message: &str| {
            Cause::ErrorStatus(ErrorResponse {
                status,
                code: "NotFound".to_owned(),
                message: message.to_owned(),
                ..ErrorResponse::default()
            })
        };
        for words in ["Failed to execute Skype backend request GetThreadS2SRequest.", "failed to execute BACKEND REQUEST."] {
            for status in [400, 403, 404, 502] {
                assert_eq!(action_for_cause(&refused(status, words)), FailureAction::Retry, "{status} {words}");
            }
            assert_eq!(action_for_cause(&refused(401, words)), FailureAction::RefreshToken);
        }
        assert_eq!(action_for_cause(&refused(403, "Missing role permissions on the request.")), FailureAction::SkipParent);
        assert_eq!(action_for_cause(&refused(404, "No team found with Group Id x")), FailureAction::SkipParent);
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn backoff(first: Duration) -> Backoff {
        Backoff::new(first, Limits::default())
    }

    /// All waits for a request that always fails with this cause.
    fn all(first: Duration, cause: &Cause) -> Vec<Duration> {
        let mut now = Instant::now();
        let mut backoff = backoff(first);
        std::iter::from_fn(|| {
            let wait = backoff.next(cause, now)?;
            now += wait;
            Some(wait)
        })
        .collect()
    }

    #[test]
    fn the_number_of_attempts_is_bounded() {
        let waited = all(SECOND, &Cause::Transport(String::new()));
        assert_eq!(waited.len(), 6);
        for (wait, own) in waited.iter().zip([1, 2, 4, 8, 16, 32]) {
            assert!((SECOND * own..SECOND * (own + 1)).contains(wait), "{waited:?}");
        }
    }

    #[test]
    fn retry_after_is_obeyed_unless_it_is_longer_than_a_run_waits() {
        let now = Instant::now();
        let next = |wait| backoff(SECOND).next(&refused(429, Some(wait)), now);
        for obeyed in [Duration::ZERO, SECOND * 77, MAX_WAIT] {
            assert_eq!(next(obeyed), Some(obeyed));
        }
        assert_eq!(next(MAX_WAIT + SECOND), None);
    }

    #[test]
    fn from_the_second_failure_on_the_longer_of_retry_after_and_the_backoff_is_used() {
        let waited = all(SECOND, &refused(429, Some(SECOND / 8)));
        assert_eq!(waited[0], SECOND / 8);
        for (wait, own) in waited[1..].iter().zip(2..) {
            assert!((SECOND * own..SECOND * (own + 1)).contains(wait), "{waited:?}");
        }
        for status in [429, 503] {
            assert!(all(SECOND, &refused(status, Some(SECOND * 100))).into_iter().all(|wait| wait == SECOND * 100), "{status}");
        }
    }

    #[test]
    fn throttled_waits_grow_by_retry_after_up_to_a_minute() {
        let waited = all(SECOND, &refused(429, Some(SECOND * 10)));
        assert_eq!(waited[0], SECOND * 10);
        for (wait, min) in waited[1..].iter().zip([20, 30, 40, 50].into_iter().chain(std::iter::repeat(60))) {
            assert!((SECOND * min..(SECOND * (min + 10)).min(SECOND * 61)).contains(wait), "{waited:?}");
        }
        let failed = all(SECOND, &refused(503, Some(SECOND * 10)));
        assert_eq!(failed[..3], [SECOND * 10; 3], "an outage is not a shared budget");
    }

    /// Some limits last for minutes although `Retry-After` is a second or absent.
    #[test]
    fn a_limit_that_lasts_for_minutes_is_outlasted_whatever_retry_after_is() {
        for retry_after in [None, Some(Duration::ZERO), Some(Duration::from_millis(124)), Some(SECOND)] {
            let waited = all(SECOND, &refused(429, retry_after));
            let sum: Duration = waited.iter().sum();
            assert!((15 * 60..16 * 60).contains(&sum.as_secs()) && waited.len() < 50, "{retry_after:?}: {waited:?}");
        }
    }

    #[test]
    fn the_time_of_all_attempts_is_bounded() {
        let now = Instant::now();
        let mut backoff = backoff(SECOND);
        backoff.until = Some(now + SECOND * 60);
        assert_eq!(backoff.next(&refused(429, Some(SECOND * 59)), now), Some(SECOND * 59));
        assert_eq!(backoff.next(&refused(429, Some(SECOND * 61)), now), None);
    }

    /// Time before the first failed attempt does not count: the process may have been suspended, or the request may have been queued for a long
    /// time.
    #[test]
    fn the_retry_time_starts_at_the_first_failure() {
        let (mut backoff, late) = (backoff(SECOND), Instant::now() + MAX_RETRY_TIME * 2);
        assert!(backoff.next(&Cause::Transport(String::new()), late).is_some());
        assert_eq!(backoff.next(&Cause::Transport(String::new()), late + MAX_RETRY_TIME), None);
    }
}
