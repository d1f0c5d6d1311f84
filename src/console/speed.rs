//! The speed of a run, and an estimate of its remaining time.

use std::{collections::VecDeque, time::Duration};

use crate::emit::Stats;

/// The period from which the speed is computed.
const WINDOW: Duration = Duration::from_secs(60);

/// The shortest period from which a speed is computed.
const MIN_PERIOD: Duration = Duration::from_secs(1);

/// The recent history of a run.
#[derive(Debug)]
pub(super) struct Speed {
    samples: VecDeque<ProgressSample>,
    /// The minimum time between two requests for one channel.
    channel_spacing: Duration,
}

#[derive(Clone, Copy, Debug)]
struct ProgressSample {
    at: Duration,
    records: u64,
    requests: u64,
}

/// The speed of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Throughput {
    /// Per second.
    pub(super) records: f64,
    /// Per second.
    pub(super) requests: f64,
    /// The estimated remaining time.
    pub(super) left: Option<Duration>,
}

impl Speed {
    pub(super) fn new(channel_spacing: Duration) -> Self {
        let samples = VecDeque::from([ProgressSample { at: Duration::ZERO, records: 0, requests: 0 }]);
        Self { samples, channel_spacing }
    }

    /// Adds the current statistics. [`None`] if it is too early for an estimate.
    pub(super) fn update(&mut self, stats: &Stats) -> Option<Throughput> {
        let now = ProgressSample { at: stats.elapsed, records: stats.records(), requests: stats.requests.sent() };
        // The window begins at the newest sample that is old enough.
        while self.samples.get(1).is_some_and(|second| now.at.saturating_sub(second.at) >= WINDOW) {
            self.samples.pop_front();
        }
        let first = *self.samples.front()?;
        // Bars are drawn often: samples of nearly the same moment are not kept.
        if self.samples.back().is_none_or(|last| now.at.saturating_sub(last.at) >= MIN_PERIOD) {
            self.samples.push_back(now);
        }
        let seconds = Some(now.at.saturating_sub(first.at)).filter(|span| *span >= MIN_PERIOD)?.as_secs_f64();
        let rate = |now: u64, first: u64| now.saturating_sub(first) as f64 / seconds;
        let (records, requests) = (rate(now.records, first.records), rate(now.requests, first.requests));
        Some(Throughput { records, requests, left: self.left(stats, requests) })
    }

    /// The time for all requests at this rate, but at least the time for the longest list, whose requests are sent one after another.
    fn left(&self, stats: &Stats, rate: f64) -> Option<Duration> {
        let remaining = stats.remaining.filter(|remaining| rate > 0.0 && remaining.requests > 0.0)?;
        let one = stats.requests.mean_latency().max(self.channel_spacing);
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

    fn stats(seconds: u64, requests: u64, remaining: Option<Remaining>) -> Stats {
        let counts = ClassCounts { class: &Class::MESSAGES, sent: requests, throttled: 0, latency: Duration::from_secs(requests / 2) };
        Stats {
            streams: Vec::new(),
            requests: Counts { classes: vec![counts], sign_ins: 1 },
            elapsed: Duration::from_secs(seconds),
            is_discovering: false,
            remaining,
        }
    }

    #[test]
    fn the_time_left_is_that_of_all_requests_but_at_least_that_of_the_longest_list() {
        let mut speed = Speed::new(Duration::from_secs(1));
        assert_eq!(speed.update(&stats(0, 0, None)), None);
        let left = |speed: &mut Speed, requests, longest| {
            speed.update(&stats(10, 200, Some(Remaining { requests, longest }))).and_then(|rates| rates.left)
        };
        assert_eq!(left(&mut speed, 4000.0, 50.0), Some(Duration::from_secs(200)));
        assert_eq!(left(&mut speed, 4000.0, 900.0), Some(Duration::from_secs(900)));
        assert_eq!(left(&mut speed, 0.0, 0.0), None);
        // Without a pace, the response times decide.
        assert_eq!(left(&mut Speed::new(Duration::ZERO), 4000.0, 900.0), Some(Duration::from_secs(450)));
        assert_eq!(speed.update(&stats(10, 200, None)).map(|rates| rates.requests), Some(20.0));
    }

    #[test]
    fn only_the_last_minute_counts() {
        let mut speed = Speed::new(Duration::ZERO);
        let rates: Vec<_> = (0..=120).map(|second| speed.update(&stats(second, second.min(60) * 20, None))).collect();
        let at = |second: usize| rates[second].map(|rates| rates.requests);
        assert_eq!((at(0), at(1), at(60), at(90), at(120)), (None, Some(20.0), Some(20.0), Some(10.0), Some(0.0)));
        assert!(speed.samples.len() <= 62);
    }
}
