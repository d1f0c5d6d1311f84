//! Which parents are read for which streams: what the configuration says, made into the first jobs and those that discovery adds.

use std::collections::BTreeMap;

use super::{
    awaited,
    context::Context,
    job::{Groups, Job, List, Work},
    place::Place,
};
use crate::{
    config::{Config, Parents, StreamConfig},
    error::Error,
    graph::Pages,
    streams::{CHANNELS, ParentKind, Source, Stream, StreamSet, group_ids, group_names, groups},
};

/// What must be configured for some of the streams and is not, said in one sentence for all of them.
pub fn unconfigured(config: &Config, streams: StreamSet) -> Option<(StreamSet, Error)> {
    let lacking = |stream: &'static Stream| config.stream(stream.name).map(|config| missing(stream, config)).unwrap_or_default();
    let concerned = streams.filter(|stream| !lacking(stream).is_empty());
    let sentences: Vec<_> = concerned.iter().map(|stream| format!("{} needs {}", stream.name, lacking(stream).join(" and "))).collect();
    let error = || Error::Parents(format!("the configuration does not say what to read: {}", sentences.join("; ")));
    (!concerned.is_empty()).then(|| (concerned, error()))
}

/// What a stream needs that is not configured.
pub(crate) fn missing(stream: &Stream, config: &StreamConfig) -> Vec<&'static str> {
    let needs = [
        (ParentKind::Team, &config.teams, "`team_id` or `fetch_all_teams`", "a team in `team_id` that is not in `exclude`"),
        (
            ParentKind::Channel,
            &config.channels,
            "`channel_id` or `fetch_all_channels`",
            "a channel in `channel_id` that is not in `exclude`",
        ),
        (ParentKind::Message, &config.messages, "`message_id` or `fetch_all_messages`", ""),
    ];
    let needs = needs.into_iter().filter(|(kind, ..)| stream.parents >= *kind);
    let lacking = needs.filter_map(|(_, parents, cure, cure_of_excluded)| match parents {
        Parents::Unknown => Some(cure),
        Parents::Ids(ids) if ids.is_empty() => Some(cure_of_excluded),
        Parents::Ids(_) | Parents::All => None,
    });
    lacking.collect()
}

/// The jobs that a run begins with.
pub(crate) fn first_jobs(context: &Context) -> Vec<Job> {
    let below_teams = context.streams().filter(|stream| stream.parents >= ParentKind::Team);
    let of_all_teams = below_teams.filter(|stream| context.config(stream).teams == Parents::All);
    let teams = context.streams().filter(|stream| matches!(stream.source, Source::Teams));
    let mut named = named(below_teams, |stream| &context.config(stream).teams);
    let mut jobs = Vec::new();
    let listed = teams.union(of_all_teams);
    if !listed.is_empty() {
        let top = listed.iter().filter_map(|stream| context.config(stream).top).min();
        let request = match (teams.is_empty(), context.names.are_kept()) {
            (false, _) => groups(top),
            (true, false) => group_ids(top),
            (true, true) => group_names(top),
        };
        // A team that is named for one stream and found for another is read once, for both.
        let named = if of_all_teams.is_empty() { BTreeMap::new() } else { std::mem::take(&mut named) };
        let feeds = named.values().fold(listed, |feeds, &streams| feeds.union(streams));
        let groups = Groups::new(Pages::new(request), of_all_teams, named, awaited::teams(context, of_all_teams));
        jobs.push(Job::new(feeds, Work::Groups(groups)));
    }
    jobs.extend(named.into_iter().flat_map(|(team, streams)| team_jobs(context, &team, streams, false)));
    jobs
}

/// The jobs below one team, for the streams that want it. `found`: it was not named, and its group need not have a team.
pub(crate) fn team_jobs(context: &Context, team: &str, streams: StreamSet, found: bool) -> Vec<Job> {
    let streams = context.not_excluding(team, streams);
    let below_channels = streams.filter(|stream| stream.parents >= ParentKind::Channel);
    let of_all_channels = below_channels.filter(|stream| context.config(stream).channels == Parents::All);
    let named = named(below_channels, |stream| &context.config(stream).channels);
    // A channel is in one team: where there are several, it is looked for in their lists.
    let looked_for =
        below_channels.filter(|stream| named.values().any(|streams| streams.contains(stream)) && !context.has_one_team(stream));
    let found_in_list = of_all_channels.union(looked_for);

    let mut jobs = Vec::new();
    for stream in streams.iter() {
        if matches!(stream.source, Source::ListOfTeam { .. }) && stream.name != CHANNELS.name {
            let list = List::new(stream, team, found, context.config(stream).top);
            jobs.push(Job::new(StreamSet::default().with(stream), Work::List(list)));
        }
    }
    let listed = streams.filter(|stream| stream.name == CHANNELS.name).union(found_in_list);
    if listed.is_empty() {
        jobs.extend(named.into_iter().flat_map(|(channel, streams)| channel_jobs(context, Place::named(team, &channel), streams, false)));
    } else {
        let feeds = named.values().fold(listed, |feeds, &streams| feeds.union(streams));
        let list = List::new(&CHANNELS, team, found, None).leading_to(of_all_channels, named);
        jobs.push(Job::new(feeds, Work::List(list)));
    }
    jobs
}

/// The jobs below one channel, for the streams that want it. `maybe_elsewhere`: the channel need not be in this team.
pub(crate) fn channel_jobs(context: &Context, place: Place<'_>, streams: StreamSet, maybe_elsewhere: bool) -> Vec<Job> {
    let Place { team, channel, facts } = place;
    let streams = context.not_excluding(channel, streams);
    let by_thread = |stream: &'static Stream| match (stream.source, &context.config(stream).messages) {
        (Source::Replies, Parents::Ids(messages)) => Some(messages),
        _ => None,
    };
    let walked = streams.filter(|stream| by_thread(stream).is_none());
    let mut jobs = Vec::new();
    if !walked.is_empty() {
        jobs.push(Job::new(walked, Work::Channel { team: team.to_owned(), channel: channel.to_owned(), facts, maybe_elsewhere }));
    }
    for stream in streams.iter() {
        let maybe_elsewhere = !context.has_one_channel(stream);
        jobs.extend(by_thread(stream).into_iter().flatten().map(|message| {
            let work = Work::Thread { team: team.to_owned(), channel: channel.to_owned(), message: message.clone(), maybe_elsewhere };
            Job::new(StreamSet::default().with(stream), work)
        }));
    }
    jobs
}

/// Ids that are looked for in several places, and must be found in one of them.
pub(crate) fn wanted(context: &Context, stream: &'static Stream) -> Vec<String> {
    let config = context.config(stream);
    let mut wanted = Vec::new();
    if stream.parents >= ParentKind::Channel
        && !context.has_one_team(stream)
        && let Parents::Ids(channels) = &config.channels
    {
        wanted.extend(channels.iter().cloned());
    }
    if stream.parents >= ParentKind::Message
        && !context.has_one_channel(stream)
        && let Parents::Ids(messages) = &config.messages
    {
        wanted.extend(messages.iter().cloned());
    }
    wanted
}

/// The parents that are named, each with the streams that it is named for.
fn named<'c>(streams: StreamSet, parents: impl Fn(&'static Stream) -> &'c Parents) -> BTreeMap<String, StreamSet> {
    let mut named: BTreeMap<String, StreamSet> = BTreeMap::new();
    for stream in streams.iter() {
        if let Parents::Ids(ids) = parents(stream) {
            for id in ids {
                let streams = named.entry(id.clone()).or_default();
                *streams = streams.with(stream);
            }
        }
    }
    named
}
