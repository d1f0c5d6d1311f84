//! Estimates the length of a channel from its first page. Threads are listed by activity, newest first, so a page contains every root
//! message that was created since the activity at its end. This shows how often people post in the channel. Old threads that became active
//! again do not count.

use chrono::{DateTime, Utc};

use super::{
    activity::Activity,
    expansion::{DEFAULT_PAGE_SIZE, Expansion},
    remaining_replies::RemainingReplies,
};
use crate::{
    graph::{Item, Page},
    record::instant,
};

#[derive(Debug, Default)]
pub(crate) struct ChannelEstimate {
    threads: Vec<ListedThread>,
    pub(crate) has_next: bool,
    /// The activity at the end of the page: that of the second oldest thread, because a single thread may be older than its place suggests.
    end: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug)]
struct ListedThread {
    created: Option<DateTime<Utc>>,
    activity: Option<DateTime<Utc>>,
    /// Requests for the replies that are not on the page.
    requests: f64,
}

impl ChannelEstimate {
    /// `expands_replies`: whether replies are returned with their root messages.
    pub(crate) fn new(page: &Page, expansion: &Expansion, expands_replies: bool) -> Self {
        let threads = page.items().map(|message| ListedThread::new(message, expansion, expands_replies)).collect();
        Self::from_threads(threads, page.next().is_some())
    }

    fn from_threads(threads: Vec<ListedThread>, has_next: bool) -> Self {
        let mut times: Vec<_> = threads.iter().filter_map(|thread| thread.activity).collect();
        times.sort_unstable();
        Self { threads, has_next, end: times.get(1).or(times.first()).copied() }
    }

    /// Number of threads down to `stop`. The channel is assumed to go back to `bottom`, with as many threads per day as on the page.
    pub(crate) fn count(&self, stop: DateTime<Utc>, bottom: DateTime<Utc>) -> f64 {
        let needed = self.since(stop).count();
        if !self.has_next || needed < self.threads.len() {
            return needed as f64;
        }
        let newest = self.threads.iter().filter_map(|thread| thread.activity).max();
        let seconds = |from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>| {
            to.zip(from).map_or(0, |(to, from)| (to - from).num_seconds().max(0)) as f64
        };
        let per_second = self.created_since_end().count() as f64 / seconds(self.end, newest).max(1.0);
        needed as f64 + (per_second * seconds(Some(bottom), self.end)).max(1.0)
    }

    /// Number of requests for long threads. Threads beyond the page are assumed to need the average of the recently created threads on it.
    pub(crate) fn thread_requests(&self, stop: DateTime<Utc>, threads: f64) -> f64 {
        let requests = |threads: &mut dyn Iterator<Item = &ListedThread>| threads.map(|thread| thread.requests).sum::<f64>();
        let shown = requests(&mut self.since(stop));
        let is_all = threads <= self.threads.len() as f64;
        let average = requests(&mut self.created_since_end()) / self.created_since_end().count().max(1) as f64;
        if is_all { shown } else { shown.max(threads * average) }
    }

    fn since(&self, time: DateTime<Utc>) -> impl Iterator<Item = &ListedThread> {
        self.threads.iter().filter(move |thread| thread.activity.is_none_or(|activity| activity >= time))
    }

    fn created_since_end(&self) -> impl Iterator<Item = &ListedThread> {
        self.threads.iter().filter(|thread| thread.created.zip(self.end).is_none_or(|(created, end)| created >= end))
    }
}

impl ListedThread {
    fn new(message: Item<'_>, expansion: &Expansion, expands_replies: bool) -> Self {
        let activity = message.replies().map(Activity::from_message).fold(Activity::from_message(message), Activity::later).known();
        let created = message.created().and_then(|text| instant(&text));
        let rest = if expands_replies { RemainingReplies::from_root(message, expansion) } else { Some(RemainingReplies::all()) };
        Self { created, activity, requests: rest.map_or(0.0, |rest| rest.likely(DEFAULT_PAGE_SIZE).1) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn further_threads_are_as_dense_as_those_created_recently() {
        let (now, day) = (DateTime::from_timestamp(1_790_000_000, 0).unwrap(), TimeDelta::days(1));
        let shown = |created, activity, requests| ListedThread {
            created: Some(now - day * created),
            activity: Some(now - day * activity),
            requests,
        };
        // A thread that became active again, one thread a day, and one out of place.
        let mut messages = vec![shown(90, 0, 3.0)];
        messages.extend((1..10).map(|age| shown(age, age, 1.0)).chain([shown(80, 80, 0.0)]));
        let page = ChannelEstimate::from_threads(messages.clone(), true);
        assert_eq!(page.count(DateTime::UNIX_EPOCH, now - day * 99), 11.0 + 90.0);
        assert_eq!(page.thread_requests(DateTime::UNIX_EPOCH, 101.0), 101.0);
        assert_eq!((page.count(now - day * 5, now), page.thread_requests(now - day * 5, 6.0)), (6.0, 8.0));
        let whole = ChannelEstimate::from_threads(messages, false);
        assert_eq!((whole.count(DateTime::UNIX_EPOCH, now - day * 99), whole.thread_requests(DateTime::UNIX_EPOCH, 11.0)), (11.0, 12.0));
        assert_eq!(ChannelEstimate::default().count(now, now), 0.0);
    }
}
