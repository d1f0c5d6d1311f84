//! Graph's limits (graph.md 6.1, 6.2), if they are enforced: sliding windows on the simulated clock.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::time::Time;

const SECOND: i64 = 10_000_000;

/// The limit of a route for the whole app: a row of Graph's table, which several routes may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quota {
    /// The name of the quota, and its requests per second.
    Teams(&'static str, usize),
    /// Resource units (graph.md 6.2); each request costs one.
    Directory,
    /// A report (graph.md 7.3): 14 requests in ten minutes.
    Reports(&'static str),
    /// Not a route of Graph: a file without limits that needs no token.
    None,
}

impl Quota {
    /// Shared by all GET requests without a row of their own.
    pub(crate) const OTHER: Quota = Quota::Teams("other", 30);
}

/// Limits in requests per second, unless noted. The routes declare the limits of the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// How many times faster the time of the limits passes than the simulated clock.
    pub speed: f64,
    /// Requests for one team, over all routes.
    pub per_team: usize,
    /// Requests for one channel, over all routes.
    pub per_channel: usize,
    /// Directory resource units per ten seconds.
    pub directory_units: usize,
    /// The length of the window, which is not documented for Teams.
    pub window_millis: u64,
    /// The lower rate that Teams enforces over a longer time; none if it is not enforced.
    pub sustained: Option<Sustained>,
    /// Throttled requests count too: "immediate retries count against the quota" (graph.md 5.3).
    pub count_refused: bool,
}

/// The share of each limit that may be used over a longer time (graph.md 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sustained {
    pub percent: usize,
    /// The length of the window in seconds, which Graph does not document.
    pub seconds: usize,
}

impl Default for Sustained {
    fn default() -> Sustained {
        Sustained { percent: 83, seconds: 60 }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { speed: 1.0, per_team: 4, per_channel: 1, directory_units: 8000, window_millis: 1000, sustained: None, count_refused: true }
    }
}

impl Limits {
    /// The documented limits at a multiple of the speed.
    pub fn sped_up(speed: f64) -> Limits {
        Limits { speed, ..Limits::default() }
    }

    /// Also enforces the long-term rate.
    #[must_use]
    pub fn sustained(self) -> Limits {
        Limits { sustained: Some(Sustained::default()), ..self }
    }

    /// The budgets that a request counts against. Each must have room for it.
    fn budgets(&self, usage: &Usage<'_>) -> Vec<Budget> {
        let (name, per_second) = match usage.quota {
            Quota::Directory => {
                let key = (Scope::Quota("directory"), 10 * SECOND);
                return vec![Budget { key, max: self.directory_units }];
            }
            Quota::Reports(name) => return vec![Budget { key: (Scope::Quota(name), 600 * SECOND), max: 14 }],
            Quota::None => return Vec::new(),
            Quota::Teams(name, per_second) => (name, per_second),
        };
        let team = usage.team.map(|team| (Scope::Team(team.to_owned()), self.per_team));
        let channel = usage.channel.map(|channel| (Scope::Channel(channel.to_owned()), self.per_channel));
        let scopes = [Some((Scope::Quota(name), per_second)), team, channel].into_iter().flatten();
        scopes.flat_map(|(scope, per_second)| self.teams_budgets(scope, per_second)).collect()
    }

    fn teams_budgets(&self, scope: Scope, per_second: usize) -> impl Iterator<Item = Budget> + use<> {
        let sustained = self.sustained.map(|Sustained { percent, seconds }| Budget {
            key: (scope.clone(), seconds as i64 * SECOND),
            max: per_second * percent * seconds / 100,
        });
        let burst = Budget { key: (scope, self.window_millis as i64 * SECOND / 1000), max: per_second };
        [Some(burst), sustained].into_iter().flatten()
    }
}

/// The quota, team and channel of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage<'a> {
    pub(crate) quota: Quota,
    pub(crate) team: Option<&'a str>,
    pub(crate) channel: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Scope {
    Quota(&'static str),
    Team(String),
    Channel(String),
}

/// A scope, and the length of the window in which its requests are counted, in ticks of 100 ns.
type Key = (Scope, i64);

struct Budget {
    key: Key,
    max: usize,
}

/// The windows of one app in one tenant.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    pub(crate) limits: Option<Limits>,
    windows: HashMap<Key, VecDeque<i64>>,
}

impl Limiter {
    pub(crate) fn set(&mut self, limits: Option<Limits>) {
        self.limits = limits;
        self.windows.clear();
    }

