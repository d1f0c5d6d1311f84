//! Generates a tenant from a seed and sizes: the same numbers give the same tenant, byte for byte.

use std::{collections::HashSet, sync::Arc, time::Duration};

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Clock,
    content::Flavour,
    encode::guid,
    rng::{Draw, mix},
    tenant::{Channel, Member, MemberKind, Membership, Message, MessageId, Team, Tenant, channel_id},
    time::Time,
};

const DAY: Duration = Duration::from_secs(86_400);
const NAMES: [&str; 10] =
    ["Sales", "R&D", "Büro Zürich", "Projekt \"Falke\"", "営業部", "Support/24x7", "HR", "Platform", "Élèves 3ᵉ", "Night shift 🌙"];
const TOPICS: [&str; 8] = ["Announcements", "Random", "Q&A", "Planung", "Releases #1", "日報", "Incidents", "Ideas + wishes"];

/// The size of the tenant, and the seed that it is generated from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantSpec {
    pub seed: u64,
    pub teams: usize,
    /// Per team, including General.
    pub channels: usize,
    /// Root messages per channel (the average with `skew`).
    pub messages: usize,
    /// Average number of replies to a root. Half of the roots have none.
    pub replies: usize,
    /// Number of threads with more than 200 replies, in the whole tenant.
    pub long_threads: usize,
    /// Per team.
    pub members: usize,
    /// Groups that match the filter for teams but have no team.
    pub groups_without_team: usize,
    /// Few large channels and many idle ones, instead of channels of equal size.
    pub skew: bool,
    /// Root messages in the last channel of the last team, if different from the others.
    pub large: Option<usize>,
    /// Length of each team's description, instead of the usual descriptions.
    pub descriptions: Option<usize>,
    /// The age of the oldest messages. Delta reports eight months.
    pub history_days: u32,
}

impl Default for TenantSpec {
    fn default() -> TenantSpec {
        TenantSpec::uniform(2, 3, 40)
    }
}

impl TenantSpec {
    /// This number of teams, channels per team and roots per channel, with replies and three threads of more than 200 replies.
    pub fn uniform(teams: usize, channels: usize, messages: usize) -> TenantSpec {
        TenantSpec {
            seed: 1,
            teams,
            channels,
            messages,
            replies: 2,
            long_threads: if messages > 0 { 3.min(teams * channels) } else { 0 },
            members: 12,
            groups_without_team: 1,
            skew: false,
            large: None,
            descriptions: None,
            history_days: 900,
        }
    }

    /// The same number of messages, distributed as in real tenants.
    pub fn skewed(teams: usize, channels: usize, messages: usize) -> TenantSpec {
        TenantSpec { skew: true, ..TenantSpec::uniform(teams, channels, messages) }
    }

    /// An empty tenant, to which tests add what they need.
    pub fn empty() -> TenantSpec {
        TenantSpec { groups_without_team: 0, ..TenantSpec::uniform(0, 0, 0) }
    }

    #[must_use]
    pub fn seed(mut self, seed: u64) -> TenantSpec {
        self.seed = seed;
        self
    }

    #[must_use]
    pub fn replies(mut self, mean: usize, long_threads: usize) -> TenantSpec {
        self.replies = mean;
        self.long_threads = long_threads;
        self
    }

    /// `start` is the initial time of the clock. Its current time would differ from run to run.
    pub(crate) fn build(&self, clock: Arc<Clock>, start: Time) -> Tenant {
        let mut tenant = Tenant::new(self.seed, clock);
        let history = History { end: start.minus(Duration::from_secs(60)), span: DAY * self.history_days.max(1) };
        let mut sizes = self.sizes();
        if let (Some(large), Some(last)) = (self.large, sizes.last_mut()) {
            *last = (large, false);
        }
        let mut sizes = sizes.into_iter();
        let mut long_threads = self.long_threads_of_channels().into_iter();
        for index in 0..self.teams {
            let mut team = self.team(&tenant, index, history);
            for number in 0..self.channels {
                let (roots, idle) = sizes.next().unwrap_or_default();
                let mut channel = self.channel(&team, number, history);
                let plan = Plan { roots, replies: self.replies, long_threads: long_threads.next().unwrap_or(0) };
                let history = if idle { history.ending(DAY * 90) } else { history };
                fill(&mut channel, plan, history, self.seed);
                team.channels.push(channel);
            }
            tenant.add_team(team);
        }
        for index in 0..self.groups_without_team {
            let mut group = self.team(&tenant, self.teams + index, history);
            group.provisioned = false;
            tenant.add_team(group);
        }
        tenant
    }

