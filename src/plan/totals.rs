//! The plan: what was found and looked at, made into the sums of the whole run.

use std::collections::HashMap;

use super::{
    arithmetic::Told,
    channels::{Asked, Channels},
    discovery::Discovery,
    look::{Look, Taken},
    report::{About, ChannelPlan, DecidedBy, LookedAt, Plan, Requests, Seconds, Share, StreamPlan, mode},
    time::{Load, Time},
};
use crate::{
    emit::Silent,
    graph::{Budget, Class, GraphClient, Rates},
    level::{CHANNEL, TEAM},
    streams::{CHANNELS, MEMBERS, MESSAGE_REPLIES, MESSAGES, Selected, Stream, TEAMS},
};

const QUIET: &str = "nothing changes while the run reads: each channel of several pages is closed by one request";
const ALIKE: &str = "what was not looked at is like what was: as many messages a day, as many replies, as many long threads";
const MEMBERS_ALIKE: &str = "the teams have about as many members as those few that were looked at";
const HAVE_TEAMS: &str = "the groups that were not looked at have a team";

/// What a plan is made of.
pub(super) struct Totals<'p> {
    pub(super) client: &'p GraphClient,
    pub(super) selected: &'p [Selected],
    pub(super) discovery: Discovery,
    pub(super) channels: &'p Channels,
    /// What teams and channels are called, as far as that is known.
    pub(super) names: HashMap<String, String>,
    /// The records that were made of the lists that were asked for.
    pub(super) silent: &'p Silent,
    pub(super) members_a_page: u64,
}

/// The channels, all of them.
struct Sum {
    taken: Taken,
    /// Standard error of the requests, and of the root messages.
    error: f64,
    error_of_roots: f64,
    /// How many channels stand for one that was looked at.
    factor: f64,
}

