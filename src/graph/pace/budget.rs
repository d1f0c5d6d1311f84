//! The pace of requests: the budgets that Graph documents (graph.md 6.1), each kept by even spacing. Pure arithmetic over a given clock.
//!
//! Nobody documents over which window Graph counts; so there are no bursts: one and a rate over any window must stay within the limit. Where
//! Graph throttles all the same, others share a budget, and which one it is Graph does not say. One channel alone waits, and whoever has it goes
//! on: it is read one request after the other, so that to share it evenly would waste most of it. Where two channels of a team, or three teams,
//! are throttled within a second, it is the budget of the team, or of the class. That slows down at once and recovers as TCP does with CUBIC
//! (RFC 9438): fast at first, slowly where it was throttled before, then faster again. So several runs that share a budget come to share it
//! evenly, and one accident costs little.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use percent_encoding::percent_decode_str;
use xxhash_rust::xxh3::xxh3_64;

use crate::graph::limits::LONGEST_WAIT;

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

/// Requests are spaced by so much more than a budget asks for: clocks and networks are not exact.
pub(in crate::graph) const SLACK: f64 = 1.05;

/// By so many seconds, or by so much of the slack, two requests may come closer to each other on their way.
const JITTER: f64 = 0.015;
const JITTER_OF_SLACK: f64 = 0.6;

/// Requests a second on one team, whatever they ask.
pub(in crate::graph) const TEAM: f64 = 4.0;

/// Requests a second on one channel, whatever they ask.
pub(in crate::graph) const CHANNEL: f64 = 1.0;

/// To so much of its pace a budget falls when Graph throttles it (beta in RFC 9438), not more than once a second, and never below the least.
const FALL: f64 = 0.7;
const LEAST: f64 = 0.02;

/// So many teams at least are throttled within a second where it is the budget of the class: fewer could not exhaust it.
const TEAMS_OF_CLASS: usize = 3;

/// How fast it recovers (C in RFC 9438), in shares of the full pace and seconds: from 0.7 to 1 in 25 seconds.
const RISE: f64 = 2e-5;

/// Channels and teams whose time has passed are forgotten when there are more than so many.
const REMEMBERED: usize = 4096;