    /// For each channel, the number of roots and whether it has been idle for a long time.
    fn sizes(&self) -> Vec<(usize, bool)> {
        let count = self.teams * self.channels;
        if !self.skew {
            return vec![(self.messages, false); count];
        }
        let weights: Vec<f64> = (0..count).map(|rank| (rank as f64 + 1.0).powf(-1.3)).collect();
        let unit = (count * self.messages) as f64 / weights.iter().sum::<f64>();
        let mut sizes: Vec<(usize, bool)> =
            weights.iter().enumerate().map(|(rank, weight)| ((weight * unit).round() as usize, rank * 4 > count)).collect();
        let mut rng = Rng::with_seed(mix(self.seed, 0x512e));
        for last in (1..count).rev() {
            sizes.swap(last, rng.usize(..last + 1));
        }
        sizes
    }

    fn long_threads_of_channels(&self) -> Vec<usize> {
        let count = self.teams * self.channels;
        (0..count).map(|channel| self.long_threads / count + usize::from(channel < self.long_threads % count)).collect()
    }

    fn team(&self, tenant: &Tenant, index: usize, history: History) -> Team {
        let seed = mix(self.seed, 1_000_003 * (index as u64 + 1));
        let name = format!("{} {}", NAMES[index % NAMES.len()], index + 1);
        let created = history.start().plus_ticks((seed % 10_000_000) as i64);
        let mut team = Team::new(guid(seed, 1).to_string(), name, tenant.id.clone(), seed, created);
        team.members = (0..self.members).map(|number| member(number, index)).collect();
        if let Some(letters) = self.descriptions {
            team.description = Some("x".repeat(letters));
        }
        team
    }

    fn channel(&self, team: &Team, number: usize, history: History) -> Channel {
        let seed = mix(team.seed, number as u64 + 7);
        let mut rng = Rng::with_seed(seed);
        let (name, membership) = match number {
            0 => ("General".to_owned(), Membership::Standard),
            _ => {
                let membership = match rng.u64(..10) {
                    0 => Membership::Shared,
                    1 | 2 => Membership::Private,
                    _ => Membership::Standard,
                };
                (format!("{} {number}", TOPICS[rng.usize(..TOPICS.len())]), membership)
            }
        };
        Channel::new(channel_id(seed), name, membership, team.members(), seed, history.start())
    }
}

fn member(number: usize, team: usize) -> Member {
    // Every twelfth member is not a user of the directory.
    let kind = if number % 12 == 11 { MemberKind::ALL[(number / 12 + team) % MemberKind::ALL.len()] } else { MemberKind::AadUser };
    let roles = match number % 9 {
        0 => vec!["owner".to_owned()],
        5 => vec!["guest".to_owned()],
        _ => Vec::new(),
    };
    Member { kind, roles, user: (number * 3 + team) as u32 }
}

/// The period of the messages.
#[derive(Clone, Copy)]
struct History {
    end: Time,
    span: Duration,
}

impl History {
    fn start(self) -> Time {
        self.end.minus(self.span)
    }

    /// The same start with an earlier end.
    fn ending(self, ago: Duration) -> History {
        let ago = ago.min(self.span / 2);
        History { end: self.end.minus(ago), span: self.span - ago }
    }
}

