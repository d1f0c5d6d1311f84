//! Which streams wait for Graph: those all of whose jobs it holds up.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::streams::{PerStream, Stream, StreamSet};

/// Shorter waits are not worth a word.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// The waits of each stream.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<PerStream<Wait>>);

#[derive(Debug, Default)]
struct Wait {
    /// Jobs under way.
    jobs: usize,
    /// Those of them that are held up, and until when.
    held_up: HashMap<u64, Instant>,
    /// The end of the wait that was told last.
    told: Option<Instant>,
}

/// A stream that waits, and how long.
pub(crate) type Waiting = Vec<(&'static Stream, Duration)>;

impl Waits {
    /// A job begins.
    pub(crate) fn begins(&self, feeds: StreamSet) {
        self.each(feeds, |wait| wait.jobs += 1);
    }

    /// A job is held up.
    pub(crate) fn held_up(&self, job: u64, feeds: StreamSet, wait: Duration, now: Instant) -> Waiting {
        let until = now.checked_add(wait).unwrap_or(now);
        self.each(feeds, |wait| _ = wait.held_up.insert(job, until));
        self.to_tell(feeds, now)
    }

    /// A job that was held up goes on.
    pub(crate) fn goes_on(&self, job: u64, feeds: StreamSet) {
        self.each(feeds, |wait| _ = wait.held_up.remove(&job));
    }

    /// A job has ended; only those may be left that are held up.
    pub(crate) fn ends(&self, feeds: StreamSet, now: Instant) -> Waiting {
        self.each(feeds, |wait| wait.jobs -= 1);
        self.to_tell(feeds, now)
    }

    /// The streams that wait and of which this was not told yet.
    fn to_tell(&self, feeds: StreamSet, now: Instant) -> Waiting {
        let mut waits = self.waits();
        let due = feeds.iter().filter_map(|stream| {
            let wait = &mut waits[stream];
            let until = wait.held_up.values().min().copied().filter(|_| wait.held_up.len() == wait.jobs)?;
            let length = until.duration_since(now);
            let is_new = wait.told.is_none_or(|told| told <= now);
            (is_new && length >= WORTH_TELLING).then(|| {
                wait.told = Some(until);
                (stream, length)
            })
        });
        due.collect()
    }

    fn each(&self, feeds: StreamSet, change: impl Fn(&mut Wait)) {
        self.waits().of_mut(feeds).for_each(change);
    }

    /// A thread that panicked has left the waits as they were.
    fn waits(&self) -> MutexGuard<'_, PerStream<Wait>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{MEMBERS, MESSAGE_REPLIES, MESSAGES};

    #[test]
    fn a_stream_waits_when_all_its_jobs_are_held_up_and_each_wait_is_told_once() {
        let (waits, now, second) = (Waits::default(), Instant::now(), Duration::from_secs(1));
        let (messages, both) = (StreamSet::default().with(&MESSAGES), StreamSet::default().with(&MESSAGES).with(&MESSAGE_REPLIES));
        waits.begins(both);
        waits.begins(both);
        waits.begins(StreamSet::default().with(&MEMBERS));
        let names = |waiting: Waiting| waiting.into_iter().map(|(stream, wait)| (stream.name, wait.as_secs())).collect::<Vec<_>>();
        assert_eq!(names(waits.held_up(1, both, 10 * second, now)), []);
        assert_eq!(names(waits.held_up(2, both, 5 * second, now)), [("messages", 5), ("message_replies", 5)]);
        // The same wait, met by another request.
        waits.goes_on(2, both);
        assert_eq!(names(waits.held_up(2, both, 5 * second, now + 2 * second)), []);
        waits.goes_on(2, both);
        assert_eq!(names(waits.held_up(2, both, 3 * second, now + 6 * second)), [("messages", 3), ("message_replies", 3)]);
        waits.goes_on(2, both);
        // What is left is held up.
        waits.begins(messages);
        assert_eq!(names(waits.ends(both, now + 9 * second)), [("message_replies", 1)]);
        assert_eq!(names(waits.held_up(3, messages, second / 2, now + 9 * second)), []);
    }
}
