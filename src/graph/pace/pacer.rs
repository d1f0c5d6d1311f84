//! The pacer, which spaces requests evenly to stay within Graph's documented rate limits (graph.md 6.1). It only calculates; the caller passes
//! the time.
//!
//! Graph enforces each rate over about a second, and 83 % of it over a longer, undocumented time. So there are no bursts: requests are spaced
//! for 83 % of the rate, which satisfies both limits. If Graph throttles requests nevertheless, another client shares a budget, but Graph does
//! not report which one. If a single channel is throttled, only that channel waits: it is read sequentially, so sharing its rate evenly would
//! waste most of it. If two channels of a team, or three teams, are throttled within a second, the budget of the team or of the class is
//! considered exhausted, and its requests slow down ([`RateControl`]).

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use super::{
    class::Class,
    rate_control::RateControl,
    rates::{SLACK, spacing},
    scope::{BudgetKey, Scope},
};
use crate::graph::limits::MAX_WAIT;

/// If this many teams (or other top-level parents) are throttled within a second, the budget of the class is considered exhausted. Fewer teams
/// cannot exhaust it.
const MIN_TOPS_TO_EXHAUST_CLASS: usize = 3;

/// Idle budgets are dropped if there are more budgets than this.
const MAX_BUDGETS: usize = 4096;

/// Keeps track of when each budget allows its next request.
#[derive(Debug)]
pub(in crate::graph) struct Pacer {
    /// The request rates as a multiple of the documented rates.
    speed: f64,
    /// Maximum requests per second.
    total: Option<f64>,
    total_free_at: Option<Instant>,
    budgets: HashMap<BudgetKey, RateControl>,
    /// The requests that Graph throttled within the last second.
    throttled: Vec<(Instant, Scope)>,
    /// The requests that Graph rejects for longer than a run waits: their class, one parent or all parents ([`None`]), and until when.
    closed: Vec<(&'static Class, Option<BudgetKey>, Instant)>,
}

impl Pacer {
    /// Creates a pacer for the documented rates times `speed`, and a maximum of `total` requests per second.
    pub(in crate::graph) fn new(speed: f64, total: Option<f64>) -> Self {
        Self { speed, total, total_free_at: None, budgets: HashMap::new(), throttled: Vec::new(), closed: Vec::new() }
    }

    /// How much longer Graph will reject such requests, if that is longer than a run waits.
    pub(in crate::graph) fn rejected_for(&self, scope: &Scope, now: Instant) -> Option<Duration> {
        let applies_to = |parent: Option<BudgetKey>| parent.is_none_or(|parent| scope.has(parent));
        let closed = self.closed.iter().filter(|(class, parent, until)| *class == scope.class() && applies_to(*parent) && *until > now);
        closed.map(|(_, _, until)| *until - now).max()
    }

    /// The earliest time for a request.
    pub(in crate::graph) fn free_at(&self, scope: &Scope, now: Instant) -> Instant {
        let budgets = scope.budgets().filter_map(|(budget, _)| Some(self.budgets.get(&budget)?.free_at()));
        budgets.chain(self.total_free_at).fold(now, Instant::max)
    }

    /// Counts a request that is being sent.
    pub(in crate::graph) fn spend(&mut self, scope: &Scope, now: Instant) {
        let (second, due) = (self.seconds(1.0), now.checked_sub(self.tolerance()).unwrap_or(now));
        if self.speed.is_finite() {
            for (budget, per_second) in scope.budgets() {
                self.budget(budget, now).spend(due, second.mul_f64(spacing(per_second)), now, second);
            }
        }
        if let Some(rate) = self.total {
            self.total_free_at =
                self.total_free_at.max(Some(now)).and_then(|free_at| free_at.checked_add(Duration::try_from_secs_f64(SLACK / rate).ok()?));
        }
        if self.budgets.len() > MAX_BUDGETS {
            self.budgets.retain(|_, budget| !budget.is_idle(due, now, second));
        }
    }

