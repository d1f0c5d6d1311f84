//! What to do about a request that failed: one table from status or cause to verdict, and the waits in between.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::error::{Cause, Refusal};

/// How often a request is sent at most.
pub(super) const MAX_ATTEMPTS: u32 = 7;

/// The longest that Graph may ask to wait. Platforms take a run that tells nothing for dead; whoever starts runs waits better.
pub const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);

/// For so long a request is tried again at most, its waits included.
const LONGEST: Duration = Duration::from_secs(3600);

/// What to do about a failed request.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// The same request again, after a wait. If that was tried often enough, the stream fails, and another run may help.
    Retry,
    /// The same request again, once; then the parent is skipped.
    RetryOnce,
    /// The same request with a fresh token, once; then the stream fails.
    RefreshToken,
    /// This parent cannot be read: a warning names it, and the others are read.
    SkipParent,
    /// The stream cannot be read in full.
    FailStream,
    /// Nothing can be read.
    FailRun,
}

/// The table of statuses that are no success (graph.md 5.2 and 5.3).
pub(super) fn of_status(status: u16) -> Verdict {
    match status {
        401 => Verdict::RefreshToken,
        403 | 404 => Verdict::SkipParent,
        // What neither time nor another attempt changes: not implemented, version not supported, a captive portal.
        501 | 505 | 511 => Verdict::FailStream,
        408 | 409 | 423 | 425 | 429 | 500.. => Verdict::Retry,
        _ => Verdict::FailStream,
    }
}

/// What Graph says when the service that it asks itself has an outage, whatever the status (graph.md 5.2).
const OUTAGES: [&str; 1] = ["backend request"];

/// Whether it is an outage that looks like the client's fault.
pub(super) fn is_outage(refusal: &Refusal) -> bool {
    let message = refusal.message.to_ascii_lowercase();
    matches!(refusal.status, 400 | 403 | 404) && OUTAGES.iter().any(|words| message.contains(words))
}

/// The table of causes.
pub(super) fn verdict(cause: &Cause) -> Verdict {
    match cause {
        Cause::Refused(refusal) if is_outage(refusal) => Verdict::Retry,
        // No word of what was not found: sometimes a gateway has lost its way (graph.md 5.2).
        Cause::Refused(Refusal { status: 404, code, .. }) if matches!(code.as_str(), "" | "UnknownError") => Verdict::RetryOnce,
        Cause::Refused(refusal) => of_status(refusal.status),
        Cause::SignIn(refusal) if refusal.transient => Verdict::Retry,
        Cause::Transport(_) | Cause::Malformed(_) => Verdict::Retry,
        Cause::Closed(_) | Cause::TooLarge(_) | Cause::ForeignLink(_) | Cause::EndlessPaging(_) => Verdict::FailStream,
        Cause::SignIn(_) => Verdict::FailRun,
    }
}

/// The waits between the attempts of one request: exponential with jitter; Graph's own wish comes first.
#[derive(Debug)]
pub(super) struct Waits {
    own: ExponentialBackoff,
    longest: Duration,
    until: Option<Instant>,
}

impl Waits {
    /// Waits that begin at `first` and double up to a minute, for so many attempts at most, none of them longer than `longest`.
    pub(super) fn new(first: Duration, attempts: u32, longest: Duration) -> Self {
        let builder = ExponentialBuilder::new().with_min_delay(first).with_max_delay(Duration::from_secs(60)).with_jitter();
        let own = builder.with_max_times(attempts.saturating_sub(1) as usize).build();
        Self { own, longest, until: Instant::now().checked_add(LONGEST) }
    }

    /// How long to wait before the next attempt; [`None`] if there were enough, or if it would be too long.
    pub(super) fn next(&mut self, cause: &Cause) -> Option<Duration> {
        let own = self.own.next()?;
        let wait = asked(cause).unwrap_or(own);
        let end = Instant::now().checked_add(wait)?;
        (wait <= self.longest && self.until.is_none_or(|until| end <= until)).then_some(wait)
    }
}

/// How long the answer asks to wait.
fn asked(cause: &Cause) -> Option<Duration> {
    match cause {
        Cause::Refused(refusal) => refusal.retry_after,
        Cause::SignIn(refusal) => refusal.retry_after,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn throttled(wait: Duration) -> Cause {
        Cause::Refused(Refusal { status: 429, retry_after: Some(wait), ..Refusal::default() })
    }

    #[test]
    fn every_status_has_its_verdict() {
        let (mut table, mut from) = (String::new(), 100);
        for status in 100..600 {
            if status == 599 || of_status(status) != of_status(status + 1) {
                writeln!(table, "{from}-{status} {:?}", of_status(status)).unwrap();
                from = status + 1;
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn an_outage_is_one_whatever_its_status() {
        let refused = |status, message: &str| {
            Cause::Refused(Refusal { status, code: "NotFound".to_owned(), message: message.to_owned(), ..Refusal::default() })
        };
        for words in ["Failed to execute Skype backend request GetThreadS2SRequest.", "failed to execute BACKEND REQUEST."] {
            for status in [400, 403, 404, 502] {
                assert_eq!(verdict(&refused(status, words)), Verdict::Retry, "{status} {words}");
            }
            assert_eq!(verdict(&refused(401, words)), Verdict::RefreshToken);
        }
        assert_eq!(verdict(&refused(403, "Missing role permissions on the request.")), Verdict::SkipParent);
        assert_eq!(verdict(&refused(404, "No team found with Group Id x")), Verdict::SkipParent);
    }

    #[test]
    fn a_request_is_tried_a_bounded_number_of_times() {
        let mut waits = Waits::new(Duration::from_millis(10), MAX_ATTEMPTS, LONGEST_WAIT);
        let waited: Vec<_> = std::iter::from_fn(|| waits.next(&Cause::Transport(String::new()))).collect();
        assert_eq!(waited.len(), 6);
        assert!(waited.windows(2).all(|pair| pair[0] < pair[1]) && waited.iter().sum::<Duration>() < Duration::from_secs(2), "{waited:?}");
    }

    #[test]
    fn graphs_own_wish_is_obeyed_unless_it_is_longer_than_a_run_waits() {
        let next = |wait| Waits::new(Duration::from_secs(1), MAX_ATTEMPTS, LONGEST_WAIT).next(&throttled(wait));
        for obeyed in [Duration::ZERO, Duration::from_secs(77), LONGEST_WAIT] {
            assert_eq!(next(obeyed), Some(obeyed));
        }
        assert_eq!(next(LONGEST_WAIT + Duration::from_secs(1)), None);
    }

    #[test]
    fn a_request_is_tried_for_a_bounded_time() {
        let mut waits = Waits::new(Duration::from_secs(1), MAX_ATTEMPTS, LONGEST_WAIT);
        waits.until = Some(Instant::now() + Duration::from_secs(60));
        assert_eq!(waits.next(&throttled(Duration::from_secs(59))), Some(Duration::from_secs(59)));
        assert_eq!(waits.next(&throttled(Duration::from_secs(61))), None);
    }
}
