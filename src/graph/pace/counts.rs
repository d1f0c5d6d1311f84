//! Counts the requests to Graph by class.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::class::Class;

/// The counters, updated while requests are sent.
#[derive(Debug, Default)]
pub(in crate::graph) struct Counters {
    /// Indexed by the name of the class.
    classes: Mutex<BTreeMap<&'static str, ClassCounts>>,
    sign_ins: AtomicU64,
}

/// The number of requests so far.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// The classes with requests, sorted by name.
    pub classes: Vec<ClassCounts>,
    /// Token requests.
    pub sign_ins: u64,
}

/// The number of requests in one class.
#[derive(Clone, Copy, Debug)]
pub struct ClassCounts {
    pub class: &'static Class,
    /// Requests, including retries.
    pub sent: u64,
    /// Requests that Graph throttled (429).
    pub throttled: u64,
    /// The total latency, from sending to the end of the response.
    pub latency: Duration,
}

impl Counters {
    pub(in crate::graph) fn count_sent(&self, class: &'static Class) {
        self.change(class, |counts| counts.sent += 1);
    }

    pub(in crate::graph) fn add_latency(&self, class: &'static Class, time: Duration) {
        self.change(class, |counts| counts.latency += time);
    }

    pub(in crate::graph) fn count_throttled(&self, class: &'static Class) {
        self.change(class, |counts| counts.throttled += 1);
    }

    pub(in crate::graph) fn count_sign_in(&self) {
        self.sign_ins.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::graph) fn counts(&self) -> Counts {
        Counts { classes: self.classes().values().copied().collect(), sign_ins: self.sign_ins.load(Ordering::Relaxed) }
    }

    fn change(&self, class: &'static Class, change: impl FnOnce(&mut ClassCounts)) {
        let none = ClassCounts { class, sent: 0, throttled: 0, latency: Duration::ZERO };
        change(self.classes().entry(class.name).or_insert(none));
    }

    fn classes(&self) -> MutexGuard<'_, BTreeMap<&'static str, ClassCounts>> {
        self.classes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// The number of requests to Graph, without token requests.
    pub fn sent(&self) -> u64 {
        self.classes.iter().map(|counts| counts.sent).sum()
    }

    /// The number of requests per class since an earlier count.
    pub fn sent_since(&self, earlier: &Self) -> Vec<(&'static Class, u64)> {
        let before = |class: &Class| earlier.classes.iter().find(|counts| counts.class == class).map_or(0, |counts| counts.sent);
        self.classes.iter().map(|counts| (counts.class, counts.sent - before(counts.class))).collect()
    }

    /// The number of requests that Graph throttled.
    pub fn throttled(&self) -> u64 {
        self.classes.iter().map(|counts| counts.throttled).sum()
    }

    /// The mean latency.
    pub fn mean_latency(&self) -> Duration {
        let latency: Duration = self.classes.iter().map(|counts| counts.latency).sum();
        latency.div_f64(self.sent().max(1) as f64)
    }
}

impl ClassCounts {
    /// The mean latency.
    pub fn mean_latency(&self) -> Duration {
        self.latency.div_f64(self.sent.max(1) as f64)
    }
}
