//! How much of a channel is likely still to come: its chains go from new to old, so each page tells how far back it has led.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

/// Before it there was no Teams (preview of November 2016): where nothing else is known, a channel does not go back further.
const TEAMS: Option<NaiveDate> = NaiveDate::from_ymd_opt(2016, 11, 1);

/// Requests that a thread is taken to need when nothing is known but that it is long: as many as what was expanded would have needed.
const THREAD: u32 = 4;

/// What a pass through a channel has still ahead.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    bottom: DateTime<Utc>,
    newest: Option<DateTime<Utc>>,
    oldest: Option<DateTime<Utc>>,
    pages: u32,
    /// Threads that are to be completed, and pages that were read of the one that is being completed.
    threads: u32,
    of_thread: u32,
}

impl Ahead {
    /// Of a pass that goes down to `stop`, in a channel that was created at that time.
    pub(crate) fn new(stop: DateTime<Utc>, created: Option<DateTime<Utc>>) -> Self {
        Self { bottom: stop.max(earliest(created)), ..Self::default() }
    }

    /// A chain was met; its activity, if it is known.
    pub(crate) fn meet(&mut self, activity: Option<DateTime<Utc>>) {
        if let Some(activity) = activity {
            self.newest = self.newest.max(Some(activity));
            self.oldest = Some(self.oldest.map_or(activity, |oldest| oldest.min(activity)));
        }
    }

    /// A page was read, some threads of which go on elsewhere.
    pub(crate) fn page(&mut self, threads: u32) {
        self.pages += 1;
        self.threads = threads;
    }

    /// A page of a thread was read.
    pub(crate) fn page_of_thread(&mut self) {
        self.of_thread += 1;
    }

    /// The thread was read to its end.
    pub(crate) fn thread(&mut self) {
        (self.threads, self.of_thread) = (self.threads.saturating_sub(1), 0);
    }

    /// Requests, about.
    pub(crate) fn requests(&self) -> f64 {
        let seconds = |from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>| {
            let span = to.zip(from).map_or(0, |(to, from)| (to - from).num_seconds());
            span.max(0) as f64
        };
        let behind = seconds(self.oldest, self.newest);
        let ahead = seconds(Some(self.bottom), self.oldest);
        let pages = if behind > 0.0 { f64::from(self.pages) * ahead / behind } else { f64::from(self.pages) };
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
    fn the_way_ahead_is_told_from_the_way_behind() {
        let (now, day) = (DateTime::from_timestamp(1_790_000_000, 0).unwrap(), TimeDelta::days(1));
        let mut ahead = Ahead::new(DateTime::UNIX_EPOCH, Some(now - day * 100));
        assert_eq!(ahead.requests(), 0.0);
        for age in [0, 5, 10] {
            ahead.meet(Some(now - day * age));
        }
        ahead.meet(None);
        ahead.page(0);
        assert_eq!(ahead.requests(), 9.0);
        ahead.meet(Some(now - day * 20));
        ahead.page(2);
        assert_eq!(ahead.requests(), 8.0 + 8.0);
        ahead.page_of_thread();
        assert_eq!(ahead.requests(), 8.0 + 9.0);
        ahead.thread();
        assert_eq!(ahead.requests(), 8.0 + 4.0);
        ahead.thread();
        assert_eq!(ahead.requests(), 8.0);
    }

    #[test]
    fn a_floor_is_the_bottom_and_nothing_is_below_it() {
        let (now, day) = (DateTime::from_timestamp(1_790_000_000, 0).unwrap(), TimeDelta::days(1));
        let mut ahead = Ahead::new(now - day * 3, Some(now - day * 100));
        ahead.meet(Some(now));
        ahead.meet(Some(now - day * 2));
        ahead.page(0);
        assert_eq!(ahead.requests(), 1.0);
        ahead.meet(Some(now - day * 9));
        ahead.page(0);
        assert_eq!(ahead.requests(), 0.0);
    }
}
