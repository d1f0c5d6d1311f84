//! How fast a run goes, and how long it will still take, as far as that can be told.

use std::{collections::VecDeque, time::Duration};

use crate::emit::Figures;

/// What was further back says nothing about now.
const WINDOW: Duration = Duration::from_secs(60);

/// Of less than this no speed can be told.
const LEAST: Duration = Duration::from_secs(1);

/// What was seen of a run lately.
#[derive(Debug)]
pub(super) struct Speed {
    seen: VecDeque<Seen>,
    /// The least time between two requests for one channel.
    channel_spacing: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Duration,
    records: u64,
    requests: u64,
}

/// How fast a run goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// Records a second.
    pub(super) records: f64,
    /// Requests a second.
    pub(super) requests: f64,
    /// Time until its end, about.
    pub(super) left: Option<Duration>,
}

impl Speed {
    pub(super) fn new(channel_spacing: Duration) -> Self {
        let seen = VecDeque::from([Seen { at: Duration::ZERO, records: 0, requests: 0 }]);
        Self { seen, channel_spacing }
    }

    /// Takes note of the figures; [`None`] if it is too early to tell.
    pub(super) fn see(&mut self, figures: &Figures) -> Option<Rates> {
        let now = Seen { at: figures.elapsed, records: figures.records(), requests: figures.requests.sent() };
        // The last one that is old enough is where the window begins.
        while self.seen.get(1).is_some_and(|second| now.at.saturating_sub(second.at) >= WINDOW) {
            self.seen.pop_front();
        }
        let first = *self.seen.front()?;
        // Bars look often: what is nearly the same moment is not kept.
        if self.seen.back().is_none_or(|last| now.at.saturating_sub(last.at) >= LEAST) {
            self.seen.push_back(now);
        }
        let seconds = Some(now.at.saturating_sub(first.at)).filter(|span| *span >= LEAST)?.as_secs_f64();
        let rate = |now: u64, first: u64| now.saturating_sub(first) as f64 / seconds;
        let (records, requests) = (rate(now.records, first.records), rate(now.requests, first.requests));
        Some(Rates { records, requests, left: self.left(figures, requests) })
    }

    /// As long as all requests take at this rate, and no shorter than the longest list takes, whose requests follow each other.
    fn left(&self, figures: &Figures, rate: f64) -> Option<Duration> {
        let remaining = figures.remaining.filter(|remaining| rate > 0.0 && remaining.requests > 0.0)?;
        let one = figures.requests.mean().max(self.channel_spacing);
        Duration::try_from_secs_f64((remaining.requests / rate).max(remaining.longest * one.as_secs_f64())).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        emit::Remaining,
        graph::{Class, ClassCounts, Counts},
    };

    fn figures(seconds: u64, requests: u64, remaining: Option<Remaining>) -> Figures {
        let counts = ClassCounts { class: &Class::MESSAGES, sent: requests, throttled: 0, took: Duration::from_secs(requests / 2) };
        Figures {
            streams: Vec::new(),
            requests: Counts { classes: vec![counts], sign_ins: 1 },
            elapsed: Duration::from_secs(seconds),
            is_discovering: false,
            remaining,
        }
    }

    #[test]
    fn the_time_left_is_that_of_all_requests_and_no_less_than_that_of_the_longest_list() {
        let mut speed = Speed::new(Duration::from_secs(1));
        assert_eq!(speed.see(&figures(0, 0, None)), None);
        let left = |speed: &mut Speed, requests, longest| {
            speed.see(&figures(10, 200, Some(Remaining { requests, longest }))).and_then(|rates| rates.left)
        };
        assert_eq!(left(&mut speed, 4000.0, 50.0), Some(Duration::from_secs(200)));
        assert_eq!(left(&mut speed, 4000.0, 900.0), Some(Duration::from_secs(900)));
        assert_eq!(left(&mut speed, 0.0, 0.0), None);
        // Without a pace, a list is as slow as its requests are.
        assert_eq!(left(&mut Speed::new(Duration::ZERO), 4000.0, 900.0), Some(Duration::from_secs(450)));
        assert_eq!(speed.see(&figures(10, 200, None)).map(|rates| rates.requests), Some(20.0));
    }

    #[test]
    fn only_the_last_minute_counts() {
        let mut speed = Speed::new(Duration::ZERO);
        let rates: Vec<_> = (0..=120).map(|second| speed.see(&figures(second, second.min(60) * 20, None))).collect();
        let at = |second: usize| rates[second].map(|rates| rates.requests);
        assert_eq!((at(0), at(1), at(60), at(90), at(120)), (None, Some(20.0), Some(20.0), Some(10.0), Some(0.0)));
        assert!(speed.seen.len() <= 62);
    }
}
