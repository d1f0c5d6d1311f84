//! Teams and channels that a list should have: those that earlier runs have read, and those that are named.

use std::collections::BTreeMap;

use super::{
    context::Context,
    job::{Job, Work},
};
use crate::{
    config::Parents,
    streams::{CHANNELS, ParentKind, Stream, StreamSet, TEAMS},
};

/// The teams that a list of all teams should have, each with the streams that it is listed for: those that earlier runs have read, and for
/// `teams` also those that are named.
pub(crate) fn teams(context: &Context, of_all_teams: StreamSet) -> BTreeMap<String, StreamSet> {
    let teams = context.streams().filter(|stream| stream.name == TEAMS.name);
    let below_teams = context.streams().filter(|stream| stream.parents >= ParentKind::Team);
    let named = below_teams.iter().flat_map(|stream| match &context.config(stream).teams {
        Parents::Ids(ids) => ids.as_slice(),
        Parents::All | Parents::Unknown => &[],
    });
    let named = named.map(|team| (team.clone(), teams));
    let known = context.known_teams().map(|team| (team, teams.union(of_all_teams)));
    let mut awaited: BTreeMap<String, StreamSet> = BTreeMap::new();
    for (team, streams) in named.chain(known) {
        let streams = context.not_excluding(&team, streams);
        if !streams.is_empty() {
            let entry = awaited.entry(team).or_default();
            *entry = entry.union(streams);
        }
    }
    awaited
}

/// The channels that the list of a team should have, each with the streams for which it is read if it exists: `feeds` are those of the list.
pub(crate) fn channels(context: &Context, team: &str, feeds: StreamSet, of_all_channels: StreamSet) -> BTreeMap<String, StreamSet> {
    let own = feeds.filter(|stream| stream.name == CHANNELS.name);
    let is_named =
        |stream: &Stream, channel: &String| matches!(&context.config(stream).channels, Parents::Ids(ids) if ids.contains(channel));
    let streams = |channel: String| {
        // A channel that is named with its only team is read whether it is listed or not.
        let by_name =
            feeds.filter(|stream| stream.parents >= ParentKind::Channel && !context.has_one_team(stream) && is_named(stream, &channel));
        let streams = context.not_excluding(&channel, own.union(of_all_channels).union(by_name));
        (!streams.is_empty()).then_some((channel, streams))
    };
    context.known_channels(team).filter_map(streams).collect()
}

/// What leads to teams and channels that are not listed: `awaited` are those that no page had.
pub(crate) fn jobs_of_teams(context: &Context, awaited: BTreeMap<String, StreamSet>, is_empty: bool) -> Vec<Job> {
    let job = |(team, feeds): (String, StreamSet)| {
        let is_awaited = is_empty || context.known_channels(&team).next().is_some();
        Job::new(feeds, Work::UnlistedTeam { team, is_awaited })
    };
    awaited.into_iter().map(job).collect()
}

/// The same for the channels of a team.
pub(crate) fn jobs_of_channels(team: &str, awaited: BTreeMap<String, StreamSet>) -> Vec<Job> {
    let job = |(channel, feeds)| Job::new(feeds, Work::UnlistedChannel { team: team.to_owned(), channel });
    awaited.into_iter().map(job).collect()
}