    /// Handles a request that Graph throttled. Its `Retry-After` applies to the narrowest budget.
    pub(in crate::graph) fn handle_throttled(&mut self, scope: &Scope, wait: Option<Duration>, now: Instant) {
        let narrowest = scope.narrowest();
        let until = wait.and_then(|wait| now.checked_add(wait)).unwrap_or(now);
        if wait.is_some_and(|wait| wait > MAX_WAIT) {
            self.close(scope, until);
            return;
        }
        let second = self.seconds(1.0);
        self.throttled.retain(|(at, _)| now.duration_since(*at) < second);
        self.throttled.push((now, scope.clone()));
        for budget in self.exhausted_budgets(scope) {
            self.budget(budget, now).slow_down(now, second);
        }
        self.budget(narrowest, now).wait_until(until);
    }

    /// The budgets of a throttled request that it has exhausted together with other requests.
    fn exhausted_budgets(&self, scope: &Scope) -> Vec<BudgetKey> {
        let others = || self.throttled.iter().map(|(_, other)| other);
        let tops: HashSet<_> = others().filter(|other| other.class() == scope.class()).map(Scope::top).collect();
        let is_exhausted = |budget: &BudgetKey| match budget {
            BudgetKey::Class(_) => scope.top().is_none() || tops.len() >= MIN_TOPS_TO_EXHAUST_CLASS,
            // Another parent below this one, or this one itself, was throttled as well.
            BudgetKey::Parent(_) => {
                let narrower = scope.narrower(*budget);
                others().any(|other| other.narrower(*budget).is_some_and(|others| Some(others) != narrower))
            }
        };
        scope.budgets().map(|(budget, _)| budget).filter(is_exhausted).collect()
    }

    fn budget(&mut self, budget: BudgetKey, now: Instant) -> &mut RateControl {
        self.budgets.entry(budget).or_insert(RateControl::new(now))
    }

    /// Rejects such requests until a time. A second closed parent closes the whole class, because all others would be throttled as well.
    fn close(&mut self, scope: &Scope, until: Instant) {
        let parent = scope.top().map(|_| scope.narrowest());
        let is_second = self.closed.iter().any(|(other, closed, _)| *other == scope.class() && *closed != parent);
        self.closed.push((scope.class(), if is_second { None } else { parent }, until));
    }

    /// How late a request may be without delaying the next one. Without this tolerance, the inaccuracy of timers would add up. It is half of the
    /// spacing in excess of a second; the other half is for the network.
    fn tolerance(&self) -> Duration {
        self.seconds((spacing(1.0) - 1.0) / 2.0)
    }

    /// Converts seconds to a duration, scaled by the speed for simulators.
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
        graph::{Cause, ErrorResponse, Limits, retry::Backoff},
        level::{CHANNEL, Level, Partition},
    };

    fn messages(team: u32, channel: u32) -> Scope {
        Scope::new(&Class::MESSAGES, &Partition::channel(&format!("t{team}"), &format!("c{team}.{channel}")))
    }

    fn members(team: u32) -> Scope {
        Scope::new(&Class::MEMBERS, &Partition::team(&format!("t{team}")))
    }

    /// A possible further level, with another class.
    static CHAT: Level = Level { name: "chat", segment: "chats", per_second: Some(2.0), above: None, is_rooted: true, ..CHANNEL };

    fn chat(chat: u32) -> Scope {
        Scope::new(&Class::CHANNEL, &Partition::default().below(&CHAT, &format!("c{chat}")))
    }

    fn groups() -> Scope {
        Scope::new(&Class::GROUPS, &Partition::default())
    }

    /// Sends all requests, each as soon as allowed or somewhat later. Returns the times.
    fn send(pacer: &mut Pacer, requests: &[(Scope, u64)], late: &[u64], start: Instant) -> Vec<(Scope, Duration)> {
        let mut waiting: Vec<_> = requests.iter().map(|(scope, at)| (start + Duration::from_millis(*at), scope)).collect();
        let mut sent = Vec::new();
        while let Some(next) = (0..waiting.len()).min_by_key(|&at| waiting[at].0) {
            let (now, scope) = waiting[next];
            let free_at = pacer.free_at(scope, now);
            waiting[next].0 = free_at + Duration::from_micros(late.get(sent.len()).copied().unwrap_or_default());
            if free_at == now {
                pacer.spend(scope, now);
                sent.push((scope.clone(), now - start));
                waiting.remove(next);
            }
        }
        sent
    }

