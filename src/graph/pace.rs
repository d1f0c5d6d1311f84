//! The pace of requests: the budgets that Graph documents (graph.md 6.1), each kept by even spacing. Pure arithmetic over a given clock.
//!
//! Nobody documents over which window Graph counts; so there are no bursts: one and a rate over any window must stay within the limit. Where
//! Graph throttles all the same, the class of the request slows down at once and recovers slowly, as TCP does (AIMD; the factor of 0.7 is
//! that of CUBIC, RFC 9438): so several runs that share a budget come to share it evenly.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use percent_encoding::percent_decode_str;
use xxhash_rust::xxh3::xxh3_64;

/// Requests are spaced by so much more than a budget asks for: clocks and networks are not exact.
const SLACK: f64 = 1.05;

/// Requests a second on one team, whatever they ask.
const TEAM: f64 = 4.0;

/// Requests a second on one channel, whatever they ask.
const CHANNEL: f64 = 1.0;

/// To so much of its pace a class falls when Graph throttles it, not more than once a second, and never below the least.
const FALL: f64 = 0.7;
const LEAST: f64 = 0.02;

/// So much of its full pace a class regains each second without being throttled.
const RISE: f64 = 0.005;

/// Channels and teams whose time has passed are forgotten when there are more than so many.
const REMEMBERED: usize = 4096;

/// What Graph counts together for an application in a tenant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Class {
    /// Directory objects: 3,500 resource units in ten seconds, of which a list of groups costs one.
    Groups,
    Team,
    Channels,
    Members,
    Channel,
    /// Lists of messages and replies, and delta.
    Messages,
    Other,
}

impl Class {
    /// Requests a second.
    fn rate(self) -> f64 {
        match self {
            Self::Groups => 350.0,
            Self::Channels | Self::Members => 60.0,
            Self::Team | Self::Channel | Self::Other => 30.0,
            Self::Messages => 20.0,
        }
    }
}

/// What a request counts against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Scopes {
    class: Class,
    team: Option<u64>,
    channel: Option<u64>,
}

impl Scopes {
    /// Of a request with this path, written with slashes or as Graph writes keys in links: `teams('T')/channels('C')`.
    pub(super) fn of(path_and_query: &str) -> Self {
        let path = path_and_query.split(['?', '#']).next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8_lossy();
        let mut parts = path.split(['/', '(', ')', '\'']).filter(|part| !part.is_empty()).skip(1);
        let hash = |id: &str| xxh3_64(id.to_ascii_lowercase().as_bytes());
        let none = |class| Self { class, team: None, channel: None };
        match parts.next() {
            Some("groups") => return none(Class::Groups),
            Some("teams") => {}
            _ => return none(Class::Other),
        }
        let Some(team) = parts.next().map(hash) else { return none(Class::Other) };
        let of_team = |class| Self { class, team: Some(team), channel: None };
        match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => of_team(Class::Team),
            (Some("members"), ..) => of_team(Class::Members),
            (Some("channels"), None, _) => of_team(Class::Channels),
            (Some("channels"), Some(channel), None) => Self { channel: Some(hash(channel)), ..of_team(Class::Channel) },
            (Some("channels"), Some(channel), Some("messages")) => Self { channel: Some(hash(channel)), ..of_team(Class::Messages) },
            (Some("channels"), Some(channel), Some(_)) => Self { channel: Some(hash(channel)), ..of_team(Class::Other) },
            _ => of_team(Class::Other),
        }
    }
}

/// When each budget is free again.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Multiple of the documented rates.
    speed: f64,
    total: Option<f64>,
    total_free: Option<Instant>,
    classes: HashMap<Class, Slot>,
    /// Teams and channels.
    parents: HashMap<u64, Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    free: Instant,
    /// The share of its full pace that a class has.
    share: f64,
    /// Since when it rises.
    since: Instant,
}

impl Pacer {
    /// Keeps the documented rates times `speed`, and `total` requests a second at most.
    pub(super) fn new(speed: f64, total: Option<f64>) -> Self {
        Self { speed, total, total_free: None, classes: HashMap::new(), parents: HashMap::new() }
    }

