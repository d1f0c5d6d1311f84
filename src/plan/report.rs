//! The result of a plan, ready to be serialised.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{jobs::Jobs, load::limited_level};
use crate::{
    graph::{Budget, GraphClient},
    level::{Level, Partition},
    streams::{Mode, Selected},
};

/// The minimum that a run with a configuration and a state needs. It is an estimate from a sample; `looked_at` is the size of the sample.
#[derive(Clone, Debug, Serialize)]
pub struct RunPlan {
    /// The number of parents that are read, by level: teams, channels.
    #[serde(flatten)]
    pub parents: BTreeMap<&'static str, u64>,
    /// The sampled groups that Graph lists as teams although they have none.
    pub groups_without_team: u64,
    pub streams: Vec<StreamPlan>,
    pub requests: Requests,
    pub seconds: f64,
    pub decided_by: DecidedBy,
    /// The sampled channels, those with most requests first.
    pub longest: Vec<Longest>,
    /// What is refused or missing: the run would warn and read the rest.
    pub refused: Vec<String>,
    /// What would make the run fail or end incomplete.
    pub failed: Vec<String>,
    pub looked_at: LookedAt,
}

/// A selected stream.
#[derive(Clone, Debug, Serialize)]
pub struct StreamPlan {
    pub name: &'static str,
    /// `full_refresh` or `incremental`.
    pub mode: &'static str,
}

/// The minimum number of requests.
#[derive(Clone, Debug, Serialize)]
pub struct Requests {
    pub total: u64,
    /// By the class that Graph counts them in, and one for a token.
    #[serde(flatten)]
    pub by_kind: BTreeMap<&'static str, u64>,
}

/// What decides how long the run takes: a limit of Graph or of the configuration, or the response times.
#[derive(Clone, Debug, Serialize)]
pub struct DecidedBy {
    /// `one_channel`, `one_team`, what Graph counts together (such as `messages`), or `all` (`requests_per_second`, or the requests in flight).
    pub limit: String,
    /// The parent, if the limit is per parent.
    #[serde(flatten)]
    pub location: Option<Location>,
    /// The requests that count against the limit.
    pub requests: u64,
}

/// A parent and the parents above it: the id and the name of each by level, such as `channel` and `channel_name`.
pub type Location = BTreeMap<String, Option<String>>;

/// A sampled channel.
#[derive(Clone, Debug, Serialize)]
pub struct Longest {
    #[serde(flatten)]
    pub location: Location,
    pub requests: u64,
    /// The minimum time that they take.
    pub seconds: u64,
}

/// The size of the sample.
#[derive(Clone, Debug, Serialize)]
pub struct LookedAt {
    /// The requests of the plan itself, including one for a token.
    pub requests: u64,
    /// The sampled parents, by level.
    #[serde(flatten)]
    pub parents: BTreeMap<&'static str, Share>,
}

/// A part of all.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Share {
    pub of_them: u64,
    pub all: u64,
}

impl RunPlan {
    /// From the sampled jobs. What a run would skip or fail for is added later.
    pub(super) fn new(client: &GraphClient, selected: &[Selected], jobs: &Jobs, names: &HashMap<String, String>) -> Self {
        let (load, rates) = (&jobs.load, client.rates());
        let by_class = load.classes.iter().map(|(name, (_, requests))| (*name, whole(*requests))).filter(|(_, requests)| *requests > 0);
        let by_kind: BTreeMap<_, _> = by_class.chain([("token", 1)]).collect();
        let time = load.time(&rates);
        let limit = match time.by {
            Budget::Class(class) => class.name.to_owned(),
            Budget::Parent(level) => format!("one_{}", level.name),
            Budget::All => "all".to_owned(),
        };
        let longest = load.walks.iter().map(|(of, requests)| Longest {
            location: location(of, names),
            requests: whole(*requests),
            seconds: whole(limited_level(of).map_or(0.0, |level| rates.seconds_in_sequence(level, *requests))),
        });
        let parents: Vec<_> = load.parents().map(|(level, all, of_them)| (level.plural, Share { of_them, all: whole(all) })).collect();
        Self {
            parents: parents.iter().map(|(level, share)| (*level, share.all)).collect(),
            groups_without_team: jobs.without_team.len() as u64,
            streams: selected.iter().map(|one| StreamPlan { name: one.stream.name, mode: mode(one) }).collect(),
            requests: Requests { total: by_kind.values().sum(), by_kind },
            seconds: (time.seconds * 10.0).round() / 10.0,
            decided_by: DecidedBy { limit, location: time.of.map(|of| location(&of, names)), requests: whole(time.requests) },
            longest: longest.collect(),
            refused: Vec::new(),
            failed: Vec::new(),
            looked_at: LookedAt { requests: client.counts().sent() + 1, parents: parents.into_iter().collect() },
        }
    }
}

/// The mode of a run: a stream without a cursor is always read in full.
fn mode(Selected { stream, mode, .. }: &Selected) -> &'static str {
    if (stream.mode(), *mode) == (Mode::Incremental, Mode::Incremental) { "incremental" } else { "full_refresh" }
}

fn location(of: &Partition, names: &HashMap<String, String>) -> Location {
    let fields = |(level, id): (&Level, &str)| [(level.name.to_owned(), Some(id.to_owned())), (name_key(level), names.get(id).cloned())];
    of.levels().flat_map(fields).collect()
}

/// The key of a parent's name, such as `channel_name`.
pub fn name_key(level: &Level) -> String {
    format!("{}_name", level.name)
}

fn whole(number: f64) -> u64 {
    number.round() as u64
}
