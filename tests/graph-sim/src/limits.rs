//! Graph's limits (graph.md 6.1, 6.2), enforced on order: sliding windows on the simulated clock.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::time::Time;

const SECOND: i64 = 10_000_000;

/// What a route counts against for the whole app: a row of Graph's table. Routes with the same row share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// The row's name, and its requests a second.
    Teams(&'static str, usize),
    /// Resource units (graph.md 6.2): one for each request.
    Directory,
    /// A report (graph.md 7.3): 14 requests in ten minutes.
    Reports(&'static str),
    /// A file on a host that is not Graph's: it has no limit, and nobody signs in there.
    Elsewhere,
}

impl Row {
    /// What every GET shares that has no row of its own.
    pub(crate) const OTHER: Row = Row::Teams("other", 30);
}

/// Requests a second, unless said otherwise. The figures of the rows belong to the routes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Time goes so many times faster for the limits than on the simulated clock.
    pub speed: f64,
    /// On one team, whatever the route.
    pub per_team: usize,
    /// On one channel, whatever the route.
    pub per_channel: usize,
    /// Directory resource units in ten seconds.
    pub directory_units: usize,
    /// The length of the window in milliseconds; not documented for Teams.
    pub window_millis: u64,
    /// The lower rate that Teams checks over a longer time as well; none: it is not checked.
    pub sustained: Option<Sustained>,
    /// Refused requests count as well: "immediate retries count against the quota" (graph.md 5.3).
    pub count_refused: bool,
}

/// How much of each figure of Teams may be used in the long run (graph.md 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sustained {
    pub percent: usize,
    /// The time over which it is checked, in seconds; how long it is, Graph's documents do not say.
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
    /// The documented limits, with time sped up.
    pub fn sped_up(speed: f64) -> Limits {
        Limits { speed, ..Limits::default() }
    }

    /// With the rate in the long run checked, too.
    #[must_use]
    pub fn sustained(self) -> Limits {
        Limits { sustained: Some(Sustained::default()), ..self }
    }

    /// What a request counts against: each of these must have room for it.
    fn budgets(&self, usage: &Usage<'_>) -> Vec<Budget> {
        let (name, per_second) = match usage.row {
            Row::Directory => {
                let key = (Scope::Row("directory"), 10 * SECOND);
                return vec![Budget { key, most: self.directory_units }];
            }
            Row::Reports(name) => return vec![Budget { key: (Scope::Row(name), 600 * SECOND), most: 14 }],
            Row::Elsewhere => return Vec::new(),
            Row::Teams(name, per_second) => (name, per_second),
        };
        let team = usage.team.map(|team| (Scope::Team(team.to_owned()), self.per_team));
        let channel = usage.channel.map(|channel| (Scope::Channel(channel.to_owned()), self.per_channel));
        let scopes = [Some((Scope::Row(name), per_second)), team, channel].into_iter().flatten();
        scopes.flat_map(|(scope, per_second)| self.of_teams(scope, per_second)).collect()
    }

    fn of_teams(&self, scope: Scope, per_second: usize) -> impl Iterator<Item = Budget> + use<> {
        let sustained = self.sustained.map(|Sustained { percent, seconds }| Budget {
            key: (scope.clone(), seconds as i64 * SECOND),
            most: per_second * percent * seconds / 100,
        });
        let burst = Budget { key: (scope, self.window_millis as i64 * SECOND / 1000), most: per_second };
        [Some(burst), sustained].into_iter().flatten()
    }
}

/// What a request is of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage<'a> {
    pub(crate) row: Row,
    pub(crate) team: Option<&'a str>,
    pub(crate) channel: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Scope {
    Row(&'static str),
    Team(String),
    Channel(String),
}

/// A scope, and the length of the window over which its requests are counted.
type Key = (Scope, i64);

struct Budget {
    key: Key,
    most: usize,
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

    /// Counts a request. `Err` is the simulated time after which it would be let through, on the limits' own clock.
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

    /// How long until a budget has room for one more; 0: it has.
    fn wait(&mut self, Budget { key, most }: &Budget, now: i64) -> i64 {
        let (_, window) = *key;
        let times = self.windows.entry(key.clone()).or_default();
        while times.front().is_some_and(|&time| time <= now - window) {
            times.pop_front();
        }
        // A clock that was set back leaves times of the future behind.
        while times.back().is_some_and(|&time| time > now) {
            times.pop_back();
        }
        match times.len().checked_sub(*most) {
            None => 0,
            Some(over) => times.get(over).copied().unwrap_or(now) + window - now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: Row = Row::Teams("messages", 20);

    fn limiter(limits: Limits) -> Limiter {
        Limiter { limits: Some(limits), ..Limiter::default() }
    }

    fn at(millis: i64) -> Time {
        Time::from_secs(1000).plus_ticks(millis * 10_000)
    }

    /// How many of these requests are let through, one after each such number of milliseconds.
    fn admitted(limiter: &mut Limiter, usage: &Usage<'_>, requests: i64, every: i64) -> usize {
        (0..requests).filter(|number| limiter.admit(usage, at(number * every)).is_ok()).count()
    }

    #[test]
    fn a_channel_gives_one_a_second_and_tells_when() {
        let mut limiter = limiter(Limits::default());
        let usage = Usage { row: MESSAGES, team: Some("t"), channel: Some("c") };
        assert_eq!(limiter.admit(&usage, at(0)), Ok(()));
        assert_eq!(limiter.admit(&usage, at(500)), Err(Duration::from_millis(500)));
        // The refused one counts.
        assert!(limiter.admit(&usage, at(1100)).is_err());
        assert_eq!(limiter.admit(&usage, at(2200)), Ok(()));
    }

    #[test]
    fn routes_of_one_row_share_it_and_others_do_not() {
        let mut limiter = limiter(Limits::default());
        let usage = |row| Usage { row, team: None, channel: None };
        assert_eq!(admitted(&mut limiter, &usage(MESSAGES), 30, 0), 20);
        assert_eq!(admitted(&mut limiter, &usage(Row::OTHER), 40, 0), 30);
    }

    #[test]
    fn a_sustained_rate_above_the_share_is_refused_only_where_it_is_checked() {
        let usage = Usage { row: MESSAGES, team: None, channel: None };
        let forgiving = |limits| limiter(Limits { count_refused: false, ..limits });
        // 20 a second for a minute; the last 10 seconds are beyond 83 %.
        assert_eq!(admitted(&mut forgiving(Limits::default()), &usage, 1200, 50), 1200);
        assert_eq!(admitted(&mut forgiving(Limits::default().sustained()), &usage, 1200, 50), 996);
        // 16 a second for two minutes.
        assert_eq!(admitted(&mut forgiving(Limits::default().sustained()), &usage, 1920, 62), 1920);
    }

    #[test]
    fn a_channel_has_49_requests_in_a_minute_of_sustained_use() {
        let mut limiter = limiter(Limits { count_refused: false, ..Limits::default().sustained() });
        let usage = Usage { row: MESSAGES, team: Some("t"), channel: Some("c") };
        assert_eq!(admitted(&mut limiter, &usage, 60, 1000), 49);
        assert_eq!(limiter.admit(&usage, at(59_500)), Err(Duration::from_millis(500)));
    }

    #[test]
    fn a_clock_that_is_set_back_begins_anew() {
        let mut limiter = limiter(Limits::default());
        let usage = Usage { row: MESSAGES, team: None, channel: Some("c") };
        assert_eq!([limiter.admit(&usage, at(5000)), limiter.admit(&usage, at(0))], [Ok(()), Ok(())]);
    }
}
