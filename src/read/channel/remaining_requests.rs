//! How much of a channel remains to be read, about: its chains go from new to old, so each page shows how far back the pass has come.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

/// Before it there was no Teams (preview of November 2016): where nothing else is known, a channel does not go back further.
const TEAMS: Option<NaiveDate> = NaiveDate::from_ymd_opt(2016, 11, 1);

/// Requests that a thread is taken to need when nothing is known but that it is long: as many as what was expanded would have needed.
const THREAD: u32 = 4;

/// What remains of a pass through a channel.
#[derive(Debug, Default)]
pub(super) struct RemainingRequests {
    bottom: DateTime<Utc>,
    newest: Option<DateTime<Utc>>,
    oldest: Option<DateTime<Utc>>,
    pages: u32,
    /// Threads that are to be completed, and pages that were read of the one that is being completed.
    threads: u32,
    of_thread: u32,
}

impl RemainingRequests {
    /// Of a pass that goes down to `stop`, in a channel that was created at that time.
    pub(super) fn new(stop: DateTime<Utc>, created: Option<DateTime<Utc>>) -> Self {
        Self { bottom: stop.max(earliest(created)), ..Self::default() }
    }

    /// A chain was met; its activity, if it is known.
    pub(super) fn note_chain(&mut self, activity: Option<DateTime<Utc>>) {
        if let Some(activity) = activity {
            self.newest = self.newest.max(Some(activity));
            self.oldest = Some(self.oldest.map_or(activity, |oldest| oldest.min(activity)));
        }
    }

    /// A page was read, with this number of threads to complete.
    pub(super) fn note_page(&mut self, threads: u32) {
        self.pages += 1;
        self.threads = threads;
    }

    /// A page of a thread was read.
    pub(super) fn note_page_of_thread(&mut self) {
        self.of_thread += 1;
    }

    /// The thread was read to its end.
    pub(super) fn note_end_of_thread(&mut self) {
        (self.threads, self.of_thread) = (self.threads.saturating_sub(1), 0);
    }

    /// Requests, about.
    pub(super) fn requests(&self) -> f64 {
        let seconds = |from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>| {
            let span = to.zip(from).map_or(0, |(to, from)| (to - from).num_seconds());
            span.max(0) as f64
        };
        let done = seconds(self.oldest, self.newest);
        let to_do = seconds(Some(self.bottom), self.oldest);
        let pages = if done > 0.0 { f64::from(self.pages) * to_do / done } else { f64::from(self.pages) };
        // Whole requests: parts of one would put one channel before another that has as many to come and has waited longer.
        pages.ceil() + f64::from(self.threads * THREAD + self.of_thread)
    }
}

/// When a channel was created, or could have been at the earliest.
pub(crate) fn earliest(created: Option<DateTime<Utc>>) -> DateTime<Utc> {
    created.or(TEAMS.map(|day| day.and_time(NaiveTime::MIN).and_utc())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_remains_is_estimated_from_what_is_done() {
        let (now, day) = (DateTime::from_timestamp(1_790_000_000, 0).unwrap(), TimeDelta::days(1));
        let mut remaining = RemainingRequests::new(DateTime::UNIX_EPOCH, Some(now - day * 100));
        assert_eq!(remaining.requests(), 0.0);
        for age in [0, 5, 10] {
            remaining.note_chain(Some(now - day * age));
        }
        remaining.note_chain(None);
        remaining.note_page(0);
        assert_eq!(remaining.requests(), 9.0);
        remaining.note_chain(Some(now - day * 20));
        remaining.note_page(2);
        assert_eq!(remaining.requests(), 8.0 + 8.0);
        remaining.note_page_of_thread();
        assert_eq!(remaining.requests(), 8.0 + 9.0);
        remaining.note_end_of_thread();
        assert_eq!(remaining.requests(), 8.0 + 4.0);
        remaining.note_end_of_thread();
        assert_eq!(remaining.requests(), 8.0);
    }

    #[test]
    fn a_floor_is_the_bottom_and_nothing_is_below_it() {
        let (now, day) = (DateTime::from_timestamp(1_790_000_000, 0).unwrap(), TimeDelta::days(1));
        let mut remaining = RemainingRequests::new(now - day * 3, Some(now - day * 100));
        remaining.note_chain(Some(now));
        remaining.note_chain(Some(now - day * 2));
        remaining.note_page(0);
        assert_eq!(remaining.requests(), 1.0);
        remaining.note_chain(Some(now - day * 9));
        remaining.note_page(0);
        assert_eq!(remaining.requests(), 0.0);
    }
}
