//! What was asked of Graph, counted by class: for whoever watches a run, and for its end.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::budget::Class;

/// Counts while requests are sent.
#[derive(Debug, Default)]
pub(in crate::graph) struct Counters {
    classes: [Counter; Class::ALL.len()],
    sign_ins: AtomicU64,
}

#[derive(Debug, Default)]
struct Counter {
    sent: AtomicU64,
    throttled: AtomicU64,
    micros: AtomicU64,
}

/// What was asked so far.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// The classes of which something was asked.
    pub classes: Vec<ClassCounts>,
    /// Requests for a token.
    pub sign_ins: u64,
}

/// What was asked of one class.
#[derive(Clone, Copy, Debug)]
pub struct ClassCounts {
    /// The class.
    pub class: Class,
    /// Requests, each attempt of them.
    pub sent: u64,
    /// Those that Graph refused since its limits were reached (429).
    pub throttled: u64,
    /// From sending to the end of the answer, of all requests together.
    pub took: Duration,
}

impl Counters {
    fn of(&self, class: Class) -> &Counter {
        &self.classes[class as usize]
    }

    pub(in crate::graph) fn sent(&self, class: Class) {
        self.of(class).sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::graph) fn took(&self, class: Class, time: Duration) {
        self.of(class).micros.fetch_add(time.as_micros() as u64, Ordering::Relaxed);
    }

    pub(in crate::graph) fn throttled(&self, class: Class) {
        self.of(class).throttled.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::graph) fn sign_in(&self) {
        self.sign_ins.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::graph) fn counts(&self) -> Counts {
        let of = |class| {
            let Counter { sent, throttled, micros } = self.of(class);
            let [sent, throttled, micros] = [sent, throttled, micros].map(|count| count.load(Ordering::Relaxed));
            ClassCounts { class, sent, throttled, took: Duration::from_micros(micros) }
        };
        let classes = Class::ALL.into_iter().map(of).filter(|counts| counts.sent > 0).collect();
        Counts { classes, sign_ins: self.sign_ins.load(Ordering::Relaxed) }
    }
}

impl Counts {
    /// Requests of Graph, those for a token left out.
    pub fn sent(&self) -> u64 {
        self.classes.iter().map(|counts| counts.sent).sum()
    }

    /// Requests that Graph refused since its limits were reached.
    pub fn throttled(&self) -> u64 {
        self.classes.iter().map(|counts| counts.throttled).sum()
    }
}

impl ClassCounts {
    /// What one request took on average.
    pub fn mean(&self) -> Duration {
        self.took.div_f64(self.sent.max(1) as f64)
    }
}