#[derive(Clone, Copy)]
struct Plan {
    roots: usize,
    replies: usize,
    long_threads: usize,
}

fn fill(channel: &mut Channel, plan: Plan, history: History, seed: u64) {
    let mut rng = Rng::with_seed(channel.seed ^ seed);
    let mut ids = HashSet::with_capacity(plan.roots * (plan.replies + 1));
    let start = history.start().millis();
    let step = (history.span.as_millis() as u64 / (plan.roots as u64).max(1)).max(1);
    for index in 0..plan.roots {
        // The first root of every channel has the same id, as in channels that were created together (graph.md 2.7).
        let jitter = if index == 0 { 0 } else { rng.u64(..step) };
        let root = message(&mut rng, &mut ids, start + (index as u64 * step + jitter) as i64, history);
        let is_long = plan.long_threads > 0 && (index + 1) % (plan.roots / plan.long_threads).max(1) == 0;
        let count = match is_long && index / (plan.roots / plan.long_threads).max(1) < plan.long_threads {
            true => 201 + rng.usize(..250),
            false => reply_count(&mut rng, plan.replies),
        };
        let mut replies = Vec::with_capacity(count);
        let reach = reach(&mut rng, root.id as i64, history);
        for _ in 0..count {
            let at = root.id as i64 + 1 + rng.u64(..reach) as i64;
            replies.push(message(&mut rng, &mut ids, at, history));
        }
        replies.sort_unstable_by_key(|reply| reply.id);
        channel.chains.insert_chain(root, replies);
    }
}

fn reply_count(rng: &mut Rng, mean: usize) -> usize {
    if mean == 0 || rng.chance(50) { 0 } else { 1 + rng.usize(..4 * mean - 1) }
}

/// The time in milliseconds within which a root gets replies: usually two days, but some old threads get new replies.
fn reach(rng: &mut Rng, root: i64, history: History) -> u64 {
    let left = u64::try_from(history.end.millis() - root).unwrap_or(0).max(2);
    if rng.chance(6) { left } else { left.min(2 * DAY.as_millis() as u64) }
}

fn message(rng: &mut Rng, ids: &mut HashSet<MessageId>, millis: i64, history: History) -> Message {
    let mut id = u64::try_from(millis.min(history.end.millis())).unwrap_or(0);
    while !ids.insert(id) {
        id += 1;
    }
    let mut created = Time::from_millis(id as i64);
    if rng.chance(10) {
        created = created.plus_ticks(rng.u64(..10_000) as i64);
    }
    let flavour = Flavour::draw(rng);
    let mut message = Message { id, created, modified: created, seed: rng.u32(..), flavour, extra: None };
    let is_event = matches!(flavour, Flavour::SystemEvent(_));
    match rng.u64(..100) {
        0..7 if !is_event => {
            let edited = later(rng, created, history);
            // The two times differ slightly (graph.md 3: by 134 ms in one capture).
            message.modified = edited.plus_ticks(rng.u64(..2_000_000) as i64);
            message.extra_mut().edited = Some(edited);
        }
        7..9 if !is_event => {
            message.modified = later(rng, created, history);
            message.extra_mut().deleted = Some(message.modified);
        }
        // Updated by the back end: many old messages have the same time (graph.md 2.5).
        9 => message.modified = created.max(history.start().plus(history.span / 3)),
        _ if matches!(flavour, Flavour::Reacted | Flavour::CustomReaction) => message.modified = later(rng, created, history),
        _ => {}
    }
    message
}

/// A time at most a day after `created`, with 0 to 7 fraction digits (graph.md 2.0).
fn later(rng: &mut Rng, created: Time, history: History) -> Time {
    let left = history.end.since(created).min(DAY).as_micros() as u64;
    let ticks = created.ticks() + 10 * rng.u64(..left + 1) as i64 + rng.u64(..10) as i64;
    let unit = 10_i64.pow(rng.u32(..8));
    Time::from_ticks(ticks - ticks.rem_euclid(unit)).max(created)
}
