//! How long requests take at least: what the pacer makes of their number. Said before they are sent.

use std::time::Duration;

use super::budget::{CHANNEL, Class, Pace, SLACK, TEAM};

/// What some requests count against together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Budget {
    /// All requests of a class.
    Of(Class),
    /// Whatever is asked of one team.
    OneTeam,
    /// Whatever is asked of one channel: one request after the other.
    OneChannel,
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
        let latency = self.latency.as_secs_f64();
        let spacing = |rate: f64| SLACK / (rate * self.pace.speed);
        let each = match budget {
            Budget::Of(class) => spacing(class.rate()),
            Budget::OneTeam => spacing(TEAM),
            Budget::OneChannel => spacing(CHANNEL).max(latency),
            Budget::All => self.pace.total.map_or(0.0, |rate| SLACK / rate).max(latency / self.pace.in_flight.max(1) as f64),
        };
        requests * each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(speed: f64, total: Option<f64>, latency: u64) -> Rates {
        Rates::at(Pace { speed, total, in_flight: 30 }, Duration::from_millis(latency))
    }

    #[test]
    fn each_budget_is_spaced_as_the_pacer_spaces_it() {
        let rates = rates(1.0, None, 0);
        for (budget, rate) in
            [(Budget::Of(Class::Messages), 20.0), (Budget::OneTeam, 4.0), (Budget::OneChannel, 1.0), (Budget::Of(Class::Members), 60.0)]
        {
            assert_eq!(rates.seconds(budget, 100.0), 100.0 * (1.05 / rate), "{budget:?}");
        }
        assert_eq!(rates.seconds(Budget::All, 100.0), 0.0);
    }

    #[test]
    fn what_is_sped_up_unpaced_or_slow_to_answer_takes_its_time() {
        assert_eq!(rates(10.0, None, 0).seconds(Budget::OneChannel, 10.0), 10.0 * (1.05 / 10.0));
        assert_eq!(rates(f64::INFINITY, None, 0).seconds(Budget::Of(Class::Messages), 10.0), 0.0);
        assert_eq!(rates(1.0, None, 3000).seconds(Budget::OneChannel, 10.0), 30.0);
        assert_eq!(rates(1.0, None, 3000).seconds(Budget::All, 10.0), 1.0);
        assert_eq!(rates(10.0, Some(2.0), 0).seconds(Budget::All, 10.0), 5.25);
    }
}
