//! What to do about a request that failed: one table from status or cause to verdict, and the waits in between.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    error::{Cause, Error, Refusal},
    limits::{LONGEST_WAIT, Limits},
};

/// A link that Graph fails to answer is given up after so long.
const LINK_LASTS: TimeDelta = TimeDelta::hours(24);

/// For so long a request is tried again at most, its waits included.
const LONGEST: Duration = Duration::from_secs(3600);

/// So many times the first of our own waits is the longest.
const LONGEST_OWN: u32 = 60;

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
        // A cache that answers what nobody asked; another connection; what passes.
        304 | 408 | 409 | 421 | 423 | 425 | 429 | 500.. => Verdict::Retry,
        _ => Verdict::FailStream,
    }
}

/// The table of causes.
pub(super) fn verdict(cause: &Cause) -> Verdict {
    match cause {
        Cause::Refused(refusal) if refusal.is_outage() => Verdict::Retry,
        // No word of what was not found: sometimes a gateway has lost its way (graph.md 5.2).
        Cause::Refused(Refusal { status: 404, code, .. }) if matches!(code.as_str(), "" | "UnknownError") => Verdict::RetryOnce,
        Cause::Refused(refusal) => of_status(refusal.status),
        Cause::SignIn(refusal) if refusal.transient => Verdict::Retry,
        Cause::Transport(_) | Cause::Malformed(_) => Verdict::Retry,
        Cause::Closed(_) | Cause::TooLarge(_) | Cause::ForeignLink(_) | Cause::EndlessPaging(_) => Verdict::FailStream,
        Cause::SignIn(_) => Verdict::FailRun,
    }
}

/// The waits between the attempts of one request. Graph's own wish comes first; from the second refusal on it is not believed to be enough if
/// our own wait, which grows, is longer: limits were seen that last a minute and ask for a second each time.
#[derive(Debug)]
pub(super) struct Waits {
    /// The first of our own waits.
    first: Duration,
    limits: Limits,
    /// Refusals so far, and those of them that were none of the limits.
    refusals: u32,
    failures: u32,
    /// From the first refusal on: what was waited for before, such as a turn, took no try.
    until: Option<Instant>,
    throttled_until: Option<Instant>,
}

impl Waits {
    /// Waits of which our own begin at `first`.
    pub(super) fn new(first: Duration, limits: Limits) -> Self {
        Self { first, limits, refusals: 0, failures: 0, until: None, throttled_until: None }
    }

    /// How long to wait from `now` before the next attempt; [`None`] if there were enough, or if it would be too long.
    pub(super) fn next(&mut self, cause: &Cause, now: Instant) -> Option<Duration> {
        let is_throttled = matches!(cause, Cause::Refused(Refusal { status: 429, .. }));
        let is_given_up = if is_throttled {
            now > *self.throttled_until.get_or_insert(now + self.limits.throttled)
        } else {
            self.failures += 1;
            self.failures >= self.limits.attempts
        };
        let asked = asked(cause);
        let own = if is_throttled { self.own_while_throttled(asked) } else { self.own() };
        self.refusals += 1;
        let wait = match asked {
            Some(asked) if self.refusals == 1 => asked,
            asked => asked.unwrap_or_default().max(own),
        };
        let is_allowed = wait <= self.limits.wait && now.checked_add(wait)? <= *self.until.get_or_insert(now + LONGEST);
        (is_allowed && !is_given_up).then_some(wait)
    }

    /// Our own wait, which doubles: somewhat different each time, so that those who were refused together do not come again together.
    fn own(&self) -> Duration {
        self.first * 2_u32.saturating_pow(self.refusals).min(LONGEST_OWN) + self.first.mul_f64(fastrand::f64())
    }

