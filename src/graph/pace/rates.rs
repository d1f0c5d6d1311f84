//! How long requests take at least: what the pacer makes of their number. Known before they are sent.

use std::time::Duration;

use super::class::Class;
use crate::level::Level;

/// How fast requests may follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Multiple of Graph's documented rates; 0: only what Graph asks for is obeyed.
    pub speed: f64,
    /// Requests a second at most.
    pub total: Option<f64>,
    /// Requests in flight at most.
    pub in_flight: usize,
}

/// The share of each figure that Graph allows over a longer time (graph.md 6.1).
const SUSTAINED: f64 = 0.83;

/// Requests are spaced by so much more: how long that time is, nobody documents, and whole requests have to fit into it.
pub(super) const SLACK: f64 = 1.025;

/// Seconds between two requests of a budget of so many a second.
pub(super) fn spacing(per_second: f64) -> f64 {
    SLACK / (SUSTAINED * per_second)
}

/// What some requests count against together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Budget {
    /// All requests of a class.
    Of(&'static Class),
    /// All requests for one parent of this level and what is below it.
    One(&'static Level),
    /// All requests of a run.
    All,
}

/// How fast requests may follow each other, and how long an answer takes.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pace: Pace,
    latency: Duration,
}

impl Rates {
    /// At this pace, and with answers that take so long.
    pub fn at(pace: Pace, latency: Duration) -> Self {
        Self { pace, latency }
    }

    /// How long an answer takes.
    pub fn latency(&self) -> Duration {
        self.latency
    }

    /// Seconds that so many requests of one budget take at least.
    pub fn seconds(&self, budget: Budget, requests: f64) -> f64 {
        let each = match budget {
            Budget::Of(class) => spacing(class.per_second) / self.pace.speed,
            Budget::One(level) => level.per_second.map_or(0.0, spacing) / self.pace.speed,
            Budget::All => {
                let in_flight = self.latency.as_secs_f64() / self.pace.in_flight.max(1) as f64;
                self.pace.total.map_or(0.0, |rate| SLACK / rate).max(in_flight)
            }
        };
        requests * each
    }

    /// Seconds that so many requests for one parent of a level take at least, each sent after the answer to the one before.
    pub fn seconds_in_a_row(&self, level: &'static Level, requests: f64) -> f64 {
        self.seconds(Budget::One(level), requests).max(requests * self.latency.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{CHANNEL, MESSAGE, TEAM};

    fn rates(speed: f64, total: Option<f64>, latency: u64) -> Rates {
        Rates::at(Pace { speed, total, in_flight: 30 }, Duration::from_millis(latency))
    }

    #[test]
    fn each_budget_is_spaced_as_the_pacer_spaces_it() {
        let rates = rates(1.0, None, 0);
        for (budget, rate) in [
            (Budget::Of(&Class::MESSAGES), 20.0),
            (Budget::One(&TEAM), 4.0),
            (Budget::One(&CHANNEL), 1.0),
            (Budget::Of(&Class::MEMBERS), 60.0),
        ] {
            assert_eq!(rates.seconds(budget, 100.0), 100.0 * (SLACK / (0.83 * rate)), "{budget:?}");
        }
        assert_eq!((rates.seconds(Budget::All, 100.0), rates.seconds(Budget::One(&MESSAGE), 100.0)), (0.0, 0.0));
    }

    #[test]
    fn what_is_sped_up_unpaced_or_slow_to_answer_takes_its_time() {
        assert_eq!(rates(10.0, None, 0).seconds_in_a_row(&CHANNEL, 10.0), 10.0 * (SLACK / 0.83 / 10.0));
        assert_eq!(rates(f64::INFINITY, None, 0).seconds(Budget::Of(&Class::MESSAGES), 10.0), 0.0);
        assert_eq!(rates(1.0, None, 3000).seconds_in_a_row(&CHANNEL, 10.0), 30.0);
        assert_eq!(rates(1.0, None, 3000).seconds(Budget::All, 10.0), 1.0);
        assert_eq!(rates(10.0, Some(2.0), 0).seconds(Budget::All, 10.0), 10.0 * (SLACK / 2.0));
    }
}
