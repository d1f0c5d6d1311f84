//! The pace of requests: the budgets that Graph documents (graph.md 6.1), each kept by even spacing. Pure arithmetic over a given clock.
//!
//! Graph checks each figure over a second or so, and 83 % of it over a longer time; how long, nobody documents. So there are no bursts: requests
//! are spaced by that 83 %, and what is sent over any time stays within both. Where Graph throttles all the same, others share a budget, and
//! which one it is Graph does not say. One channel alone waits, and whoever has it goes on: it is read one request after the other, so that to
//! share it evenly would waste most of it. Where two channels of a team, or three teams, are throttled within a second, it is the budget of the
//! team, or of the class: that one slows down ([`Slot`]).

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use super::{
    class::Class,
    rates::{SLACK, spacing},
    scope::{Budgeted, Scope},
    slot::Slot,
};
use crate::graph::limits::LONGEST_WAIT;

/// So many teams (or other parents that are above all others) at least are throttled within a second where it is the budget of the class:
/// fewer could not exhaust it.
const TOPS_OF_CLASS: usize = 3;

/// Channels and teams whose time has passed are forgotten when there are more than so many.
const REMEMBERED: usize = 4096;

/// When each budget is free again.
#[derive(Debug)]
pub(in crate::graph) struct Pacer {
    /// Multiple of the documented rates.
    speed: f64,
    total: Option<f64>,
    total_free: Option<Instant>,
    slots: HashMap<Budgeted, Slot>,
    /// What Graph has throttled within a second.
    throttled: Vec<(Instant, Scope)>,
    /// What Graph wants to be left alone for longer than a run waits: the requests of a class, those for one parent or ([`None`]) all of
    /// them, and until when.
    closed: Vec<(&'static Class, Option<Budgeted>, Instant)>,
}

impl Pacer {
    /// Keeps the documented rates times `speed`, and `total` requests a second at most.
    pub(in crate::graph) fn new(speed: f64, total: Option<f64>) -> Self {
        Self { speed, total, total_free: None, slots: HashMap::new(), throttled: Vec::new(), closed: Vec::new() }
    }

    /// For how much longer Graph wants to be left alone, if that is longer than a run waits.
    pub(in crate::graph) fn closed(&self, scope: &Scope, now: Instant) -> Option<Duration> {
        let concerns = |parent: Option<Budgeted>| parent.is_none_or(|parent| scope.has(parent));
        let closed = self.closed.iter().filter(|(class, parent, until)| *class == scope.class() && concerns(*parent) && *until > now);
        closed.map(|(_, _, until)| *until - now).max()
    }

    /// When a request may be sent at the earliest.
    pub(in crate::graph) fn free(&self, scope: &Scope, now: Instant) -> Instant {
        let budgets = scope.budgets().filter_map(|(budget, _)| Some(self.slots.get(&budget)?.free()));
        budgets.chain(self.total_free).fold(now, Instant::max)
    }

    /// A request is sent now.
    pub(in crate::graph) fn spend(&mut self, scope: &Scope, now: Instant) {
        let (second, due) = (self.seconds(1.0), now.checked_sub(self.late()).unwrap_or(now));
        if self.speed.is_finite() {
            for (budget, per_second) in scope.budgets() {
                self.slot(budget, now).spend(due, second.mul_f64(spacing(per_second)), now, second);
            }
        }
        if let Some(rate) = self.total {
            self.total_free =
                self.total_free.max(Some(now)).and_then(|free| free.checked_add(Duration::try_from_secs_f64(SLACK / rate).ok()?));
        }
        if self.slots.len() > REMEMBERED {
            self.slots.retain(|_, slot| !slot.is_new(due, now, second));
        }
    }