    /// Our own wait while requests are throttled. It grows by the first, or by what Graph asks for: somebody else may have the budget, each try
    /// costs both of them such a wait, and so does each one that is waited for too long; both together are least where the wait grows as the
    /// root of the time.
    fn own_while_throttled(&self, asked: Option<Duration>) -> Duration {
        let longest = self.first * LONGEST_OWN;
        let step = asked.unwrap_or_default().clamp(self.first, longest);
        let jitter = fastrand::f64();
        step.mul_f64(f64::from(self.refusals + 1) + jitter).min(longest + self.first.mul_f64(jitter))
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

impl Error {
    /// Whether Graph may have refused the page size that a request has, and not what else it has. Its words are not always the same.
    pub(super) fn may_refuse_top(&self, has_other_options: bool) -> bool {
        let Cause::Refused(refusal) = &self.cause else { return false };
        let said = refusal.message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let is_likely = if has_other_options { says(&["top", "query"]) } else { !says(&["guid", "token"]) };
        refusal.status == 400 && !self.is_transient() && is_likely && !says(&["expand"])
    }

    /// Whether Graph gives a later page of a list no more than what does not exist, or is not allowed.
    pub fn is_refused_later(&self) -> bool {
        self.is_later_page && !self.is_transient() && matches!(self.status(), Some(400 | 403 | 404 | 410))
    }

    /// What it means for what was to be read.
    pub fn verdict(&self) -> Verdict {
        match verdict(&self.cause) {
            Verdict::SkipParent | Verdict::RetryOnce if self.is_later_page => Verdict::FailStream,
            verdict => verdict,
        }
    }

    /// Whether the same request may succeed at another time, without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        self.verdict() == Verdict::Retry || matches!(self.cause, Cause::Closed(_))
    }

    /// When the same request may succeed, if Graph has said so and it is longer than a run waits.
    pub fn long_wait(&self) -> Option<Duration> {
        let wait = match &self.cause {
            Cause::Closed(wait) => Some(*wait),
            Cause::Refused(refusal) => refusal.retry_after,
            Cause::SignIn(refusal) => refusal.retry_after,
            _ => None,
        };
        wait.filter(|wait| *wait > LONGEST_WAIT)
    }

    /// Whether a link will hardly be answered again: what it leads to can be asked for anew. One that Graph fails to answer is given up a day
    /// after it was got.
    pub fn is_link_lost(&self, got_at: Option<DateTime<Utc>>) -> bool {
        match &self.cause {
            Cause::Refused(Refusal { status: 500.., date, .. }) => got_at.is_some_and(|got_at| (*date - got_at).abs() > LINK_LASTS),
            // What time or another token changes is not the link's fault.
            Cause::Refused(_) => !matches!(self.verdict(), Verdict::Retry | Verdict::RefreshToken),
            Cause::Malformed(_) | Cause::EndlessPaging(_) => true,
            Cause::SignIn(_) | Cause::Transport(_) | Cause::Closed(_) | Cause::TooLarge(_) | Cause::ForeignLink(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn refused(status: u16, retry_after: Option<Duration>) -> Cause {
        Cause::Refused(Refusal { status, retry_after, ..Refusal::default() })
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
        let said = |status, message: &str| {
            Cause::Refused(Refusal { status, code: "NotFound".to_owned(), message: message.to_owned(), ..Refusal::default() })
        };
        for words in ["Failed to execute Skype backend request GetThreadS2SRequest.", "failed to execute BACKEND REQUEST."] {
            for status in [400, 403, 404, 502] {
                assert_eq!(verdict(&said(status, words)), Verdict::Retry, "{status} {words}");
            }
            assert_eq!(verdict(&said(401, words)), Verdict::RefreshToken);
        }
        assert_eq!(verdict(&said(403, "Missing role permissions on the request.")), Verdict::SkipParent);
        assert_eq!(verdict(&said(404, "No team found with Group Id x")), Verdict::SkipParent);
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn waits(first: Duration) -> Waits {
        Waits::new(first, Limits::default())
    }

    /// All waits of a request that always fails like this.
    fn all(first: Duration, cause: &Cause) -> Vec<Duration> {
        let mut now = Instant::now();
        let mut waits = waits(first);
        std::iter::from_fn(|| {
            let wait = waits.next(cause, now)?;
            now += wait;
            Some(wait)
        })
        .collect()
    }

    #[test]
    fn a_request_is_tried_a_bounded_number_of_times() {
        let waited = all(SECOND, &Cause::Transport(String::new()));
        assert_eq!(waited.len(), 6);
        for (wait, own) in waited.iter().zip([1, 2, 4, 8, 16, 32]) {
            assert!((SECOND * own..SECOND * (own + 1)).contains(wait), "{waited:?}");
        }
    }

    #[test]
    fn graphs_own_wish_is_obeyed_unless_it_is_longer_than_a_run_waits() {
        let now = Instant::now();
        let next = |wait| waits(SECOND).next(&refused(429, Some(wait)), now);
        for obeyed in [Duration::ZERO, SECOND * 77, LONGEST_WAIT] {
            assert_eq!(next(obeyed), Some(obeyed));
        }
        assert_eq!(next(LONGEST_WAIT + SECOND), None);
    }

    #[test]
    fn from_the_second_refusal_on_the_larger_of_graphs_wish_and_our_own_wait_counts() {
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
    fn what_graph_asks_for_is_the_step_by_which_waits_grow_up_to_a_minute() {
        let waited = all(SECOND, &refused(429, Some(SECOND * 10)));
        assert_eq!(waited[0], SECOND * 10);
        for (wait, least) in waited[1..].iter().zip([20, 30, 40, 50].into_iter().chain(std::iter::repeat(60))) {
            assert!((SECOND * least..(SECOND * (least + 10)).min(SECOND * 61)).contains(wait), "{waited:?}");
        }
        let failed = all(SECOND, &refused(503, Some(SECOND * 10)));
        assert_eq!(failed[..3], [SECOND * 10; 3], "an outage is no budget that somebody else has");
    }

    /// Limits that last for minutes were seen while each refusal asked for a second, or for none.
    #[test]
    fn a_limit_that_lasts_for_minutes_is_outlasted_whatever_wait_is_named() {
        for named in [None, Some(Duration::ZERO), Some(Duration::from_millis(124)), Some(SECOND)] {
            let waited = all(SECOND, &refused(429, named));
            let sum: Duration = waited.iter().sum();
            assert!((15 * 60..16 * 60).contains(&sum.as_secs()) && waited.len() < 50, "{named:?}: {waited:?}");
        }
    }

    #[test]
    fn a_request_is_tried_for_a_bounded_time() {
        let now = Instant::now();
        let mut waits = waits(SECOND);
        waits.until = Some(now + SECOND * 60);
        assert_eq!(waits.next(&refused(429, Some(SECOND * 59)), now), Some(SECOND * 59));
        assert_eq!(waits.next(&refused(429, Some(SECOND * 61)), now), None);
    }

    /// The time before the first refusal is not ours: the process may have been stopped for hours, or the turn may have come late.
    #[test]
    fn the_hour_begins_with_the_first_refusal() {
        let (mut waits, late) = (waits(SECOND), Instant::now() + LONGEST * 2);
        assert!(waits.next(&Cause::Transport(String::new()), late).is_some());
        assert_eq!(waits.next(&Cause::Transport(String::new()), late + LONGEST), None);
    }
}