    /// When a request may be sent at the earliest.
    pub(super) fn free(&self, scopes: Scopes, now: Instant) -> Instant {
        let class = self.classes.get(&scopes.class).map(|slot| slot.free);
        let parents = [scopes.team, scopes.channel].into_iter().flatten().filter_map(|parent| self.parents.get(&parent).copied());
        parents.chain(class).chain(self.total_free).fold(now, Instant::max)
    }

    /// A request is sent now.
    pub(super) fn spend(&mut self, scopes: Scopes, now: Instant) {
        let class = self.class(scopes.class, now);
        let spacing = |rate: f64| Duration::try_from_secs_f64(SLACK / rate).unwrap_or(Duration::MAX);
        let after = |rate: f64| now.checked_add(spacing(rate)).unwrap_or(now);
        self.classes.insert(scopes.class, Slot { free: after(scopes.class.rate() * self.speed * class.share), ..class });
        if self.speed.is_finite() {
            for (parent, rate) in [(scopes.team, TEAM), (scopes.channel, CHANNEL)] {
                if let Some(parent) = parent {
                    self.parents.insert(parent, after(rate * self.speed));
                }
            }
        }
        self.total_free = self.total.map(after);
        if self.parents.len() > REMEMBERED {
            self.parents.retain(|_, free| *free > now);
        }
    }

    /// Graph has throttled a request. What it names as a wait holds for the narrowest thing that was asked.
    pub(super) fn throttled(&mut self, scopes: Scopes, wait: Option<Duration>, now: Instant) {
        let mut class = self.class(scopes.class, now);
        let was_cut = class.share < 1.0 && now.duration_since(class.since) < self.seconds(1.0);
        if !was_cut {
            (class.share, class.since) = ((class.share * FALL).max(LEAST), now);
        }
        let until = wait.and_then(|wait| now.checked_add(wait)).unwrap_or(now);
        match scopes.channel.or(scopes.team) {
            Some(parent) => {
                let free = self.parents.entry(parent).or_insert(until);
                *free = until.max(*free);
            }
            None => class.free = class.free.max(until),
        }
        self.classes.insert(scopes.class, class);
    }

    /// A class as it is now: risen since it was throttled last.
    fn class(&self, class: Class, now: Instant) -> Slot {
        let mut slot = self.classes.get(&class).copied().unwrap_or(Slot { free: now, share: 1.0, since: now });
        let second = self.seconds(1.0);
        if slot.share < 1.0 && now.duration_since(slot.since) >= second {
            let seconds = now.duration_since(slot.since).as_secs_f64() / second.as_secs_f64();
            (slot.share, slot.since) = ((slot.share + RISE * seconds).min(1.0), now);
        }
        slot
    }