    /// Graph has throttled a request. What it names as a wait holds for the narrowest thing that was asked.
    pub(in crate::graph) fn throttled(&mut self, scope: &Scope, wait: Option<Duration>, now: Instant) {
        let narrowest = scope.narrowest();
        let until = wait.and_then(|wait| now.checked_add(wait)).unwrap_or(now);
        if wait.is_some_and(|wait| wait > LONGEST_WAIT) {
            self.close(scope, until);
            return;
        }
        let second = self.seconds(1.0);
        self.throttled.retain(|(at, _)| now.duration_since(*at) < second);
        self.throttled.push((now, scope.clone()));
        for budget in self.exhausted(scope) {
            self.slot(budget, now).fall(now, second);
        }
        self.slot(narrowest, now).wait_until(until);
    }

    /// Which budgets of what was throttled others have exhausted with it.
    fn exhausted(&self, scope: &Scope) -> Vec<Budgeted> {
        let others = || self.throttled.iter().map(|(_, other)| other);
        let tops: HashSet<_> = others().filter(|other| other.class() == scope.class()).map(Scope::top).collect();
        let is_exhausted = |budget: &Budgeted| match budget {
            Budgeted::Class(_) => scope.top().is_none() || tops.len() >= TOPS_OF_CLASS,
            // Another parent below this one was throttled as well, or something that is asked of this one itself.
            Budgeted::Parent(_) => {
                let narrower = scope.narrower(*budget);
                others().any(|other| other.narrower(*budget).is_some_and(|others| Some(others) != narrower))
            }
        };
        scope.budgets().map(|(budget, _)| budget).filter(is_exhausted).collect()
    }

    fn slot(&mut self, budget: Budgeted, now: Instant) -> &mut Slot {
        self.slots.entry(budget).or_insert(Slot::new(now))
    }

    /// Nothing alike is asked for. Where that befalls two channels or teams, it is the whole class: asking all others would tell no more.
    fn close(&mut self, scope: &Scope, until: Instant) {
        let parent = scope.top().map(|_| scope.narrowest());
        let is_second = self.closed.iter().any(|(other, closed, _)| *other == scope.class() && *closed != parent);
        self.closed.push((scope.class(), if is_second { None } else { parent }, until));
    }