    #[test]
    fn a_throttled_channel_delays_no_other_channel() {
        let (mut pacer, now) = (Pacer::new(1.0, None), Instant::now());
        for _ in 0..10 {
            pacer.handle_throttled(&messages(1, 1), Some(Duration::from_secs(30)), now);
        }
        assert_eq!(pacer.free_at(&messages(1, 1), now), now + Duration::from_secs(30));
        assert_eq!(pacer.free_at(&messages(1, 2), now), now);
        pacer.spend(&messages(1, 2), now);
        assert!(pacer.free_at(&messages(2, 1), now) - now < Duration::from_millis(70), "the class is as fast as before");
        assert!(pacer.free_at(&messages(1, 3), now) - now < Duration::from_millis(350), "and so is the team");
    }

    #[test]
    fn the_rate_of_every_level_is_kept() {
        let (mut pacer, now) = (Pacer::new(1.0, None), Instant::now());
        pacer.spend(&chat(1), now);
        let wait = |scope: &Scope| pacer.free_at(scope, now) - now;
        assert_eq!(wait(&chat(1)), Duration::from_secs(1).mul_f64(spacing(2.0)));
        assert_eq!(wait(&chat(2)), Duration::from_secs(1).mul_f64(spacing(Class::CHANNEL.per_second)), "another one waits for the class");
        assert_eq!(wait(&messages(1, 1)), Duration::ZERO, "and a request of another class for nothing");
    }

    #[test]
    fn an_exhausted_budget_pauses_for_half_a_second() {
        let (mut pacer, now, second) = (Pacer::new(1.0, None), Instant::now(), Duration::from_secs(1));
        pacer.handle_throttled(&messages(1, 1), None, now);
        pacer.handle_throttled(&messages(1, 1), None, now);
        assert_eq!(pacer.free_at(&messages(1, 2), now), now);
        // A second channel of the team, or its members: the team is exhausted.
        pacer.handle_throttled(&members(1), None, now + second / 2);
        assert_eq!(pacer.free_at(&messages(1, 2), now), now + second);
        assert_eq!(pacer.free_at(&messages(2, 1), now), now);
        // A third team: the class is exhausted.
        pacer.handle_throttled(&messages(2, 1), None, now + second / 2);
        assert_eq!(pacer.free_at(&messages(3, 1), now), now);
        pacer.handle_throttled(&messages(3, 1), None, now + second * 3 / 4);
        assert_eq!(pacer.free_at(&messages(4, 1), now), now + second * 5 / 4);
        assert_eq!(pacer.free_at(&members(4), now), now);
        // The directory has no parents.
        pacer.handle_throttled(&groups(), None, now);
        assert_eq!(pacer.free_at(&groups(), now), now + second / 2);
    }

    #[test]
    fn long_limits_close_a_channel_and_for_a_second_channel_the_class() {
        let (mut pacer, now) = (Pacer::new(1.0, None), Instant::now());
        let (long, second) = (MAX_WAIT * 8, Duration::from_secs(1));
        pacer.handle_throttled(&messages(1, 1), Some(MAX_WAIT), now);
        assert_eq!((pacer.rejected_for(&messages(1, 1), now), pacer.free_at(&messages(1, 1), now)), (None, now + MAX_WAIT));
        pacer.handle_throttled(&messages(1, 2), Some(long), now);
        assert_eq!(pacer.rejected_for(&messages(1, 2), now + second), Some(long - second));
        assert_eq!((pacer.rejected_for(&messages(1, 2), now + long), pacer.rejected_for(&messages(1, 3), now)), (None, None));
        pacer.handle_throttled(&messages(2, 1), Some(long / 2), now);
        assert_eq!(pacer.rejected_for(&messages(1, 3), now), Some(long / 2));
        assert_eq!(pacer.rejected_for(&members(1), now), None);
        pacer.handle_throttled(&groups(), Some(long), now);
        assert_eq!(pacer.rejected_for(&groups(), now), Some(long));
    }

