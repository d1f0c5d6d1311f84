//! How long a channel is, by its first page. Chains are listed by their activity, newest first: a page has every root that was created
//! since the activity at its end, and so shows how fast the channel is posted to. Old chains that came up again do not count.

use chrono::{DateTime, Utc};

use super::{
    activity::Activity,
    expansion::{Expansion, USUAL_PAGE},
    remaining_replies::RemainingReplies,
};
use crate::{
    graph::{Item, Page},
    record::instant,
};

/// What the first page of a channel shows.
#[derive(Debug, Default)]
pub(crate) struct Estimate {
    messages: Vec<Shown>,
    pub(crate) has_next: bool,
    /// The activity at its end. One alone may be older than its place shows.
    end: Option<DateTime<Utc>>,
}

/// What it shows of a message.
#[derive(Clone, Copy, Debug)]
struct Shown {
    created: Option<DateTime<Utc>>,
    activity: Option<DateTime<Utc>>,
    /// Requests for its replies that are not on the page.
    requests: f64,
}

impl Estimate {
    /// `expands`: whether replies come with their roots.
    pub(crate) fn new(page: &Page, expansion: &Expansion, expands: bool) -> Self {
        let messages = page.items().map(|message| Shown::new(message, expansion, expands)).collect();
        Self::of(messages, page.next().is_some())
    }

    fn of(messages: Vec<Shown>, has_next: bool) -> Self {
        let mut times: Vec<_> = messages.iter().filter_map(|message| message.activity).collect();
        times.sort_unstable();
        Self { messages, has_next, end: times.get(1).or(times.first()).copied() }
    }

    /// Chains down to `stop`. Those that are not shown are taken to go back to `bottom`, as many a day as those that are shown.
    pub(crate) fn count(&self, stop: DateTime<Utc>, bottom: DateTime<Utc>) -> f64 {
        let wanted = self.since(stop).count();
        if !self.has_next || wanted < self.messages.len() {
            return wanted as f64;
        }
        let newest = self.messages.iter().filter_map(|message| message.activity).max();
        let seconds = |from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>| {
            to.zip(from).map_or(0, |(to, from)| (to - from).num_seconds().max(0)) as f64
        };
        let each_second = self.new_ones().count() as f64 / seconds(self.end, newest).max(1.0);
        wanted as f64 + (each_second * seconds(Some(bottom), self.end)).max(1.0)
    }

    /// Requests for long threads: for those that are shown, and if there are more chains, as many a chain as new ones need.
    pub(crate) fn of_threads(&self, stop: DateTime<Utc>, chains: f64) -> f64 {
        let requests = |chains: &mut dyn Iterator<Item = &Shown>| chains.map(|chain| chain.requests).sum::<f64>();
        let shown = requests(&mut self.since(stop));
        let is_all = chains <= self.messages.len() as f64;
        let each = requests(&mut self.new_ones()) / self.new_ones().count().max(1) as f64;
        if is_all { shown } else { shown.max(chains * each) }
    }

    fn since(&self, time: DateTime<Utc>) -> impl Iterator<Item = &Shown> {
        self.messages.iter().filter(move |message| message.activity.is_none_or(|activity| activity >= time))
    }

    fn new_ones(&self) -> impl Iterator<Item = &Shown> {
        self.messages.iter().filter(|message| message.created.zip(self.end).is_none_or(|(created, end)| created >= end))
    }
}

impl Shown {
    fn new(message: Item<'_>, expansion: &Expansion, expands: bool) -> Self {
        let activity = message.replies().map(Activity::of).fold(Activity::of(message), Activity::later).known();
        let created = message.created().and_then(|text| instant(&text));
        let rest = if expands { RemainingReplies::of(message, expansion) } else { Some(RemainingReplies::of_all()) };
        Self { created, activity, requests: rest.map_or(0.0, |rest| rest.likely(USUAL_PAGE).1) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_is_not_shown_is_as_dense_as_what_was_created_lately() {
        let (now, day) = (DateTime::from_timestamp(1_790_000_000, 0).unwrap(), TimeDelta::days(1));
        let shown =
            |created, activity, requests| Shown { created: Some(now - day * created), activity: Some(now - day * activity), requests };
        // A chain that came up again, one a day, and one that is out of its place.
        let mut messages = vec![shown(90, 0, 3.0)];
        messages.extend((1..10).map(|age| shown(age, age, 1.0)).chain([shown(80, 80, 0.0)]));
        let page = Estimate::of(messages.clone(), true);
        assert_eq!(page.count(DateTime::UNIX_EPOCH, now - day * 99), 11.0 + 90.0);
        assert_eq!(page.of_threads(DateTime::UNIX_EPOCH, 101.0), 101.0);
        assert_eq!((page.count(now - day * 5, now), page.of_threads(now - day * 5, 6.0)), (6.0, 8.0));
        let whole = Estimate::of(messages, false);
        assert_eq!((whole.count(DateTime::UNIX_EPOCH, now - day * 99), whole.of_threads(DateTime::UNIX_EPOCH, 11.0)), (11.0, 12.0));
        assert_eq!(Estimate::default().count(now, now), 0.0);
    }
}
