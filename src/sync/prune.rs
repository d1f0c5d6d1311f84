//! Channels that are gone: known of earlier runs, no longer listed. Their state would be kept for ever.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use tracing::{debug, info};

use super::{
    context::Context,
    job::{Job, Report, Stop, Work},
};
use crate::{
    config::Parents,
    emit, state,
    streams::{self, Stream, StreamSet},
};

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

    /// Whether the channel should have been found if it were still there: a list that was refused tells nothing.
    fn misses(&self, team: &str, channel: &str) -> bool {
        self.teams.get(team).is_none_or(|is_listed| *is_listed) && !self.channels.contains(&state::key(&[team, channel]))
    }
}

/// What is to be looked at for a stream that has been read, if its channels are found and not named.
pub(super) fn jobs(context: &Context, stream: &'static Stream, found: &Found) -> Vec<Job> {
    let config = context.config(stream);
    if config.teams != Parents::All || config.channels != Parents::All {
        return Vec::new();
    }
    let mut missed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (team, channel) in context.keys(stream).filter_map(|key| channel_of(&key)) {
        if found.misses(&team, &channel) && !config.excludes(&team) && !config.excludes(&channel) {
            missed.entry(team).or_default().insert(channel);
        }
    }
    let job = |(team, channels)| Job::new(StreamSet::default().with(stream), Work::Prune { team, channels });
    missed.into_iter().map(job).collect()
}

/// Asks for channels of a team; if one is gone, so is its state. A list can be refused, or be incomplete: only a 404 tells.
pub(super) async fn channels(context: &Context, feeds: StreamSet, team: &str, channels: &BTreeSet<String>) -> Result<Report, Stop> {
    for channel in channels {
        match context.client.object(&streams::channel(team, channel)).await {
            Err(error) if error.is_missing() => {
                info!("channel {channel} of team {team} is gone");
                for stream in feeds.iter() {
                    let is_below = |key: &String| channel_of(key).is_some_and(|ids| ids == (team.to_owned(), channel.clone()));
                    for key in context.keys(stream).filter(is_below) {
                        context.output.report(emit::Report { stream, key, channel: None, pages: 1, offered: false })?;
                    }
                }
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

fn channel_of(key: &str) -> Option<(String, String)> {
    let mut ids = state::ids(key);
    Some((ids.next()?, ids.next()?))
}