    /// Three teams are throttled at once.
    fn exhaust(pacer: &mut Pacer, now: Instant) {
        (1..=3).for_each(|team| pacer.handle_throttled(&messages(team, 1), None, now));
    }

    fn share_of(pacer: &Pacer, class: &Class, now: Instant) -> f64 {
        pacer.budgets.get(&BudgetKey::Class(class.name)).map_or(1.0, |budget| budget.share(now, Duration::from_secs(1)))
    }

    /// Graph's limits in windows of a second and, if they are sustained, of a minute. Refused requests count as well.
    struct Graph {
        sent: HashMap<BudgetKey, Vec<Instant>>,
        is_sustained: bool,
        retry_after: Duration,
    }

    impl Graph {
        /// The wait, if the request is refused.
        fn refuses(&mut self, scope: &Scope, now: Instant) -> Option<Duration> {
            let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
            let mut wait = None;
            for (budget, per_second) in scope.budgets() {
                let sent = self.sent.entry(budget).or_default();
                sent.retain(|at| now.duration_since(*at) < minute);
                sent.push(now);
                let in_a_second = sent.iter().rev().take_while(|at| now.duration_since(**at) < second).count();
                wait = wait.max((in_a_second as f64 > per_second).then_some(self.retry_after));
                let over = sent.len().saturating_sub((per_second * 60.0 * 0.83) as usize);
                if self.is_sustained && over > 0 {
                    wait = wait.max(Some(sent[over - 1] + minute - now));
                }
            }
            wait
        }
    }

    /// The remaining requests of a run for a channel, sent sequentially.
    struct Channel {
        scope: Scope,
        requests: u32,
        not_before: Instant,
        backoff: Option<Backoff>,
    }

    /// Two concurrent runs, each with these requests per channel, and with this `Retry-After` in seconds. Returns whether both ended, after how
    /// many seconds, and how many requests were refused.
    fn two_runs(channels: [Vec<(Scope, u32)>; 2], retry_after: u64, is_sustained: bool) -> (bool, f64, u32) {
        fastrand::seed(7);
        let (start, mut refused) = (Instant::now(), 0);
        let mut graph = Graph { sent: HashMap::new(), is_sustained, retry_after: Duration::from_secs(retry_after) };
        let started = |channels: Vec<(Scope, u32)>| {
            channels.into_iter().map(|(scope, requests)| Channel { scope, requests, not_before: start, backoff: None }).collect::<Vec<_>>()
        };
        let mut runs = channels.map(|channels| (Pacer::new(1.0, None), started(channels)));
        let mut end = start;
        loop {
            let due = |(pacer, channels): &(Pacer, Vec<Channel>)| {
                // The longest channel goes first, as in the scheduler.
                let key = |(at, channel): (usize, &Channel)| {
                    (pacer.free_at(&channel.scope, channel.not_before.max(end)), Reverse(channel.requests), at)
                };
                channels.iter().enumerate().map(key).min().map(|(free_at, _, at)| (free_at, at))
            };
            let next = (0..2).filter_map(|run| Some((due(&runs[run])?, run))).min();
            let Some(((now, at), run)) = next else { return (true, (end - start).as_secs_f64(), refused) };
            end = now;
            let (pacer, channels) = &mut runs[run];
            let channel = &mut channels[at];
            pacer.spend(&channel.scope, now);
            match graph.refuses(&channel.scope, now) {
                Some(retry_after) => {
                    refused += 1;
                    pacer.handle_throttled(&channel.scope, Some(retry_after), now);
                    let backoff = channel.backoff.get_or_insert_with(|| Backoff::new(Duration::from_secs(1), Limits::default()));
                    let cause =
                        Cause::ErrorStatus(ErrorResponse { status: 429, retry_after: Some(retry_after), ..ErrorResponse::default() });
                    let Some(wait) = backoff.next(&cause, now) else { return (false, (end - start).as_secs_f64(), refused) };
                    channel.not_before = now + wait;
                }
                None => {
                    (channel.backoff, channel.requests) = (None, channel.requests - 1);
                    // The latency of the response.
                    channel.not_before = now + Duration::from_millis(5 + u64::from(channel.requests) % 7);
                    if channel.requests == 0 {
                        channels.remove(at);
                    }
                }
            }
        }
    }