/// What Graph counts together for an application in a tenant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Class {
    /// Directory objects: 3,500 resource units in ten seconds, of which a list of groups costs one.
    Groups,
    /// One team.
    Team,
    /// The channels of a team.
    Channels,
    /// The members of a team.
    Members,
    /// One channel.
    Channel,
    /// Lists of messages and replies, and delta.
    Messages,
    /// What is none of these.
    Other,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Groups, Self::Team, Self::Channels, Self::Members, Self::Channel, Self::Messages, Self::Other];

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Groups => "groups",
            Self::Team => "team",
            Self::Channels => "channels",
            Self::Members => "members",
            Self::Channel => "channel",
            Self::Messages => "messages",
            Self::Other => "other",
        }
    }

    /// Requests a second.
    pub(in crate::graph) fn rate(self) -> f64 {
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
pub(in crate::graph) struct Scopes {
    class: Class,
    team: Option<u64>,
    channel: Option<u64>,
}

impl Scopes {
    /// Of a request with this path, written with slashes or as Graph writes keys in links: `teams('T')/channels('C')`.
    pub(in crate::graph) fn of(path_and_query: &str) -> Self {
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

    /// The class that it counts against.
    pub(in crate::graph) fn class(self) -> Class {
        self.class
    }

    /// Whether pages of messages are asked for.
    pub(in crate::graph) fn are_messages(self) -> bool {
        self.class == Class::Messages
    }
}

/// When each budget is free again.
#[derive(Debug)]
pub(in crate::graph) struct Pacer {
    /// Multiple of the documented rates.
    speed: f64,
    total: Option<f64>,
    total_free: Option<Instant>,
    classes: HashMap<Class, Slot>,
    /// Teams and channels.
    parents: HashMap<u64, Slot>,
    /// What Graph has throttled within a second.
    throttled: Vec<(Instant, Scopes)>,
    /// What Graph wants to be left alone for longer than a run waits: channels and teams ([`None`]: all) of a class, and until when.
    closed: Vec<(Class, Option<u64>, Instant)>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    free: Instant,
    fall: Option<Fall>,
}

/// When a budget was exhausted last.
#[derive(Clone, Copy, Debug)]
struct Fall {
    at: Instant,
    /// The share of its full pace that it was left with.
    share: f64,
    /// The share that it comes back to soon.
    plateau: f64,
}

impl Slot {
    /// Free, and never exhausted.
    fn new(now: Instant) -> Self {
        Self { free: now, fall: None }
    }
}

impl Pacer {
    /// The time between two requests for one channel, at this multiple of the documented rates.
    pub(in crate::graph) fn channel_spacing(speed: f64) -> Duration {
        Duration::try_from_secs_f64(SLACK / CHANNEL / speed).unwrap_or(Duration::ZERO)
    }

    /// Keeps the documented rates times `speed`, and `total` requests a second at most.
    pub(in crate::graph) fn new(speed: f64, total: Option<f64>) -> Self {
        Self { speed, total, total_free: None, classes: HashMap::new(), parents: HashMap::new(), throttled: Vec::new(), closed: Vec::new() }
    }

    /// For how much longer Graph wants to be left alone, if that is longer than a run waits.
    pub(in crate::graph) fn closed(&self, scopes: Scopes, now: Instant) -> Option<Duration> {
        let concerns = |parent: Option<u64>| parent.is_none() || parent == scopes.team || parent == scopes.channel;
        let closed = self.closed.iter().filter(|(class, parent, until)| *class == scopes.class && concerns(*parent) && *until > now);
        closed.map(|(_, _, until)| *until - now).max()
    }

    /// When a request may be sent at the earliest.
    pub(in crate::graph) fn free(&self, scopes: Scopes, now: Instant) -> Instant {
        let class = self.classes.get(&scopes.class).map(|slot| slot.free);
        let parents = [scopes.team, scopes.channel].into_iter().flatten().filter_map(|parent| Some(self.parents.get(&parent)?.free));
        parents.chain(class).chain(self.total_free).fold(now, Instant::max)
    }

    /// A request is sent now.
    pub(in crate::graph) fn spend(&mut self, scopes: Scopes, now: Instant) {
        let due = now.checked_sub(self.late()).unwrap_or(now);
        let after = |was_free: Instant, rate: f64| {
            let spacing = Duration::try_from_secs_f64(SLACK / rate).unwrap_or(Duration::MAX);
            was_free.max(due).checked_add(spacing).unwrap_or(now)
        };
        let class = self.classes.get(&scopes.class).copied().unwrap_or(Slot::new(now));
        let rate = scopes.class.rate() * self.speed * self.share(class, now);
        self.classes.insert(scopes.class, Slot { free: after(class.free, rate), ..class });
        if self.speed.is_finite() {
            for (parent, rate) in [(scopes.team, TEAM), (scopes.channel, CHANNEL)] {
                if let Some(parent) = parent {
                    let slot = self.parents.get(&parent).copied().unwrap_or(Slot::new(now));
                    let rate = rate * self.speed * self.share(slot, now);
                    self.parents.insert(parent, Slot { free: after(slot.free, rate), ..slot });
                }
            }
        }
        self.total_free = self.total.map(|rate| after(self.total_free.unwrap_or(now), rate));
        if self.parents.len() > REMEMBERED {
            let forgotten: Vec<_> = self.parents.iter().filter(|(_, slot)| slot.free <= due && self.share(**slot, now) == 1.0).collect();
            let forgotten: Vec<_> = forgotten.into_iter().map(|(parent, _)| *parent).collect();
            forgotten.iter().for_each(|parent| _ = self.parents.remove(parent));
        }
    }

    /// Graph has throttled a request. What it names as a wait holds for the narrowest thing that was asked.
    pub(in crate::graph) fn throttled(&mut self, scopes: Scopes, wait: Option<Duration>, now: Instant) {
        let parent = scopes.channel.or(scopes.team);
        let until = wait.and_then(|wait| now.checked_add(wait)).unwrap_or(now);
        if wait.is_some_and(|wait| wait > LONGEST_WAIT) {
            self.close(scopes.class, parent, until);
            return;
        }
        let second = self.seconds(1.0);
        self.throttled.retain(|(at, _)| now.duration_since(*at) < second);
        self.throttled.push((now, scopes));
        let others = || self.throttled.iter().map(|(_, other)| other);
        let teams: HashSet<_> = others().filter(|other| other.class == scopes.class).map(|other| other.team).collect();
        let is_class = scopes.team.is_none() || teams.len() >= TEAMS_OF_CLASS;
        let is_team = others().any(|other| other.team == scopes.team && other.channel != scopes.channel);
        if is_class {
            let slot = self.classes.get(&scopes.class).copied().unwrap_or(Slot::new(now));
            self.classes.insert(scopes.class, self.fallen(slot, now));
        }
        if let Some(team) = scopes.team.filter(|_| is_team) {
            let slot = self.parents.get(&team).copied().unwrap_or(Slot::new(now));
            self.parents.insert(team, self.fallen(slot, now));
        }
        let free = match parent {
            Some(parent) => &mut self.parents.entry(parent).or_insert(Slot::new(now)).free,
            None => &mut self.classes.entry(scopes.class).or_insert(Slot::new(now)).free,
        };
        *free = until.max(*free);
    }

    /// What a budget becomes that is exhausted. It rests for half a second: what is refused counts, so that going on would prolong it.
    fn fallen(&self, slot: Slot, now: Instant) -> Slot {
        let second = self.seconds(1.0);
        let free = slot.free.max(now + second / 2);
        if slot.fall.is_some_and(|fall| now.duration_since(fall.at) < second) {
            return Slot { free, ..slot };
        }
        let before = self.share(slot, now);
        let share = (before * FALL).max(LEAST);
        // Where there is less than before, others have come: they are left some (fast convergence).
        let is_less = slot.fall.is_some_and(|fall| before < fall.plateau);
        let plateau = if is_less { before * (1.0 + FALL) / 2.0 } else { before };
        Slot { free, fall: Some(Fall { at: now, share, plateau: plateau.max(share) }) }
    }

    /// Nothing alike is asked for. Where that befalls two channels or teams, it is the whole class: asking all others would tell no more.
    fn close(&mut self, class: Class, parent: Option<u64>, until: Instant) {
        let is_second = self.closed.iter().any(|(other, closed, _)| *other == class && *closed != parent);
        self.closed.push((class, if is_second { None } else { parent }, until));
    }

    /// The share of its full pace that a budget has by now.
    fn share(&self, slot: Slot, now: Instant) -> f64 {
        let Some(Fall { at, share, plateau }) = slot.fall else { return 1.0 };
        let seconds = now.duration_since(at).as_secs_f64() * self.speed;
        if !seconds.is_finite() {
            return 1.0;
        }
        let to_plateau = ((plateau - share) / RISE).cbrt();
        (plateau + RISE * (seconds - to_plateau).powi(3)).clamp(share, 1.0)
    }

    /// By so much at most a request that was sent late does not delay the next one: timers are not exact, and what each of them is late
    /// would add up. With what is left of the slack, what is sent in a second stays within a budget all the same.
    fn late(&self) -> Duration {
        let slack = self.seconds(SLACK - 1.0);
        slack.saturating_sub(slack.mul_f64(JITTER_OF_SLACK).min(Duration::from_secs_f64(JITTER)))
    }

    /// Seconds of Graph's time.
    fn seconds(&self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64(seconds / self.speed).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::*;
    use crate::graph::{Cause, Limits, Refusal, retry::Waits};

    fn messages(team: u32, channel: u32) -> Scopes {
        Scopes::of(&format!("/v1.0/teams/t{team}/channels/19:c{team}.{channel}@thread.tacv2/messages?$top=50"))
    }

    /// Sends as many requests as there are, each as soon as it may be, or somewhat later; gives when.
    fn send(pacer: &mut Pacer, requests: &[(Scopes, u64)], late: &[u64], start: Instant) -> Vec<(Scopes, Duration)> {
        let mut waiting: Vec<_> = requests.iter().map(|&(scopes, at)| (start + Duration::from_millis(at), scopes)).collect();
        let mut sent = Vec::new();
        while let Some(next) = (0..waiting.len()).min_by_key(|&at| waiting[at].0) {
            let (now, scopes) = waiting[next];
            let free = pacer.free(scopes, now);
            waiting[next].0 = free + Duration::from_micros(late.get(sent.len()).copied().unwrap_or_default());
            if free == now {
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
    fn a_throttled_channel_delays_no_other() {
        let (mut pacer, now) = (Pacer::new(1.0, None), Instant::now());
        for _ in 0..10 {
            pacer.throttled(messages(1, 1), Some(Duration::from_secs(30)), now);
        }
        assert_eq!(pacer.free(messages(1, 1), now), now + Duration::from_secs(30));
        assert_eq!(pacer.free(messages(1, 2), now), now);
        pacer.spend(messages(1, 2), now);
        assert!(pacer.free(messages(2, 1), now) - now < Duration::from_millis(60), "the class is as fast as before");
        assert!(pacer.free(messages(1, 3), now) - now < Duration::from_millis(300), "and so is the team");
    }

    #[test]
    fn a_budget_that_is_exhausted_rests_for_half_a_second() {
        let (mut pacer, now, second) = (Pacer::new(1.0, None), Instant::now(), Duration::from_secs(1));
        pacer.throttled(messages(1, 1), None, now);
        pacer.throttled(messages(1, 1), None, now);
        assert_eq!(pacer.free(messages(1, 2), now), now);
        // A second channel of the team, or its members: it is the team.
        pacer.throttled(Scopes::of("/v1.0/teams/t1/members"), None, now + second / 2);
        assert_eq!(pacer.free(messages(1, 2), now), now + second);
        assert_eq!(pacer.free(messages(2, 1), now), now);
        // A third team: it is the class.
        pacer.throttled(messages(2, 1), None, now + second / 2);
        assert_eq!(pacer.free(messages(3, 1), now), now);
        pacer.throttled(messages(3, 1), None, now + second * 3 / 4);
        assert_eq!(pacer.free(messages(4, 1), now), now + second * 5 / 4);
        assert_eq!(pacer.free(Scopes::of("/v1.0/teams/t4/members"), now), now);
        // The directory has no parents.
        pacer.throttled(Scopes::of("/v1.0/groups"), None, now);
        assert_eq!(pacer.free(Scopes::of("/v1.0/groups"), now), now + second / 2);
    }

    #[test]
    fn what_is_limited_for_longer_than_a_run_waits_is_closed_and_with_a_second_channel_its_class() {
        let (mut pacer, now) = (Pacer::new(1.0, None), Instant::now());
        let (long, second) = (LONGEST_WAIT * 8, Duration::from_secs(1));
        pacer.throttled(messages(1, 1), Some(LONGEST_WAIT), now);
        assert_eq!((pacer.closed(messages(1, 1), now), pacer.free(messages(1, 1), now)), (None, now + LONGEST_WAIT));
        pacer.throttled(messages(1, 2), Some(long), now);
        assert_eq!(pacer.closed(messages(1, 2), now + second), Some(long - second));
        assert_eq!((pacer.closed(messages(1, 2), now + long), pacer.closed(messages(1, 3), now)), (None, None));
        pacer.throttled(messages(2, 1), Some(long / 2), now);
        assert_eq!(pacer.closed(messages(1, 3), now), Some(long / 2));
        assert_eq!(pacer.closed(Scopes::of("/v1.0/teams/t1/members"), now), None);
        pacer.throttled(Scopes::of("/v1.0/groups"), Some(long), now);
        assert_eq!(pacer.closed(Scopes::of("/v1.0/groups"), now), Some(long));
    }

    /// Three teams are throttled at once.
    fn exhaust(pacer: &mut Pacer, now: Instant) {
        (1..=3).for_each(|team| pacer.throttled(messages(team, 1), None, now));
    }

    fn share_of(pacer: &Pacer, class: Class, now: Instant) -> f64 {
        pacer.share(pacer.classes.get(&class).copied().unwrap_or(Slot::new(now)), now)
    }

    #[test]
    fn a_class_falls_once_a_second_and_recovers() {
        let (mut pacer, start) = (Pacer::new(1.0, None), Instant::now());
        let share =
            |pacer: &Pacer, class: Class, seconds: u64| (share_of(pacer, class, start + Duration::from_secs(seconds)) * 1000.0).round();
        for _ in 0..10 {
            exhaust(&mut pacer, start);
        }
        let at: Vec<_> = [0, 5, 10, 20, 3600].map(|seconds| share(&pacer, Class::Messages, seconds)).into();
        assert_eq!(at, [700.0, 848.0, 937.0, 998.0, 1000.0]);
        assert_eq!(share(&pacer, Class::Members, 0), 1000.0);
        for second in 1..100 {
            exhaust(&mut pacer, start + Duration::from_secs(2 * second));
        }
        assert!(share(&pacer, Class::Messages, 199) >= 20.0);
        assert_eq!(share(&pacer, Class::Messages, 3600), 1000.0);
    }

    /// Graph's limits in a window of a second, in which what is refused counts, too.
    struct Graph {
        sent: HashMap<(&'static str, u64), Vec<Instant>>,
        /// The wait that each refusal names.
        named: Duration,
    }

    impl Graph {
        /// How long to wait, if the request is refused.
        fn refuses(&mut self, scopes: Scopes, now: Instant) -> Option<Duration> {
            let second = Duration::from_secs(1);
            let budgets = [("class", 0, 20), ("team", scopes.team.unwrap(), 4), ("channel", scopes.channel.unwrap(), 1)];
            let is_full = budgets.map(|(kind, id, most)| {
                let sent = self.sent.entry((kind, id)).or_default();
                sent.retain(|at| now.duration_since(*at) < second);
                sent.push(now);
                sent.len() > most
            });
            is_full.contains(&true).then_some(self.named)
        }
    }

    /// What a run has still to ask of a channel, one request after the other.
    struct Channel {
        scopes: Scopes,
        requests: u32,
        not_before: Instant,
        waits: Option<Waits>,
    }

    /// Two runs at once, each with these requests of channels, whose refusals name this wait in seconds: whether both came to their ends, in
    /// how many seconds, and how many requests were refused.
    fn two_runs(channels: [Vec<(Scopes, u32)>; 2], named: u64) -> (bool, f64, u32) {
        fastrand::seed(7);
        let (start, mut refused) = (Instant::now(), 0);
        let mut graph = Graph { sent: HashMap::new(), named: Duration::from_secs(named) };
        let begun = |channels: Vec<(Scopes, u32)>| {
            channels.into_iter().map(|(scopes, requests)| Channel { scopes, requests, not_before: start, waits: None }).collect::<Vec<_>>()
        };
        let mut runs = channels.map(|channels| (Pacer::new(1.0, None), begun(channels)));
        let mut end = start;
        loop {
            let due = |(pacer, channels): &(Pacer, Vec<Channel>)| {
                // As in the line, the longest goes first.
                let key = |(at, channel): (usize, &Channel)| {
                    (pacer.free(channel.scopes, channel.not_before.max(end)), Reverse(channel.requests), at)
                };
                channels.iter().enumerate().map(key).min().map(|(free, _, at)| (free, at))
            };
            let next = (0..2).filter_map(|run| Some((due(&runs[run])?, run))).min();
            let Some(((now, at), run)) = next else { return (true, (end - start).as_secs_f64(), refused) };
            end = now;
            let (pacer, channels) = &mut runs[run];
            let channel = &mut channels[at];
            pacer.spend(channel.scopes, now);
            match graph.refuses(channel.scopes, now) {
                Some(named) => {
                    refused += 1;
                    pacer.throttled(channel.scopes, Some(named), now);
                    let waits = channel.waits.get_or_insert_with(|| Waits::new(Duration::from_secs(1), Limits::default()));
                    let cause = Cause::Refused(Refusal { status: 429, retry_after: Some(named), ..Refusal::default() });
                    let Some(wait) = waits.next(&cause, now) else { return (false, (end - start).as_secs_f64(), refused) };
                    channel.not_before = now + wait;
                }
                None => {
                    (channel.waits, channel.requests) = (None, channel.requests - 1);
                    // An answer takes its time.
                    channel.not_before = now + Duration::from_millis(5 + u64::from(channel.requests) % 7);
                    if channel.requests == 0 {
                        channels.remove(at);
                    }
                }
            }
        }
    }

    /// All channels of so many teams, with as many requests in each.
    fn teams(teams: std::ops::Range<u32>, channels: u32, requests: u32) -> Vec<(Scopes, u32)> {
        teams.flat_map(|team| (0..channels).map(move |channel| (messages(team, channel), requests))).collect()
    }

    #[test]
    fn two_runs_at_once_both_end_in_a_bounded_time() {
        let alike = |channels: Vec<(Scopes, u32)>| [channels.clone(), channels];
        let small = || alike([teams(0..4, 4, 3), vec![(messages(9, 9), 12)]].concat());
        let cases = [
            // Each has teams of its own.
            ("teams of their own", [teams(0..10, 5, 12), teams(10..20, 5, 12)], 1, 1200.0 / 20.0, 1.3),
            // Each has to read the same channel: what one takes of it, the other waits for.
            ("one channel", alike(vec![(messages(1, 1), 40)]), 1, 80.0, 1.3),
            ("one long channel", alike(vec![(messages(1, 1), 400)]), 1, 800.0, 1.3),
            ("one long channel, long waits", alike(vec![(messages(1, 1), 400)]), 10, 800.0, 1.3),
            // Every budget is shared. The smaller the tenant, the more of the time is spent on finding out.
            ("a large team", alike(teams(0..1, 16, 60)), 1, 1920.0 / 4.0, 1.3),
            ("a small team", alike(teams(0..1, 16, 6)), 1, 192.0 / 4.0, 1.5),
            ("a small tenant", small(), 1, 24.0, 1.5),
            ("short channels", alike(teams(0..6, 6, 7)), 1, 504.0 / 20.0, 2.2),
        ];
        for (what, channels, named, fair, most) in cases {
            let (both_end, seconds, refused) = two_runs(channels, named);
            assert!(both_end && seconds <= most * 1.05 * fair, "{what}: {seconds:.1} s, fair {fair} s; {refused} refused");
        }
    }

    #[test]
    fn two_who_share_a_budget_come_to_share_it_evenly() {
        let (mut one, mut other, start) = (Pacer::new(1.0, None), Pacer::new(1.0, None), Instant::now());
        let (mut sent, mut throttled) = ([0_u32; 2], 0);
        // The other comes when the first has the whole budget. A tenth of a second a step: together they may send two requests.
        for step in 0..6000_u32 {
            let now = start + Duration::from_millis(u64::from(step) * 100);
            let shares = [&one, &other].map(|pacer| share_of(pacer, Class::Messages, now));
            if step >= 1000 {
                sent = [0, 1].map(|at| sent[at] + (shares[at] * 2000.0) as u32);
                if shares[0] + shares[1] > 1.0 {
                    [&mut one, &mut other].into_iter().for_each(|pacer| exhaust(pacer, now));
                    throttled += 1;
                }
            }
        }
        let (less, more) = (sent[0].min(sent[1]), sent[0].max(sent[1]));
        assert!(f64::from(more) / f64::from(less) < 1.3, "{sent:?}");
        assert!(f64::from(less + more) / 10_000_000.0 > 0.85, "{sent:?}");
        assert!(throttled < 60, "{throttled}");
    }

    proptest! {
        #[test]
        fn every_budget_holds_over_any_second_at_any_load(
            requests in prop::collection::vec((0_u32..4, 0_u32..4, 0_u64..3000, prop::bool::ANY), 1..200),
            late in prop::collection::vec(0_u64..40_000, 0..200),
            speed in prop::sample::select(vec![1.0, 10.0]),
            total in prop::sample::select(vec![None, Some(7.0)]),
        ) {
            let of = |team, channel, members| if members { Scopes::of(&format!("/v1.0/teams/t{team}/members")) } else { messages(team, channel) };
            let requests: Vec<_> = requests.into_iter().map(|(team, channel, at, members)| (of(team, channel, members), at)).collect();
            let sent = send(&mut Pacer::new(speed, total), &requests, &late, Instant::now());
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
