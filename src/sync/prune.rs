//! Channels that are gone: known of earlier runs, no longer listed. Their state would be kept for ever.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::Utc;
use tracing::{debug, info};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{
    context::Context,
    job::{Job, Report, Stop, Work},
};
use crate::{
    config::Parents,
    emit, state,
    streams::{self, StreamSet},
};

/// So many requests a run makes for what is no longer listed, at most; what is left waits for later runs.
pub(super) const MOST: usize = 100;

/// So many channels of one team a run asks for.
const MOST_OF_TEAM: usize = 50;

/// The teams and channels that a run has found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The teams, each with whether its channels were listed to the end.
    teams: HashMap<String, bool>,
    /// The keys of the channels.
    channels: HashSet<String>,
}

impl Found {
    /// Takes note of what is to be read.
    pub(super) fn note(&mut self, work: &Work) {
        match work {
            Work::Channel { team, channel, .. } | Work::Thread { team, channel, .. } => {
                self.channels.insert(state::key(&[team, channel]));
            }
            Work::List(list) => _ = self.teams.entry(list.team().to_owned()).or_default(),
            _ => {}
        }
    }

    pub(super) fn note_listed(&mut self, team: &str) {
        self.teams.insert(team.to_owned(), true);
    }

    /// What is missed of a team whose channel should have been found if it were still there: a list that was refused tells nothing.
    fn misses(&self, team: &str, channel: &str) -> Option<Sought> {
        let sought = match self.teams.get(team) {
            None => Sought::Team,
            Some(true) => Sought::Channels,
            Some(false) => return None,
        };
        (!self.channels.contains(&state::key(&[team, channel]))).then_some(sought)
    }
}

/// What is asked for, of a team some channels of which are no longer listed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sought {
    /// The team, which is not listed either: if it is gone, so are its channels.
    Team,
    Channels,
}

/// Channels of a team that earlier runs have read and that are no longer listed.
#[derive(Debug)]
pub(super) struct Missed {
    team: String,
    sought: Sought,
    /// Some of them, in the order in which they are asked for.
    channels: BTreeSet<(u64, String)>,
}

impl Missed {
    pub(super) fn team(&self) -> &str {
        &self.team
    }

    /// How many requests it takes, about.
    pub(super) fn requests(&self) -> usize {
        if self.sought == Sought::Team { 1 } else { self.channels.len() }
    }
}

/// What is to be looked at for streams that have been read, where their channels are found and not named: as much as one run looks at, and
/// other channels in each run.
pub(super) fn jobs(context: &Context, streams: StreamSet, found: &Found) -> Vec<Job> {
    let seed = Utc::now().timestamp().unsigned_abs();
    let (mut teams, mut all) = (BTreeMap::<(u64, String), (StreamSet, Missed)>::new(), 0);
    for stream in streams.iter() {
        let config = context.config(stream);
        if config.teams != Parents::All || config.channels != Parents::All {
            continue;
        }
        for (team, channel) in context.keys(stream).filter_map(|key| channel_of(&key)) {
            let Some(sought) = found.misses(&team, &channel) else { continue };
            if config.excludes(&team) || config.excludes(&channel) {
                continue;
            }
            all += 1;
            let [at, of_channel] = [&team, &channel].map(|id| xxh3_64_with_seed(id.as_bytes(), seed));
            let missed = || (StreamSet::default(), Missed { team: team.clone(), sought, channels: BTreeSet::new() });
            let (feeds, missed) = teams.entry((at, team.clone())).or_insert_with(missed);
            *feeds = feeds.with(stream);
            missed.channels.insert((of_channel, channel));
            // What a run does not look at takes no memory either.
            if missed.channels.len() > MOST_OF_TEAM {
                missed.channels.pop_last();
            }
            if teams.len() > MOST {
                teams.pop_last();
            }
        }
    }
    if all > MOST {
        info!("{all} channels of earlier runs are no longer listed: this run looks for some of them, later runs for the others");
    }
    teams.into_values().map(|(feeds, missed)| Job::new(feeds, Work::Prune(missed))).collect()
}

/// Asks for what is no longer listed; what is gone is left out of the states. A list can be refused, or be incomplete: only a 404 tells.
pub(super) async fn look(context: &Context, feeds: StreamSet, Missed { team, sought, channels }: &Missed) -> Result<Report, Stop> {
    if *sought == Sought::Team && context.may_look() {
        match context.client.object(&streams::team(team)).await {
            Err(error) if error.is_missing() => {
                info!("team {team} is gone, and its channels with it");
                return forget(context, feeds, &[team]);
            }
            Err(error) => debug!("team {team} is not listed, and its channels are asked for: {error}"),
            Ok(_) => {
                debug!("team {team} is not listed and exists: the state of its channels is kept");
                return Ok(Report::default());
            }
        }
    }
    for (_, channel) in channels.iter().take_while(|_| context.may_look()) {
        match context.client.object(&streams::channel(team, channel)).await {
            Err(error) if error.is_missing() => {
                info!("channel {channel} of team {team} is gone");
                forget(context, feeds, &[team, channel])?;
            }
            Err(error) => {
                debug!("channels of team {team} are not listed, and their state is kept: {error}");
                break;
            }
            Ok(_) => debug!("channel {channel} of team {team} is not listed and exists: its state is kept"),
        }
    }
    Ok(Report::default())
}

/// Leaves the partition with these ids out of the states, and all below it.
fn forget(context: &Context, feeds: StreamSet, ids: &[&String]) -> Result<Report, Stop> {
    for stream in feeds.iter() {
        context.output.report(emit::Report { stream, key: state::key(ids), channel: None, pages: 1, offered: false })?;
    }
    Ok(Report::default())
}

fn channel_of(key: &str) -> Option<(String, String)> {
    let mut ids = state::ids(key);
    Some((ids.next()?, ids.next()?))
}