    /// Seconds of Graph's time.
    fn seconds(&self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64(seconds / self.speed).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(team: u32, channel: u32) -> Scopes {
        Scopes::of(&format!("/v1.0/teams/t{team}/channels/19:c{team}.{channel}@thread.tacv2/messages?$top=50"))
    }

    /// Sends as many requests as there are, each as soon as it may be; gives when.
    fn send(pacer: &mut Pacer, requests: &[(Scopes, u64)], start: Instant) -> Vec<(Scopes, Duration)> {
        let mut waiting: Vec<_> = requests.iter().map(|&(scopes, at)| (start + Duration::from_millis(at), scopes)).collect();
        let mut sent = Vec::new();
        while let Some(next) = (0..waiting.len()).min_by_key(|&at| waiting[at].0) {
            let (now, scopes) = waiting[next];
            waiting[next].0 = pacer.free(scopes, now);
            if waiting[next].0 == now {
                pacer.spend(scopes, now);
                sent.push((scopes, now - start));
                waiting.remove(next);
            }
        }
        sent
    }

    #[test]
    fn requests_count_against_their_class_team_and_channel_in_either_form() {
        let with_slashes = Scopes::of("/v1.0/teams/T/channels/19:c@thread.tacv2/messages?$top=50");
        let with_keys = Scopes::of("/v1.0/teams('t')/channels('19%3Ac%40thread.tacv2')/messages/delta?$deltatoken=x/members");
        assert_eq!(with_slashes, with_keys);
        assert_eq!(with_slashes.class, Class::Messages);
        let class = |path: &str| Scopes::of(path).class;
        assert_eq!(class("/v1.0/groups?$filter=x"), Class::Groups);
        assert_eq!(class("/v1.0/teams/t"), Class::Team);
        assert_eq!(class("/v1.0/teams/t/members"), Class::Members);
        assert_eq!(class("/v1.0/teams/t/channels"), Class::Channels);
        assert_eq!(class("/v1.0/teams/t/channels/c"), Class::Channel);
        assert_eq!(class("/v1.0/teams/t/channels/c/messages/1/replies"), Class::Messages);
        assert_eq!(class("/v1.0/users"), Class::Other);
    }

    #[test]
    fn a_throttled_channel_does_not_delay_another_beyond_the_slower_class() {
        let (mut pacer, now) = (Pacer::new(1.0, None), Instant::now());
        pacer.throttled(messages(1, 1), Some(Duration::from_secs(30)), now);
        assert_eq!(pacer.free(messages(1, 1), now), now + Duration::from_secs(30));
        assert_eq!(pacer.free(messages(1, 2), now), now);
        pacer.spend(messages(1, 2), now);
        assert!(pacer.free(messages(2, 1), now) - now < Duration::from_millis(80));
    }

    #[test]
    fn a_class_falls_once_a_second_and_recovers() {
        let (mut pacer, start) = (Pacer::new(1.0, None), Instant::now());
        for _ in 0..10 {
            pacer.throttled(messages(1, 1), None, start);
        }
        assert!((pacer.class(Class::Messages, start).share - FALL).abs() < 1e-9);
        let later = start + Duration::from_secs(20);
        assert!((pacer.class(Class::Messages, later).share - FALL - 20.0 * RISE).abs() < 1e-9);
        assert!((pacer.class(Class::Messages, start + Duration::from_secs(3600)).share - 1.0).abs() < 1e-9);
        assert_eq!(pacer.class(Class::Members, start).share, 1.0);
        for second in 1..100 {
            pacer.throttled(messages(1, 1), None, start + Duration::from_secs(2 * second));
        }
        assert!(pacer.class(Class::Messages, start + Duration::from_secs(200)).share >= LEAST);
    }

    proptest! {
        #[test]
        fn every_budget_holds_over_any_second_at_any_load(
            requests in prop::collection::vec((0_u32..4, 0_u32..4, 0_u64..3000, prop::bool::ANY), 1..200),
            speed in prop::sample::select(vec![1.0, 10.0]),
            total in prop::sample::select(vec![None, Some(7.0)]),
        ) {
            let of = |team, channel, members| if members { Scopes::of(&format!("/v1.0/teams/t{team}/members")) } else { messages(team, channel) };
            let requests: Vec<_> = requests.into_iter().map(|(team, channel, at, members)| (of(team, channel, members), at)).collect();
            let sent = send(&mut Pacer::new(speed, total), &requests, Instant::now());
            prop_assert_eq!(sent.len(), requests.len());
            let second = Duration::from_secs(1);
            let most = |accepts: &dyn Fn(&Scopes) -> bool, window: Duration| {
                let times: Vec<_> = sent.iter().filter(|(scopes, _)| accepts(scopes)).map(|(_, at)| *at).collect();
                times.iter().map(|start| times.iter().filter(|at| **at >= *start && **at < *start + window).count()).max().unwrap_or(0)
            };
            let window = second.div_f64(speed);
            for &(scopes, _) in &requests {
                prop_assert!(most(&|other| other.class == scopes.class, window) as f64 <= scopes.class.rate());
                prop_assert!(most(&|other| other.team == scopes.team, window) as f64 <= TEAM);
                if scopes.channel.is_some() {
                    prop_assert!(most(&|other| other.channel == scopes.channel, window) as f64 <= CHANNEL);
                }
            }
            if let Some(total) = total {
                prop_assert!(most(&|_| true, second) as f64 <= total);
            }
        }
    }
}
