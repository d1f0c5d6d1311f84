//! Teams and channels that earlier runs have read and that Graph no longer lists. Lists can be incomplete: each is asked for. What exists is
//! read as if it were listed, what is gone is left out of the states.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tokio::sync::Notify;
use tracing::{debug, info};

use super::{
    context::Context,
    groups,
    job::{Damage, Job, Report, Stop, Work},
    parents::{channel_jobs, team_jobs},
    place::{Facts, Place},
};
use crate::{
    config::Parents,
    emit,
    error::Error,
    record::Derived,
    state,
    streams::{self, CHANNELS, LISTS_CHANNELS, ParentKind, Stream, StreamSet, TEAMS},
};

/// A run makes so many requests that find nothing, ...
const FRUITLESS: usize = 100;

/// ... and so many more for each that finds something.
const FOR_EACH_FOUND: usize = 10;

/// How many requests may still be made for what is not listed.
#[derive(Debug)]
pub(super) struct Looks {
    budget: Mutex<Budget>,
    changed: Notify,
}

#[derive(Debug)]
struct Budget {
    left: usize,
    under_way: usize,
    /// What was not asked for, since nothing was left.
    passed_over: usize,
}

/// One such request; it counts as fruitless unless it finds something.
#[derive(Debug)]
struct Look<'l> {
    looks: &'l Looks,
    has_found: bool,
}

impl Default for Looks {
    fn default() -> Self {
        Self { budget: Mutex::new(Budget { left: FRUITLESS, under_way: 0, passed_over: 0 }), changed: Notify::new() }
    }
}

impl Looks {
    /// Waits until a request may be made; [`None`] if too many have found nothing.
    async fn take(&self) -> Option<Look<'_>> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
                if budget.left > 0 {
                    budget.left -= 1;
                    budget.under_way += 1;
                    return Some(Look { looks: self, has_found: false });
                }
                if budget.under_way == 0 {
                    budget.passed_over += 1;
                    return None;
                }
            }
            // Those that are under way may find something.
            changed.await;
        }
    }

    /// How much was not asked for.
    pub(super) fn passed_over(&self) -> usize {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).passed_over
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        let mut budget = self.looks.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.under_way -= 1;
        if self.has_found {
            budget.left += 1 + FOR_EACH_FOUND;
        }
        drop(budget);
        self.looks.changed.notify_waiters();
    }
}

/// The teams that a list of all teams should have, each with the streams that it is listed for: those that earlier runs have read, and for
/// `teams` also those that are named.
pub(super) fn teams(context: &Context, of_all_teams: StreamSet) -> BTreeMap<String, StreamSet> {
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
pub(super) fn channels(context: &Context, team: &str, feeds: StreamSet, of_all_channels: StreamSet) -> BTreeMap<String, StreamSet> {
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

/// Asks for a team that the list of all teams does not have. `is_awaited`: that a list leaves it out shows that the list is not complete.
pub(super) async fn team(context: &Context, feeds: StreamSet, team: &str, is_awaited: bool) -> Result<Report, Stop> {
    let Some(mut look) = context.looks.take().await else { return Ok(Report::default()) };
    let below = feeds.filter(|stream| stream.name != TEAMS.name);
    let jobs = || team_jobs(context, team, below, true);
    match context.client.object(&streams::team(team)).await {
        Ok(page) => {
            look.has_found = true;
            debug!("team {team} is not listed and exists: it is read");
            let unlisted = is_awaited.then(|| team.to_owned());
            let report = match context.selected(&TEAMS).filter(|_| feeds.contains(&TEAMS)) {
                Some(selected) => groups::write_team(context, selected, team, &[], page).await?,
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
pub(super) async fn channel(context: &Context, feeds: StreamSet, team: &str, channel: &str) -> Result<Report, Stop> {
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

/// What leads to teams and channels that are not listed: `awaited` are those that no page had.
pub(super) fn jobs_of_teams(context: &Context, awaited: BTreeMap<String, StreamSet>, is_empty: bool) -> Vec<Job> {
    let job = |(team, feeds): (String, StreamSet)| {
        let is_awaited = is_empty || context.known_channels(&team).next().is_some();
        Job::new(feeds, Work::UnlistedTeam { team, is_awaited })
    };
    awaited.into_iter().map(job).collect()
}

/// The same for the channels of a team.
pub(super) fn jobs_of_channels(team: &str, awaited: BTreeMap<String, StreamSet>) -> Vec<Job> {
    let job = |(channel, feeds)| Job::new(feeds, Work::UnlistedChannel { team: team.to_owned(), channel });
    awaited.into_iter().map(job).collect()
}

/// A team is gone, and its channels with it.
pub(super) fn forget_team(context: &Context, feeds: StreamSet, team: &str) -> Result<(), Stop> {
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
        context.output.report(emit::Report { stream, key: state::key(ids), channel: None, pages: 1, offered: false })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;

    /// Looks for so many things at once, of which those with these numbers exist. Gives how many were asked for.
    async fn looked_for(all: usize, exists: impl Fn(usize) -> bool + Copy + Send + 'static) -> usize {
        let looks = Arc::new(Looks::default());
        let tasks: Vec<_> = (0..all)
            .map(|number| {
                let looks = looks.clone();
                tokio::spawn(async move {
                    let Some(mut look) = looks.take().await else { return 0 };
                    tokio::time::sleep(Duration::from_millis(number as u64 % 7)).await;
                    look.has_found = exists(number);
                    1
                })
            })
            .collect();
        let mut asked = 0;
        for task in tasks {
            asked += task.await.unwrap();
        }
        assert_eq!(asked + looks.passed_over(), all);
        asked
    }

    #[tokio::test(start_paused = true)]
    async fn what_exists_is_always_asked_for_and_of_what_is_gone_a_hundred() {
        assert_eq!(looked_for(3000, |_| false).await, FRUITLESS);
        assert_eq!(looked_for(3000, |_| true).await, 3000);
        // One in ten, in whatever order.
        assert_eq!(looked_for(3000, |number| number % 10 == 9).await, 3000);
        assert_eq!(looked_for(50, |_| false).await, 50);
    }
}