impl Totals<'_> {
    /// The plan; `failed` is what was known to fail before.
    pub(super) fn plan(self, failed: Option<String>) -> Plan {
        let rates = self.client.rates();
        let sum = self.sum();
        let requests = self.requests(&sum);
        let [low, about, high] = [-2.0, 0.0, 2.0].map(|shift| self.load(&sum, &requests, shift));
        let [least, time, most] = [&low, &about, &high].map(|load| load.time(&rates));
        let [from, seconds, to] = [least, time, most].map(|time| (time.seconds * 10.0).round() / 10.0);
        let seconds = Seconds { about: seconds, from, to };
        let of_answers = sum.error * sum.taken.answers / sum.taken.requests().max(1.0);
        let mut plan = Plan {
            teams: (self.discovery.team_ids.len() - self.discovery.without_team.len()) as u64,
            groups_without_team: self.discovery.without_team.len() as u64,
            channels: self.count_of_channels(),
            streams: self.selected.iter().map(|selected| self.stream(selected, &sum)).collect(),
            decided_by: self.decided_by(&time, &about),
            requests,
            seconds,
            bytes_of_answers: About::new(sum.taken.answers, of_answers, 0.0),
            longest: self.longest(&rates),
            looked_at: self.looked_at(),
            assumes: self.assumes(&sum),
            refused: Vec::new(),
            failed: failed.into_iter().collect(),
        };
        let (refused, would_fail) = self.discovery.outcomes.told(self.selected.iter().map(|selected| selected.stream).collect());
        plan.refused = refused;
        plan.failed.extend(would_fail);
        plan
    }

    fn sum(&self) -> Sum {
        let asked = &self.channels.asked;
        let count = asked.len() as f64;
        let factor = if count > 0.0 { (self.channels.all / count).max(1.0) } else { 1.0 };
        let mut taken = Taken::default();
        asked.iter().for_each(|asked| taken.add(&asked.taken, factor));
        let mean = taken.requests() / (count * factor).max(1.0);
        let variance = asked.iter().map(|asked| (asked.taken.requests() - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
        let unseen = (factor - 1.0) * count * (variance / count.max(1.0)).sqrt();
        let of_roots = unseen / taken.requests().max(1.0) * taken.roots.records;
        Sum {
            error: (self.channels.error() * factor).hypot(unseen),
            error_of_roots: (self.channels.error_of_chains() * factor).hypot(of_roots),
            taken,
            factor,
        }
    }

    fn requests(&self, sum: &Sum) -> Requests {
        let Discovery { groups, lists, members, teams, unlisted, .. } = &self.discovery;
        let known = Requests {
            total: About::default(),
            token: 1,
            groups: *groups,
            teams: teams.all as u64,
            channels: lists.all as u64,
            members: (members.all as f64 * self.pages_of_members()).round() as u64,
            messages: whole(sum.taken.lists),
            replies: whole(sum.taken.threads),
            delta: whole(sum.taken.delta),
            not_listed: *unlisted as u64,
        };
        let certain = (known.token + known.groups + known.teams + known.channels + known.members + known.not_listed) as f64;
        let seen = self.channels.asked.iter().map(Asked::pages).sum::<usize>() as f64;
        Requests { total: About::new(certain + sum.taken.requests(), sum.error, certain + seen), ..known }
    }

    /// Requests for a list of members, on average.
    fn pages_of_members(&self) -> f64 {
        let count = self.silent.count(&MEMBERS) as f64 / self.discovery.members.done.max(1) as f64;
        (count / self.members_a_page as f64).ceil().max(1.0)
    }

    /// The requests by their limits, each as many standard errors from what is estimated.
    fn load(&self, sum: &Sum, requests: &Requests, shift: f64) -> Load {
        let of_channel = |asked: &Asked| (asked.taken.requests() + shift * asked.taken.error()).max(asked.pages() as f64);
        let longest = (0..self.channels.asked.len()).map(|at| (of_channel(&self.channels.asked[at]), at));
        // Of each team what was looked at and how many channels these are.
        let mut teams: HashMap<&str, (f64, f64, usize)> = HashMap::new();
        for (at, asked) in self.channels.asked.iter().enumerate() {
            let (requests, channels, _) = teams.entry(&asked.job.team).or_insert((0.0, 0.0, at));
            (*requests, *channels) = (*requests + of_channel(asked), *channels + 1.0);
        }
        // Of each team its channels, its members, and itself.
        let all_teams = self.discovery.team_ids.len().max(1) as f64;
        let own = (requests.channels + requests.members + requests.teams) as f64 / all_teams;
        let mean = sum.taken.requests() / self.channels.all.max(1.0);
        let of_team = |(team, (requests, channels, at)): (&str, (f64, f64, usize))| {
            let all = self.channels.of_teams.get(team).map_or(channels, |&all| all as f64);
            (own + requests + (all - channels) * mean, at)
        };
        let messages = sum.taken.lists + sum.taken.delta;
        // How many requests it takes is uncertain of both alike.
        let scale = 1.0 + shift * sum.error / sum.taken.requests().max(1.0);
        Load {
            groups: requests.groups as f64,
            teams: requests.teams as f64,
            channels: requests.channels as f64,
            members: requests.members as f64,
            messages: messages * scale,
            replies: sum.taken.threads * scale,
            all: requests.total.about as f64 + shift * sum.error,
            of_team: most(teams.into_iter().map(of_team)),
            of_channel: most(longest),
            opened: self.channels.all,
            chain: 1.0 + requests.groups as f64 + f64::from(u8::from(requests.channels > 0)),
        }
    }

    fn decided_by(&self, time: &Time, load: &Load) -> DecidedBy {
        let asked = |at: usize| self.channels.asked.get(at).map(|asked| &asked.job);
        let (limit, team, channel) = match time.by {
            Budget::Of(class) if *class == Class::TEAM => ("teams", None, None),
            Budget::Of(class) if *class == Class::OTHER => ("replies", None, None),
            Budget::Of(class) => (class.name, None, None),
            Budget::One(level) if *level == TEAM => ("one_team", asked(load.of_team.1).map(|job| job.team.clone()), None),
            Budget::One(_) => {
                let job = asked(load.of_channel.1);
                ("one_channel", job.map(|job| job.team.clone()), job.map(|job| job.channel.clone()))
            }
            Budget::All => ("all", None, None),
        };
        let [team_name, channel_name] = [&team, &channel].map(|id| self.name(id.as_deref()?));
        DecidedBy { limit, team, team_name, channel, channel_name, requests: whole(load.requests(time.by)) }
    }

    fn count_of_channels(&self) -> About {
        let count = self.channels.places;
        let lists = &self.discovery.lists;
        if lists.done == lists.all {
            return About::exactly(whole(count));
        }
        // As a count of a random sample: at least its square root is uncertain.
        let sampled = count / lists.factor();
        About::new(count, count / sampled.max(1.0).sqrt(), sampled)
    }

    fn stream(&self, selected: &Selected, sum: &Sum) -> StreamPlan {
        let stream = selected.stream;
        let of = |told: Told, relative: f64| {
            let about = |number: f64| About::new(number, number * relative, 0.0);
            (about(told.records), about(told.bytes))
        };
        let (records, bytes) = match stream.name {
            name if name == MESSAGES.name => of(sum.taken.roots, sum.error_of_roots / sum.taken.roots.records.max(1.0)),
            name if name == MESSAGE_REPLIES.name => of(sum.taken.replies, sum.error / sum.taken.requests().max(1.0)),
            name if name == TEAMS.name => self.of_lists(&TEAMS, self.discovery.teams.done, self.discovery.teams.all, true),
            name if name == CHANNELS.name => self.of_lists(&CHANNELS, self.discovery.lists.done, self.discovery.lists.all, false),
            _ => self.of_lists(&MEMBERS, self.discovery.members.done, self.discovery.members.all, false),
        };
        StreamPlan { name: stream.name, mode: mode(stream, selected.mode), records, bytes }
    }

    /// Records of lists (or of single teams), some of which were asked for.
    fn of_lists(&self, stream: &Stream, done: usize, all: usize, is_one_each: bool) -> (About, About) {
        let (count, bytes) = (self.silent.count(stream) as f64, self.silent.bytes(stream) as f64);
        let factor = all as f64 / done.max(1) as f64;
        let about = |number: f64, factor: f64| {
            let error = if done == all { 0.0 } else { number * factor / (done.max(1) as f64).sqrt() / 2.0 };
            About::new(number * factor, error, number)
        };
        let records =
            if is_one_each { About::exactly((all - self.discovery.without_team.len().min(all)) as u64) } else { about(count, factor) };
        (records, about(bytes, factor))
    }

    fn longest(&self, rates: &Rates) -> Vec<ChannelPlan> {
        let plan = |asked: &Asked| ChannelPlan {
            team: asked.job.team.clone(),
            team_name: self.name(&asked.job.team),
            channel: asked.job.channel.clone(),
            channel_name: self.name(&asked.job.channel),
            messages: whole(asked.taken.roots.records),
            replies: whole(asked.taken.replies.records),
            requests: About::new(asked.taken.requests(), asked.taken.error(), asked.pages() as f64),
            seconds: whole(rates.seconds_in_a_row(&CHANNEL, asked.taken.requests())),
            pages: asked.pages() as u64,
        };
        self.channels.longest().into_iter().map(plan).collect()
    }

    fn name(&self, id: &str) -> Option<String> {
        self.names.get(id).cloned()
    }

    fn looked_at(&self) -> LookedAt {
        let Discovery { lists, listed_without_team, .. } = &self.discovery;
        LookedAt {
            requests: self.client.counts().sent() + 1,
            teams: Share { of_them: (lists.done - listed_without_team) as u64, all: (lists.all - listed_without_team) as u64 },
            channels: Share { of_them: self.channels.looked_at() as u64, all: whole(self.channels.places) },
            further_pages: self.channels.further,
        }
    }

    fn assumes(&self, sum: &Sum) -> Vec<&'static str> {
        let is_extrapolated = sum.factor > 1.0 || self.channels.asked.iter().any(Asked::goes_on);
        let Discovery { members, teams, lists, .. } = &self.discovery;
        let few_members = members.done < members.all;
        let few_teams = teams.done < teams.all && lists.done < teams.all;
        [(true, QUIET), (is_extrapolated, ALIKE), (few_members, MEMBERS_ALIKE), (few_teams, HAVE_TEAMS)]
            .into_iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, said)| said)
            .collect()
    }
}

impl Asked {
    /// Whether not all of it was seen that a run reads.
    fn goes_on(&self) -> bool {
        self.look.as_ref().is_some_and(Look::goes_on)
    }

    /// Pages that were looked at.
    fn pages(&self) -> usize {
        self.look.as_ref().map_or(0, Look::pages)
    }
}

fn most(of: impl Iterator<Item = (f64, usize)>) -> (f64, usize) {
    of.fold((0.0, 0), |most, one| if one.0 > most.0 || one.0 == most.0 && one.1 < most.1 { one } else { most })
}

fn whole(number: f64) -> u64 {
    number.max(0.0).round() as u64
}
