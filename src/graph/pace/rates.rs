//! Calculates the minimum time that a number of requests takes, before they are sent.

use std::time::Duration;

use super::class::Class;
use crate::level::Level;

/// The configured pace of requests.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The request rates as a multiple of Graph's documented rates. With 0, only `Retry-After` is obeyed.
    pub speed: f64,
    /// Maximum requests per second.
    pub total: Option<f64>,
    /// Maximum requests in flight.
    pub in_flight: usize,
}

/// The fraction of each rate that Graph allows over a longer time (graph.md 6.1).
const SUSTAINED: f64 = 0.83;

/// The factor by which requests are spaced further apart, because the length of that time is not documented and a whole number of requests must
/// fit into it.
pub(super) const SLACK: f64 = 1.025;

/// Seconds between two requests that share a budget.
pub(super) fn spacing(per_second: f64) -> f64 {
    SLACK / (SUSTAINED * per_second)
}

/// Requests that share a rate limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Budget {
    Class(&'static Class),
    /// All requests for one parent of this level and everything below it.
    Parent(&'static Level),
    /// All requests of a run.
    All,
}

/// The pace of requests and the latency of responses.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pace: Pace,
    latency: Duration,
}

impl Rates {
    pub fn new(pace: Pace, latency: Duration) -> Self {
        Self { pace, latency }
    }

    pub fn latency(&self) -> Duration {
        self.latency
    }

    /// The minimum time for a number of requests that share a budget, in seconds.
    pub fn seconds(&self, budget: Budget, requests: f64) -> f64 {
        let each = match budget {
            Budget::Class(class) => spacing(class.per_second) / self.pace.speed,
            Budget::Parent(level) => level.per_second.map_or(0.0, spacing) / self.pace.speed,
            Budget::All => {
                let in_flight = self.latency.as_secs_f64() / self.pace.in_flight.max(1) as f64;
                self.pace.total.map_or(0.0, |rate| SLACK / rate).max(in_flight)
            }
        };
        requests * each
    }

    /// The minimum time for a number of sequential requests for one parent of a level, in seconds.
    pub fn seconds_in_sequence(&self, level: &'static Level, requests: f64) -> f64 {
        self.seconds(Budget::Parent(level), requests).max(requests * self.latency.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{CHANNEL, MESSAGE, TEAM};

    fn rates(speed: f64, total: Option<f64>, latency: u64) -> Rates {
        Rates::new(Pace { speed, total, in_flight: 30 }, Duration::from_millis(latency))
    }

    #[test]
    fn each_budget_has_the_spacing_of_the_pacer() {
        let rates = rates(1.0, None, 0);
        for (budget, rate) in [
            (Budget::Class(&Class::MESSAGES), 20.0),
            (Budget::Parent(&TEAM), 4.0),
            (Budget::Parent(&CHANNEL), 1.0),
            (Budget::Class(&Class::MEMBERS), 60.0),
        ] {
            assert_eq!(rates.seconds(budget, 100.0), 100.0 * (SLACK / (0.83 * rate)), "{budget:?}");
        }
        assert_eq!((rates.seconds(Budget::All, 100.0), rates.seconds(Budget::Parent(&MESSAGE), 100.0)), (0.0, 0.0));
    }

    #[test]
    fn speed_and_latency_change_the_time() {
        assert_eq!(rates(10.0, None, 0).seconds_in_sequence(&CHANNEL, 10.0), 10.0 * (SLACK / 0.83 / 10.0));
        assert_eq!(rates(f64::INFINITY, None, 0).seconds(Budget::Class(&Class::MESSAGES), 10.0), 0.0);
        assert_eq!(rates(1.0, None, 3000).seconds_in_sequence(&CHANNEL, 10.0), 30.0);
        assert_eq!(rates(1.0, None, 3000).seconds(Budget::All, 10.0), 1.0);
        assert_eq!(rates(10.0, Some(2.0), 0).seconds(Budget::All, 10.0), 10.0 * (SLACK / 2.0));
    }
}