    /// All channels of these teams, with this many requests each.
    fn teams(teams: std::ops::Range<u32>, channels: u32, requests: u32) -> Vec<(Scope, u32)> {
        teams.flat_map(|team| (0..channels).map(move |channel| (messages(team, channel), requests))).collect()
    }

    #[test]
    fn two_concurrent_runs_end_in_a_bounded_time() {
        let alike = |channels: Vec<(Scope, u32)>| [channels.clone(), channels];
        let small = || alike([teams(0..4, 4, 3), vec![(messages(9, 9), 12)]].concat());
        // The last numbers are the maximum time relative to the fair time, without and with a limit over a minute.
        let cases = [
            // Each run has its own teams.
            ("teams of their own", [teams(0..10, 5, 12), teams(10..20, 5, 12)], 1, 1200.0 / 20.0, [1.1, 1.25]),
            // Both runs read the same channel.
            ("one channel", alike(vec![(messages(1, 1), 40)]), 1, 80.0, [1.3, 1.5]),
            ("one long channel", alike(vec![(messages(1, 1), 400)]), 1, 800.0, [1.2, 1.5]),
            ("one long channel, long waits", alike(vec![(messages(1, 1), 400)]), 10, 800.0, [1.2, 1.2]),
            // Every budget is shared. The smaller the tenant, the larger the share of the time that is spent on finding this out.
            ("a large team", alike(teams(0..1, 16, 60)), 1, 1920.0 / 4.0, [1.1, 1.3]),
            ("a small team", alike(teams(0..1, 16, 6)), 1, 192.0 / 4.0, [1.2, 1.4]),
            ("a small tenant", small(), 1, 24.0, [1.4, 1.4]),
            ("short channels", alike(teams(0..6, 6, 7)), 1, 504.0 / 20.0, [1.7, 1.7]),
        ];
        for (what, channels, retry_after, documented, max) in cases {
            for (is_sustained, max) in [false, true].into_iter().zip(max) {
                let (both_end, seconds, refused) = two_runs(channels.clone(), retry_after, is_sustained);
                let fair = documented / 0.83;
                let what = format!("{what}, sustained: {is_sustained}");
                assert!(both_end && seconds <= max * fair, "{what}: {seconds:.1} s, fair {fair:.1} s; {refused} refused");
            }
        }
    }

    #[test]
    fn two_runs_converge_to_an_even_share_of_a_budget() {
        let (mut one, mut other, start) = (Pacer::new(1.0, None), Pacer::new(1.0, None), Instant::now());
        let (mut sent, mut throttled) = ([0_u32; 2], 0);
        // The other run starts when the first one has the whole budget. In each step, a tenth of a second, they may send two requests together.
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
        fn every_budget_is_kept_in_any_window_at_any_load(
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
            let max_sent = |accepts: &dyn Fn(&Scope) -> bool, window: Duration| {
                let times: Vec<_> = sent.iter().filter(|(scope, _)| accepts(scope)).map(|(_, at)| *at).collect();
                times.iter().map(|start| times.iter().filter(|at| **at >= *start && **at < *start + window).count()).max().unwrap_or(0)
            };
            let budgets: HashSet<_> = requests.iter().flat_map(|(scope, _)| scope.budgets()).map(|(budget, rate)| (budget, rate as u64)).collect();
            for (budget, per_second) in budgets {
                // Over a second, and over a minute.
                for (seconds, share) in [(1.0, 1.0), (60.0, 0.83)] {
                    let sent = max_sent(&|other| other.has(budget), second.mul_f64(seconds / speed));
                    prop_assert!(sent as f64 <= (seconds * share * per_second as f64).floor(), "{sent} in {seconds} s");
                }
            }
            if let Some(total) = total {
                prop_assert!(max_sent(&|_| true, second) as f64 <= total);
            }
        }
    }
}