    /// Counts a request. The error is the time after which it would be allowed, in the time of the limits.
    pub(crate) fn admit(&mut self, usage: &Usage<'_>, now: Time) -> Result<(), Duration> {
        let Some(limits) = &self.limits else { return Ok(()) };
        let now = (now.ticks() as f64 * limits.speed) as i64;
        let count_refused = limits.count_refused;
        let budgets = limits.budgets(usage);
        let wait = budgets.iter().map(|budget| self.wait(budget, now)).max().unwrap_or(0);
        if wait == 0 || count_refused {
            for Budget { key, .. } in budgets {
                self.windows.entry(key).or_default().push_back(now);
            }
        }
        if wait == 0 { Ok(()) } else { Err(Duration::from_nanos(wait.unsigned_abs() * 100)) }
    }

    /// The ticks until a budget has room for one more request; 0 if it has room.
    fn wait(&mut self, Budget { key, max }: &Budget, now: i64) -> i64 {
        let (_, window) = *key;
        let times = self.windows.entry(key.clone()).or_default();
        while times.front().is_some_and(|&time| time <= now - window) {
            times.pop_front();
        }
        // If the clock was set back, some times are in the future.
        while times.back().is_some_and(|&time| time > now) {
            times.pop_back();
        }
        match times.len().checked_sub(*max) {
            None => 0,
            Some(over) => times.get(over).copied().unwrap_or(now) + window - now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: Quota = Quota::Teams("messages", 20);

    fn limiter(limits: Limits) -> Limiter {
        Limiter { limits: Some(limits), ..Limiter::default() }
    }

    fn at(millis: i64) -> Time {
        Time::from_secs(1000).plus_ticks(millis * 10_000)
    }

    /// The number of allowed requests out of `requests`, sent every `every` milliseconds.
    fn admitted(limiter: &mut Limiter, usage: &Usage<'_>, requests: i64, every: i64) -> usize {
        (0..requests).filter(|number| limiter.admit(usage, at(number * every)).is_ok()).count()
    }

    #[test]
    fn a_channel_allows_one_request_per_second() {
        let mut limiter = limiter(Limits::default());
        let usage = Usage { quota: MESSAGES, team: Some("t"), channel: Some("c") };
        assert_eq!(limiter.admit(&usage, at(0)), Ok(()));
        assert_eq!(limiter.admit(&usage, at(500)), Err(Duration::from_millis(500)));
        // The throttled request counts.
        assert!(limiter.admit(&usage, at(1100)).is_err());
        assert_eq!(limiter.admit(&usage, at(2200)), Ok(()));
    }

    #[test]
    fn only_routes_of_the_same_row_share_its_limit() {
        let mut limiter = limiter(Limits::default());
        let usage = |quota| Usage { quota, team: None, channel: None };
        assert_eq!(admitted(&mut limiter, &usage(MESSAGES), 30, 0), 20);
        assert_eq!(admitted(&mut limiter, &usage(Quota::OTHER), 40, 0), 30);
    }

    #[test]
    fn the_long_term_rate_is_enforced_only_if_it_is_set() {
        let usage = Usage { quota: MESSAGES, team: None, channel: None };
        let without_refused = |limits| limiter(Limits { count_refused: false, ..limits });
        // 20 requests per second for a minute; 83 % of them are allowed.
        assert_eq!(admitted(&mut without_refused(Limits::default()), &usage, 1200, 50), 1200);
        assert_eq!(admitted(&mut without_refused(Limits::default().sustained()), &usage, 1200, 50), 996);
        // 16 requests per second for two minutes.
        assert_eq!(admitted(&mut without_refused(Limits::default().sustained()), &usage, 1920, 62), 1920);
    }

    #[test]
    fn a_channel_allows_49_requests_per_minute_in_the_long_term() {
        let mut limiter = limiter(Limits { count_refused: false, ..Limits::default().sustained() });
        let usage = Usage { quota: MESSAGES, team: Some("t"), channel: Some("c") };
        assert_eq!(admitted(&mut limiter, &usage, 60, 1000), 49);
        assert_eq!(limiter.admit(&usage, at(59_500)), Err(Duration::from_millis(500)));
    }

    #[test]
    fn setting_the_clock_back_resets_the_windows() {
        let mut limiter = limiter(Limits::default());
        let usage = Usage { quota: MESSAGES, team: None, channel: Some("c") };
        assert_eq!([limiter.admit(&usage, at(5000)), limiter.admit(&usage, at(0))], [Ok(()), Ok(())]);
    }
}
