//! What a plan says, ready to be serialised.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{jobs::Jobs, load::paced};
use crate::{
    graph::{Budget, GraphClient},
    level::{Level, Partition},
    streams::{Mode, Selected},
};

/// What a run with a configuration and a state takes at least. Nothing is known that the channels were not asked for: `looked_at` says how much
/// was.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Parents that are read, by the names of their levels: teams, channels.
    #[serde(flatten)]
    pub parents: BTreeMap<&'static str, u64>,
    /// Groups that are listed as teams and have none, as far as they were looked at.
    pub groups_without_team: u64,
    /// The selected streams.
    pub streams: Vec<StreamPlan>,
    /// Requests that the run needs.
    pub requests: Requests,
    /// How long it takes.
    pub seconds: f64,
    /// What decides how long.
    pub decided_by: DecidedBy,
    /// The channels that were looked at, those with most requests first.
    pub longest: Vec<Longest>,
    /// What is refused or missing: the run would say so, and read the rest.
    pub refused: Vec<String>,
    /// What would make the run fail or end incomplete.
    pub failed: Vec<String>,
    /// How much the plan rests on.
    pub looked_at: LookedAt,
}

/// A stream that is selected.
#[derive(Clone, Debug, Serialize)]
pub struct StreamPlan {
    /// Its name.
    pub name: &'static str,
    /// full_refresh or incremental.
    pub mode: &'static str,
}

/// Requests that the run needs.
#[derive(Clone, Debug, Serialize)]
pub struct Requests {
    /// All of them.
    pub total: u64,
    /// By what Graph counts them against, and one for a token.
    #[serde(flatten)]
    pub by_kind: BTreeMap<&'static str, u64>,
}

/// What decides how long the run takes: a limit of Graph or of the configuration, or the answers' time.
#[derive(Clone, Debug, Serialize)]
pub struct DecidedBy {
    /// `one_channel`, `one_team`, what Graph counts together (such as `messages`), or `all` (`requests_per_second`, or the requests in flight).
    pub limit: String,
    /// The parent, if it is one that decides.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// Those that count against the limit.
    pub requests: u64,
}

/// A parent, with those above it: the id and the name of each, by its level, such as `channel` and `channel_name`.
pub type Place = BTreeMap<String, Option<String>>;

/// A channel that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Longest {
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// Requests that the run needs for it.
    pub requests: u64,
    /// What they take at least.
    pub seconds: u64,
}

/// What the plan was made from.
#[derive(Clone, Debug, Serialize)]
pub struct LookedAt {
    /// Requests that the plan itself took, one for a token included.
    pub requests: u64,
    /// Parents of which something was asked, by the names of their levels.
    #[serde(flatten)]
    pub parents: BTreeMap<&'static str, Share>,
}

/// Some of all.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Share {
    /// So many.
    pub of_them: u64,
    /// Of so many.
    pub all: u64,
}

impl Plan {
    /// From what was looked at; what a run would leave out or fail for comes on top.
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
            place: place(of, names),
            requests: whole(*requests),
            seconds: whole(paced(of).map_or(0.0, |level| rates.seconds_in_sequence(level, *requests))),
        });
        let parents: Vec<_> = load.parents().map(|(level, all, of_them)| (level.plural, Share { of_them, all: whole(all) })).collect();
        Self {
            parents: parents.iter().map(|(level, share)| (*level, share.all)).collect(),
            groups_without_team: jobs.without_team.len() as u64,
            streams: selected.iter().map(|one| StreamPlan { name: one.stream.name, mode: mode(one) }).collect(),
            requests: Requests { total: by_kind.values().sum(), by_kind },
            seconds: (time.seconds * 10.0).round() / 10.0,
            decided_by: DecidedBy { limit, place: time.of.map(|of| place(&of, names)), requests: whole(time.requests) },
            longest: longest.collect(),
            refused: Vec::new(),
            failed: Vec::new(),
            looked_at: LookedAt { requests: client.counts().sent() + 1, parents: parents.into_iter().collect() },
        }
    }
}

/// A stream without a cursor is read in full whatever is asked.
fn mode(Selected { stream, mode, .. }: &Selected) -> &'static str {
    if (stream.mode(), *mode) == (Mode::Incremental, Mode::Incremental) { "incremental" } else { "full_refresh" }
}

fn place(of: &Partition, names: &HashMap<String, String>) -> Place {
    let fields = |(level, id): (&Level, &str)| [(level.name.to_owned(), Some(id.to_owned())), (name_of(level), names.get(id).cloned())];
    of.levels().flat_map(fields).collect()
}

/// The key of a name.
pub fn name_of(level: &Level) -> String {
    format!("{}_name", level.name)
}

fn whole(number: f64) -> u64 {
    number.round() as u64
}
