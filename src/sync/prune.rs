//! Channels that are gone: known of earlier runs, no longer listed. Their state would be kept for ever.

use std::collections::BTreeSet;

use tracing::{debug, info};

use super::{
    context::Context,
    job::{Job, Report, Stop, Work},
};
use crate::{
    config::Parents,
    state,
    streams::{self, Stream, StreamSet},
};

/// What is to be looked at for a stream that has been read, if its channels are found and not named: `listed` are those that were found.
pub(super) fn jobs(context: &Context, stream: &'static Stream, listed: &BTreeSet<String>) -> Vec<Job> {
    let config = context.config(stream);
    if config.teams != Parents::All || config.channels != Parents::All {
        return Vec::new();
    }
    let channels: BTreeSet<_> = context.keys(stream).filter_map(channel_of).collect();
    let unlisted = channels.into_iter().filter(|(team, channel)| !listed.contains(&state::key(&[team, channel])));
    unlisted.map(|(team, channel)| Job::new(StreamSet::default().with(stream), Work::Prune { team, channel })).collect()
}

/// Asks for a channel; if it is gone, so is its state. A list can be refused, or be incomplete: only a 404 tells.
pub(super) async fn channel(context: &Context, feeds: StreamSet, team: &str, channel: &str) -> Result<Report, Stop> {
    match context.client.object(&streams::channel(team, channel)).await {
        Err(error) if error.is_missing() => {
            info!("channel {channel} of team {team} is gone");
            for stream in feeds.iter() {
                let is_below = |key: &&str| channel_of(key).is_some_and(|ids| ids == (team.to_owned(), channel.to_owned()));
                for key in context.keys(stream).filter(is_below) {
                    context.output.report(stream, key.to_owned(), None, false)?;
                }
            }
        }
        Err(error) => debug!("channel {channel} of team {team} is not listed, and its state is kept: {error}"),
        Ok(_) => debug!("channel {channel} of team {team} is not listed and exists: its state is kept"),
    }
    Ok(Report::default())
}

fn channel_of(key: &str) -> Option<(String, String)> {
    let mut ids = state::ids(key);
    Some((ids.next()?, ids.next()?))
}
