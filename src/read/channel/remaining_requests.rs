//! Estimates how many requests a channel still needs. Its threads are listed from new to old, so each page shows how far back the pass has
//! read.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

/// The preview of Teams began in November 2016. If nothing else is known, a channel does not go back further.
const TEAMS_LAUNCH: Option<NaiveDate> = NaiveDate::from_ymd_opt(2016, 11, 1);

/// Assumed requests for a long thread of unknown length: as many as the expanded replies would have needed.
const REQUESTS_PER_THREAD: u32 = 4;

/// The estimated remainder of a pass through a channel.
#[derive(Debug, Default)]
pub(super) struct RemainingRequests {
    bottom: DateTime<Utc>,
    newest: Option<DateTime<Utc>>,
    oldest: Option<DateTime<Utc>>,
    pages: u32,
    /// Threads to complete, and pages read of the current one.
    threads: u32,
    thread_pages_read: u32,
}

impl RemainingRequests {
    /// For a pass down to `stop` in a channel that was created at this time.
    pub(super) fn new(stop: DateTime<Utc>, created: Option<DateTime<Utc>>) -> Self {
        Self { bottom: stop.max(earliest_creation(created)), ..Self::default() }
    }

    /// Notes a thread on the page, with its activity if known.
    pub(super) fn note_thread(&mut self, activity: Option<DateTime<Utc>>) {
        if let Some(activity) = activity {
            self.newest = self.newest.max(Some(activity));
            self.oldest = Some(self.oldest.map_or(activity, |oldest| oldest.min(activity)));
        }
    }

    /// Notes a page with this number of threads to complete.
    pub(super) fn note_page(&mut self, threads: u32) {
        self.pages += 1;
        self.threads = threads;
    }

    pub(super) fn note_thread_page(&mut self) {
        self.thread_pages_read += 1;
    }

    pub(super) fn note_end_of_thread(&mut self) {
        (self.threads, self.thread_pages_read) = (self.threads.saturating_sub(1), 0);
    }

    /// Estimated number of remaining requests.
    pub(super) fn requests(&self) -> f64 {
        let seconds = |from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>| {
            let span = to.zip(from).map_or(0, |(to, from)| (to - from).num_seconds());
            span.max(0) as f64
        };
        let done = seconds(self.oldest, self.newest);
        let to_do = seconds(Some(self.bottom), self.oldest);
        let pages = if done > 0.0 { f64::from(self.pages) * to_do / done } else { f64::from(self.pages) };
        // Rounded up: fractions would put one channel before another that needs as many requests and has waited longer.
        pages.ceil() + f64::from(self.threads * REQUESTS_PER_THREAD + self.thread_pages_read)
    }
}

/// When a channel was created, or the earliest time at which it can have been.
pub(crate) fn earliest_creation(created: Option<DateTime<Utc>>) -> DateTime<Utc> {
    created.or(TEAMS_LAUNCH.map(|day| day.and_time(NaiveTime::MIN).and_utc())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn remaining_requests_are_estimated_from_progress() {
        let (now, day) = (DateTime::from_timestamp(1_790_000_000, 0).unwrap(), TimeDelta::days(1));
        let mut remaining = RemainingRequests::new(DateTime::UNIX_EPOCH, Some(now - day * 100));
        assert_eq!(remaining.requests(), 0.0);
        for age in [0, 5, 10] {
            remaining.note_thread(Some(now - day * age));
        }
        remaining.note_thread(None);
        remaining.note_page(0);
        assert_eq!(remaining.requests(), 9.0);
        remaining.note_thread(Some(now - day * 20));
        remaining.note_page(2);
        assert_eq!(remaining.requests(), 8.0 + 8.0);
        remaining.note_thread_page();
        assert_eq!(remaining.requests(), 8.0 + 9.0);
        remaining.note_end_of_thread();
        assert_eq!(remaining.requests(), 8.0 + 4.0);
        remaining.note_end_of_thread();
        assert_eq!(remaining.requests(), 8.0);
    }

    #[test]
    fn nothing_is_counted_below_the_cutoff() {
        let (now, day) = (DateTime::from_timestamp(1_790_000_000, 0).unwrap(), TimeDelta::days(1));
        let mut remaining = RemainingRequests::new(now - day * 3, Some(now - day * 100));
        remaining.note_thread(Some(now));
        remaining.note_thread(Some(now - day * 2));
        remaining.note_page(0);
        assert_eq!(remaining.requests(), 1.0);
        remaining.note_thread(Some(now - day * 9));
        remaining.note_page(0);
        assert_eq!(remaining.requests(), 0.0);
    }
}
