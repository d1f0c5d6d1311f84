//! Teams and channels that earlier runs have read and that Graph no longer lists. Lists can be incomplete: each is asked for. What exists is
//! read as if it were listed, what is gone is left out of the states.

use tracing::{debug, info};

use super::{
    context::Context,
    job::{Damage, Report, Stop},
    parents::{channel_jobs, team_jobs},
    place::{Facts, Place},
    teams,
};
use crate::{
    config::Parents,
    emit,
    error::Error,
    level,
    record::Derived,
    streams::{self, CHANNELS, LISTS_CHANNELS, ParentKind, Stream, StreamSet, TEAMS},
};

/// Asks for a team that the list of all teams does not have. `is_awaited`: that a list leaves it out shows that the list is not complete.
pub(crate) async fn team(context: &Context, feeds: StreamSet, team: &str, is_awaited: bool) -> Result<Report, Stop> {
    let Some(mut look) = context.looks.take().await else { return Ok(Report::default()) };
    let below = feeds.filter(|stream| stream.name != TEAMS.name);
    let jobs = || team_jobs(context, team, below, true);
    match context.client.object(&streams::team(team)).await {
        Ok(page) => {
            look.has_found = true;
            debug!("team {team} is not listed and exists: it is read");
            let unlisted = is_awaited.then(|| team.to_owned());
            let report = match context.selected(&TEAMS).filter(|_| feeds.contains(&TEAMS)) {
                Some(selected) => teams::write_team(context, selected, team, &[], page).await?,
                None => Report::default(),
            };
            Ok(Report { jobs: jobs(), unlisted, ..report })
        }
        Err(error) if error.is_missing() => {
            forget_team(context, below, team)?;
            Ok(Report::default())
        }
        // Whoever may not read teams can list their channels, which tells as much.
        Err(error) if error.is_forbidden() => {
            let error = Error::graph(format!("read team {team}"), error, &TEAMS.permissions[1..]);
            let refused = if feeds.contains(&TEAMS) { vec![(feeds.without(below), error)] } else { Vec::new() };
            Ok(Report { jobs: jobs(), refused, ..Report::default() })
        }
        Err(source) => Err(Error::graph(format!("read team {team}"), source, &TEAMS.permissions[1..]).into()),
    }
}

/// Asks for a channel that the list of its team does not have.
pub(crate) async fn channel(context: &Context, feeds: StreamSet, team: &str, channel: &str) -> Result<Report, Stop> {
    let Some(mut look) = context.looks.take().await else { return Ok(Report::default()) };
    let task = || format!("read channel {channel} of team {team}");
    match context.client.object(&streams::channel(team, channel)).await {
        Ok(page) => {
            look.has_found = true;
            debug!("channel {channel} of team {team} is not listed and exists: it is read");
            context.note(page.cleaned());
            let (mut damage, mut facts) = (Damage::default(), Facts::default());
            let selected = context.selected(&CHANNELS).filter(|_| feeds.contains(&CHANNELS));
            let mut records = context.output.batch(&CHANNELS);
            for item in page.items() {
                context.names.note(item);
                facts = Facts::of(item);
                if let Some(selected) = selected {
                    let derived = [("team_id", Derived::Text(team))];
                    damage.push(context, &mut records, item, |out| selected.columns.write(item.fields(), &derived, out));
                }
            }
            context.output.records(records).await?;
            let below = feeds.filter(|stream| stream.name != CHANNELS.name);
            let jobs = channel_jobs(context, Place { facts, ..Place::named(team, channel) }, below, false);
            Ok(Report { jobs, damage: damage.into_error(context, task), ..Report::default() })
        }
        // Words of an outage are what Graph has for ids that do not exist, too: the list of the team says the same.
        Err(error) if error.is_missing() || error.is_missing_in_an_outage() => {
            info!("channel {channel} of team {team} is gone");
            let of_all_channels = feeds.filter(|stream| context.config(stream).channels == Parents::All);
            forget(context, of_all_channels, &[team, channel])?;
            Ok(Report::default())
        }
        Err(source) => Err(Error::graph(task(), source, &[&LISTS_CHANNELS]).into()),
    }
}

/// A team is gone, and its channels with it.
pub(crate) fn forget_team(context: &Context, feeds: StreamSet, team: &str) -> Result<(), Stop> {
    let reads_all = |stream: &Stream| {
        let config = context.config(stream);
        config.teams == Parents::All && config.channels == Parents::All
    };
    let streams = feeds.filter(|stream| stream.parents >= ParentKind::Channel && reads_all(stream));
    if streams.is_empty() || context.known_channels(team).next().is_none() {
        return Ok(());
    }
    info!("team {team} is gone, and its channels with it");
    forget(context, streams, &[team])
}

/// Leaves the partition with these ids out of the states, and all below it.
fn forget(context: &Context, streams: StreamSet, ids: &[&str]) -> Result<(), Stop> {
    for stream in streams.filter(|stream| stream.parents >= ParentKind::Channel).iter() {
        context.output.report(emit::Report { stream, key: level::key(ids), channel: None, pages: 1, offered: false })?;
    }
    Ok(())
}
