//! Graph's limits (graph.md 6.1, newest table), enforced on order: sliding windows on the simulated clock.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{journal::Class, time::Time};

const SECOND: i64 = 10_000_000;

/// Requests a second, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Time goes so many times faster for the limits than on the simulated clock.
    pub speed: f64,
    /// Lists of messages, replies, delta pages and single messages together.
    pub messages: usize,
    pub team: usize,
    pub channels: usize,
    pub members: usize,
    pub channel_members: usize,
    pub other: usize,
    /// On one team, whatever the route.
    pub per_team: usize,
    /// On one channel, whatever the route.
    pub per_channel: usize,
    /// Directory resource units in ten seconds (graph.md 6.2).
    pub directory_units: usize,
    /// The length of the window in milliseconds; not documented for Teams.
    pub window_millis: u64,
    /// Refused requests count as well: "immediate retries count against the quota" (graph.md 5.3).
    pub count_refused: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            speed: 1.0,
            messages: 20,
            team: 30,
            channels: 60,
            members: 60,
            channel_members: 60,
            other: 30,
            per_team: 4,
            per_channel: 1,
            directory_units: 8000,
            window_millis: 1000,
            count_refused: true,
        }
    }
}

impl Limits {
    /// The documented limits, with time sped up.
    pub fn sped_up(speed: f64) -> Limits {
        Limits { speed, ..Limits::default() }
    }
}

/// What a request counts against.
#[derive(Clone, Debug)]
pub(crate) struct Usage<'a> {
    pub(crate) class: Class,
    pub(crate) team: Option<&'a str>,
    pub(crate) channel: Option<&'a str>,
    /// Resource units of a directory route.
    pub(crate) units: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Scope {
    Class(&'static str),
    Team(String),
    Channel(String),
}

/// The windows of one app in one tenant.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    pub(crate) limits: Option<Limits>,
    windows: HashMap<Scope, VecDeque<i64>>,
}

impl Limiter {
    pub(crate) fn set(&mut self, limits: Option<Limits>) {
        self.limits = limits;
        self.windows.clear();
    }

    /// Counts a request. `Err` is the simulated time after which it would be let through, on the limits' own clock.
    pub(crate) fn admit(&mut self, usage: &Usage<'_>, now: Time) -> Result<(), std::time::Duration> {
        let Some(limits) = &self.limits else { return Ok(()) };
        let now = (now.ticks() as f64 * limits.speed) as i64;
        let scopes = scopes(limits, usage);
        let mut wait = 0;
        for (scope, cost, most, window) in &scopes {
            let times = self.windows.entry(scope.clone()).or_default();
            // A clock that was set back leaves times of the future behind.
            while times.front().is_some_and(|&time| time <= now - window || time > now) {
                times.pop_front();
            }
            if times.len() + cost > *most {
                let frees = times.get((times.len() + cost).saturating_sub(*most + 1)).copied().unwrap_or(now);
                wait = wait.max(frees + window - now);
            }
        }
        if wait == 0 || limits.count_refused {
            for (scope, cost, ..) in scopes {
                self.windows.entry(scope).or_default().extend(std::iter::repeat_n(now, cost));
            }
        }
        if wait == 0 { Ok(()) } else { Err(std::time::Duration::from_nanos(wait.unsigned_abs() * 100)) }
    }
}

type Budget = (Scope, usize, usize, i64);

fn scopes(limits: &Limits, usage: &Usage<'_>) -> Vec<Budget> {
    let window = limits.window_millis as i64 * SECOND / 1000;
    let class: Budget = match usage.class {
        Class::Groups => (Scope::Class("directory"), usage.units, limits.directory_units, 10 * SECOND),
        Class::Messages | Class::Message | Class::Replies | Class::Delta => (Scope::Class("messages"), 1, limits.messages, window),
        Class::Team => (Scope::Class("team"), 1, limits.team, window),
        Class::Channels => (Scope::Class("channels"), 1, limits.channels, window),
        Class::Members if usage.channel.is_some() => (Scope::Class("channel members"), 1, limits.channel_members, window),
        Class::Members => (Scope::Class("members"), 1, limits.members, window),
        Class::Token | Class::Teams | Class::Other => (Scope::Class("other"), 1, limits.other, window),
    };
    let team = usage.team.map(|team| (Scope::Team(team.to_owned()), 1, limits.per_team, window));
    let channel = usage.channel.map(|channel| (Scope::Channel(channel.to_owned()), 1, limits.per_channel, window));
    [Some(class), team, channel].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_gives_one_a_second_and_tells_when() {
        let mut limiter = Limiter { limits: Some(Limits::default()), ..Limiter::default() };
        let usage = Usage { class: Class::Messages, team: Some("t"), channel: Some("c"), units: 0 };
        let start = Time::from_secs(1000);
        assert_eq!(limiter.admit(&usage, start), Ok(()));
        let half = start.plus(std::time::Duration::from_millis(500));
        assert_eq!(limiter.admit(&usage, half), Err(std::time::Duration::from_millis(500)));
        // The refused one counts.
        assert!(limiter.admit(&usage, start.plus(std::time::Duration::from_millis(1100))).is_err());
        assert_eq!(limiter.admit(&usage, start.plus(std::time::Duration::from_millis(2200))), Ok(()));
    }
}