    /// By so much at most a request that was sent late does not delay the next one: timers are not exact, and what each of them is late
    /// would add up. That is half of what the requests of a second take longer than a second; the rest is for the network.
    fn late(&self) -> Duration {
        self.seconds((spacing(1.0) - 1.0) / 2.0)
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
    use crate::{
        graph::{Cause, Limits, Refusal, retry::Waits},
        level::{CHANNEL, Level, Partition},
    };

    fn messages(team: u32, channel: u32) -> Scope {
        Scope::new(&Class::MESSAGES, &Partition::channel(&format!("t{team}"), &format!("c{team}.{channel}")))
    }

    fn members(team: u32) -> Scope {
        Scope::new(&Class::MEMBERS, &Partition::team(&format!("t{team}")))
    }

    /// A level as it may come, of another class.
    static CHAT: Level = Level { name: "chat", segment: "chats", per_second: Some(2.0), above: None, is_rooted: true, ..CHANNEL };

    fn chat(chat: u32) -> Scope {
        Scope::new(&Class::CHANNEL, &Partition::default().below(&CHAT, &format!("c{chat}")))
    }

    fn groups() -> Scope {
        Scope::new(&Class::GROUPS, &Partition::default())
    }

    /// Sends as many requests as there are, each as soon as it may be, or somewhat later; gives when.
    fn send(pacer: &mut Pacer, requests: &[(Scope, u64)], late: &[u64], start: Instant) -> Vec<(Scope, Duration)> {
        let mut waiting: Vec<_> = requests.iter().map(|(scope, at)| (start + Duration::from_millis(*at), scope)).collect();
        let mut sent = Vec::new();
        while let Some(next) = (0..waiting.len()).min_by_key(|&at| waiting[at].0) {
            let (now, scope) = waiting[next];
            let free = pacer.free(scope, now);
            waiting[next].0 = free + Duration::from_micros(late.get(sent.len()).copied().unwrap_or_default());
            if free == now {
                pacer.spend(scope, now);
                sent.push((scope.clone(), now - start));
                waiting.remove(next);
            }
        }
        sent
    }

    #[test]
    fn a_throttled_channel_delays_no_other() {
        let (mut pacer, now) = (Pacer::new(1.0, None), Instant::now());
        for _ in 0..10 {
            pacer.throttled(&messages(1, 1), Some(Duration::from_secs(30)), now);
        }
        assert_eq!(pacer.free(&messages(1, 1), now), now + Duration::from_secs(30));
        assert_eq!(pacer.free(&messages(1, 2), now), now);
        pacer.spend(&messages(1, 2), now);
        assert!(pacer.free(&messages(2, 1), now) - now < Duration::from_millis(70), "the class is as fast as before");
        assert!(pacer.free(&messages(1, 3), now) - now < Duration::from_millis(350), "and so is the team");
    }

    #[test]
    fn whatever_level_has_a_rate_keeps_it() {
        let (mut pacer, now) = (Pacer::new(1.0, None), Instant::now());
        pacer.spend(&chat(1), now);
        let wait = |scope: &Scope| pacer.free(scope, now) - now;
        assert_eq!(wait(&chat(1)), Duration::from_secs(1).mul_f64(spacing(2.0)));
        assert_eq!(wait(&chat(2)), Duration::from_secs(1).mul_f64(spacing(Class::CHANNEL.per_second)), "another one waits for the class");
        assert_eq!(wait(&messages(1, 1)), Duration::ZERO, "and a request of another class for nothing");
    }

    #[test]
    fn a_budget_that_is_exhausted_rests_for_half_a_second() {
        let (mut pacer, now, second) = (Pacer::new(1.0, None), Instant::now(), Duration::from_secs(1));
        pacer.throttled(&messages(1, 1), None, now);
        pacer.throttled(&messages(1, 1), None, now);
        assert_eq!(pacer.free(&messages(1, 2), now), now);
        // A second channel of the team, or its members: it is the team.
        pacer.throttled(&members(1), None, now + second / 2);
        assert_eq!(pacer.free(&messages(1, 2), now), now + second);
        assert_eq!(pacer.free(&messages(2, 1), now), now);
        // A third team: it is the class.
        pacer.throttled(&messages(2, 1), None, now + second / 2);
        assert_eq!(pacer.free(&messages(3, 1), now), now);
        pacer.throttled(&messages(3, 1), None, now + second * 3 / 4);
        assert_eq!(pacer.free(&messages(4, 1), now), now + second * 5 / 4);
        assert_eq!(pacer.free(&members(4), now), now);
        // The directory has no parents.
        pacer.throttled(&groups(), None, now);
        assert_eq!(pacer.free(&groups(), now), now + second / 2);
    }

    #[test]
    fn what_is_limited_for_longer_than_a_run_waits_is_closed_and_with_a_second_channel_its_class() {
        let (mut pacer, now) = (Pacer::new(1.0, None), Instant::now());
        let (long, second) = (LONGEST_WAIT * 8, Duration::from_secs(1));
        pacer.throttled(&messages(1, 1), Some(LONGEST_WAIT), now);
        assert_eq!((pacer.closed(&messages(1, 1), now), pacer.free(&messages(1, 1), now)), (None, now + LONGEST_WAIT));
        pacer.throttled(&messages(1, 2), Some(long), now);
        assert_eq!(pacer.closed(&messages(1, 2), now + second), Some(long - second));
        assert_eq!((pacer.closed(&messages(1, 2), now + long), pacer.closed(&messages(1, 3), now)), (None, None));
        pacer.throttled(&messages(2, 1), Some(long / 2), now);
        assert_eq!(pacer.closed(&messages(1, 3), now), Some(long / 2));
        assert_eq!(pacer.closed(&members(1), now), None);
        pacer.throttled(&groups(), Some(long), now);
        assert_eq!(pacer.closed(&groups(), now), Some(long));
    }

    /// Three teams are throttled at once.
    fn exhaust(pacer: &mut Pacer, now: Instant) {
        (1..=3).for_each(|team| pacer.throttled(&messages(team, 1), None, now));
    }

    fn share_of(pacer: &Pacer, class: &Class, now: Instant) -> f64 {
        pacer.slots.get(&Budgeted::Class(class.name)).map_or(1.0, |slot| slot.share(now, Duration::from_secs(1)))
    }

    /// Graph's limits in windows of a second and, if they are sustained, of a minute. What is refused counts, too.
    struct Graph {
        sent: HashMap<Budgeted, Vec<Instant>>,
        is_sustained: bool,
        /// The wait that each refusal names.
        named: Duration,
    }

    impl Graph {
        /// How long to wait, if the request is refused.
        fn refuses(&mut self, scope: &Scope, now: Instant) -> Option<Duration> {
            let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
            let mut wait = None;
            for (budget, per_second) in scope.budgets() {
                let sent = self.sent.entry(budget).or_default();
                sent.retain(|at| now.duration_since(*at) < minute);
                sent.push(now);
                let in_a_second = sent.iter().rev().take_while(|at| now.duration_since(**at) < second).count();
                wait = wait.max((in_a_second as f64 > per_second).then_some(self.named));
                let over = sent.len().saturating_sub((per_second * 60.0 * 0.83) as usize);
                if self.is_sustained && over > 0 {
                    wait = wait.max(Some(sent[over - 1] + minute - now));
                }
            }
            wait
        }
    }

    /// What a run has still to ask of a channel, one request after the other.
    struct Channel {
        scope: Scope,
        requests: u32,
        not_before: Instant,
        waits: Option<Waits>,
    }

    /// Two runs at once, each with these requests of channels, whose refusals name this wait in seconds: whether both came to their ends, in
    /// how many seconds, and how many requests were refused.
    fn two_runs(channels: [Vec<(Scope, u32)>; 2], named: u64, is_sustained: bool) -> (bool, f64, u32) {
        fastrand::seed(7);
        let (start, mut refused) = (Instant::now(), 0);
        let mut graph = Graph { sent: HashMap::new(), is_sustained, named: Duration::from_secs(named) };
        let begun = |channels: Vec<(Scope, u32)>| {
            channels.into_iter().map(|(scope, requests)| Channel { scope, requests, not_before: start, waits: None }).collect::<Vec<_>>()
        };
        let mut runs = channels.map(|channels| (Pacer::new(1.0, None), begun(channels)));
        let mut end = start;
        loop {
            let due = |(pacer, channels): &(Pacer, Vec<Channel>)| {
                // As in the line, the longest goes first.
                let key = |(at, channel): (usize, &Channel)| {
                    (pacer.free(&channel.scope, channel.not_before.max(end)), Reverse(channel.requests), at)
                };
                channels.iter().enumerate().map(key).min().map(|(free, _, at)| (free, at))
            };
            let next = (0..2).filter_map(|run| Some((due(&runs[run])?, run))).min();
            let Some(((now, at), run)) = next else { return (true, (end - start).as_secs_f64(), refused) };
            end = now;
            let (pacer, channels) = &mut runs[run];
            let channel = &mut channels[at];
            pacer.spend(&channel.scope, now);
            match graph.refuses(&channel.scope, now) {
                Some(named) => {
                    refused += 1;
                    pacer.throttled(&channel.scope, Some(named), now);
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
    fn teams(teams: std::ops::Range<u32>, channels: u32, requests: u32) -> Vec<(Scope, u32)> {
        teams.flat_map(|team| (0..channels).map(move |channel| (messages(team, channel), requests))).collect()
    }

    #[test]
    fn two_runs_at_once_both_end_in_a_bounded_time() {
        let alike = |channels: Vec<(Scope, u32)>| [channels.clone(), channels];
        let small = || alike([teams(0..4, 4, 3), vec![(messages(9, 9), 12)]].concat());
        // With the time that each may take beside its fair one, without and with a limit over a minute.
        let cases = [
            // Each has teams of its own.
            ("teams of their own", [teams(0..10, 5, 12), teams(10..20, 5, 12)], 1, 1200.0 / 20.0, [1.1, 1.25]),
            // Each has to read the same channel: what one takes of it, the other waits for.
            ("one channel", alike(vec![(messages(1, 1), 40)]), 1, 80.0, [1.3, 1.5]),
            ("one long channel", alike(vec![(messages(1, 1), 400)]), 1, 800.0, [1.2, 1.5]),
            ("one long channel, long waits", alike(vec![(messages(1, 1), 400)]), 10, 800.0, [1.2, 1.2]),
            // Every budget is shared. The smaller the tenant, the more of the time is spent on finding out.
            ("a large team", alike(teams(0..1, 16, 60)), 1, 1920.0 / 4.0, [1.1, 1.3]),
            ("a small team", alike(teams(0..1, 16, 6)), 1, 192.0 / 4.0, [1.2, 1.4]),
            ("a small tenant", small(), 1, 24.0, [1.4, 1.4]),
            ("short channels", alike(teams(0..6, 6, 7)), 1, 504.0 / 20.0, [1.7, 1.7]),
        ];
        for (what, channels, named, at_the_figures, most) in cases {
            for (is_sustained, most) in [false, true].into_iter().zip(most) {
                let (both_end, seconds, refused) = two_runs(channels.clone(), named, is_sustained);
                let fair = at_the_figures / 0.83;
                let what = format!("{what}, sustained: {is_sustained}");
                assert!(both_end && seconds <= most * fair, "{what}: {seconds:.1} s, fair {fair:.1} s; {refused} refused");
            }
        }
    }

    #[test]
    fn two_who_share_a_budget_come_to_share_it_evenly() {
        let (mut one, mut other, start) = (Pacer::new(1.0, None), Pacer::new(1.0, None), Instant::now());
        let (mut sent, mut throttled) = ([0_u32; 2], 0);
        // The other comes when the first has the whole budget. A tenth of a second a step: together they may send two requests.
        for step in 0..6000_u32 {
            let now = start + Duration::from_millis(u64::from(step) * 100);
            let shares = [&one, &other].map(|pacer| share_of(pacer, &Class::MESSAGES, now));
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
            requests in prop::collection::vec((0_u32..4, 0_u32..4, 0_u64..3000, 0_u8..3), 1..200),
            late in prop::collection::vec(0_u64..40_000, 0..200),
            speed in prop::sample::select(vec![1.0, 10.0]),
            total in prop::sample::select(vec![None, Some(7.0)]),
        ) {
            let of = |team, channel, kind| match kind {
                0 => members(team),
                1 => messages(team, channel),
                _ => chat(channel),
            };
            let requests: Vec<_> = requests.into_iter().map(|(team, channel, at, kind)| (of(team, channel, kind), at)).collect();
            let sent = send(&mut Pacer::new(speed, total), &requests, &late, Instant::now());
            prop_assert_eq!(sent.len(), requests.len());
            let second = Duration::from_secs(1);
            let most = |accepts: &dyn Fn(&Scope) -> bool, window: Duration| {
                let times: Vec<_> = sent.iter().filter(|(scope, _)| accepts(scope)).map(|(_, at)| *at).collect();
                times.iter().map(|start| times.iter().filter(|at| **at >= *start && **at < *start + window).count()).max().unwrap_or(0)
            };
            let budgets: HashSet<_> = requests.iter().flat_map(|(scope, _)| scope.budgets()).map(|(budget, rate)| (budget, rate as u64)).collect();
            for (budget, per_second) in budgets {
                // Over a second, and over a minute.
                for (seconds, share) in [(1.0, 1.0), (60.0, 0.83)] {
                    let sent = most(&|other| other.has(budget), second.mul_f64(seconds / speed));
                    prop_assert!(sent as f64 <= (seconds * share * per_second as f64).floor(), "{sent} in {seconds} s");
                }
            }
            if let Some(total) = total {
                prop_assert!(most(&|_| true, second) as f64 <= total);
            }
        }
    }
}
