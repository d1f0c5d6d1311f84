//! Reading one list of a team, whatever stream it is for; the list of channels also leads to what is below them.

use std::collections::BTreeMap;

use super::{
    awaited,
    context::Context,
    job::{Damage, List, Report, Stop},
    known,
    parents::channel_jobs,
    place::{Facts, Place},
};
use crate::{
    error::Error,
    graph::Pages,
    record::Derived,
    streams::{CHANNELS, Source, Stream, StreamSet},
};

impl List {
    pub(crate) async fn read(self, context: &Context, feeds: StreamSet) -> Result<Report, Stop> {
        let Source::ListOfTeam { never_empty, .. } = self.stream.source else { return Ok(Report::default()) };
        let items = match self.items(context, feeds).await {
            // An empty list that cannot be is asked for once more.
            Ok((_, true)) if never_empty => self.items(context, feeds).await,
            items => items,
        };
        match items {
            Ok((report, _)) if report.failed.is_some() => Ok(report),
            Ok((_, true)) if never_empty => Err(Error::NoChannels { team: self.team }.into()),
            Ok((report, _)) => Ok(report),
            Err(Stop::Failed(Error::Graph { source, .. })) if source.is_missing() && context.team_exists(&self.team, &source).await => {
                let error = Error::ListOfTeam { stream: self.stream.name, team: self.team, source };
                Ok(Report { failed: Some(error), ..Report::default() })
            }
            Err(Stop::Failed(error)) if self.found && error.is_missing() => {
                known::forget_team(context, feeds, &self.team)?;
                Ok(Report { without_team: Some(self.team), ..Report::default() })
            }
            // Channels that are named can be read without the permission to list channels.
            Err(Stop::Failed(error @ Error::Graph { .. })) if error.is_forbidden() && !self.named.is_empty() => {
                let by_name = self.named.values().fold(StreamSet::default(), |all, &streams| all.union(streams));
                let jobs = self
                    .named
                    .iter()
                    .flat_map(|(channel, &streams)| channel_jobs(context, Place::named(&self.team, channel), streams, true));
                Ok(Report { jobs: jobs.collect(), refused: vec![(feeds.without(by_name), error)], ..Report::default() })
            }
            Err(stop) => Err(stop),
        }
    }

    /// Reads the items. Gives whether there is none, too. Where a later page cannot be had, what the pages before it had is read on.
    async fn items(&self, context: &Context, feeds: StreamSet) -> Result<(Report, bool), Stop> {
        let Source::ListOfTeam { request, .. } = self.stream.source else { return Ok((Report::default(), true)) };
        let task = || format!("list the {} of team {}", self.stream.name, self.team);
        let selected = context.selected(self.stream).filter(|_| feeds.contains(self.stream));
        let mut pages = Pages::new(request(&self.team, self.top));
        let mut named = self.named.clone();
        let mut awaited =
            if self.is_of(&CHANNELS) { awaited::channels(context, &self.team, feeds, self.of_all_channels) } else { BTreeMap::new() };
        let mut report = Report::read(feeds.filter(|stream| stream.name == self.stream.name), None);
        let (mut is_empty, mut damage) = (true, Damage::default());
        let failed = |source| Error::graph(task(), source, self.stream.permissions);
        loop {
            let page = match pages.next_or_anew(&context.client).await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(source) => {
                    let is_part_read = source.is_later_page;
                    let error = failed(source);
                    if !is_part_read || error.is_fatal() {
                        return Err(error.into());
                    }
                    (report.read, report.failed) = (StreamSet::default(), Some(error));
                    break;
                }
            };
            context.note(page.cleaned());
            let mut records = context.output.batch(self.stream);
            for item in page.items() {
                is_empty = false;
                let Some(id) = item.id().filter(|_| !item.is_damaged()) else {
                    damage.items += u64::from(context.marks.is_new(feeds, item));
                    continue;
                };
                if !pages.is_first(&id) {
                    continue;
                }
                if self.stream.name == CHANNELS.name {
                    context.names.note(item);
                }
                let is_excluded = |stream: &&Stream| context.config(stream).excludes(&id);
                if let Some(selected) = selected.filter(|selected| !is_excluded(&selected.stream)) {
                    let derived = [("team_id", Derived::Text(&self.team))];
                    damage.push(context, &mut records, item, |out| selected.columns.write(item.fields(), &derived, out));
                }
                awaited.remove(&*id);
                let by_name = named.remove(&*id).unwrap_or_default();
                if !by_name.is_empty() {
                    report.found.push(id.to_string());
                }
                let place = Place { facts: Facts::of(item), ..Place::named(&self.team, &id) };
                report.jobs.extend(channel_jobs(context, place, self.of_all_channels.union(by_name), false));
            }
            let held = page.into_held();
            context.output.records(records).await?;
            drop(held);
        }
        // A channel that is named with its team and is not listed there may be one that another team shares.
        for (channel, streams) in named {
            let streams = streams.filter(|stream| context.has_one_team(stream));
            report.jobs.extend(channel_jobs(context, Place::named(&self.team, &channel), streams, false));
        }
        // An empty list is not believed, and of a list that broke off it is not known what its other pages have.
        if !is_empty && report.failed.is_none() {
            report.jobs.extend(awaited::jobs_of_channels(&self.team, awaited));
        }
        report.damage = damage.into_error(context, task);
        Ok((report, is_empty))
    }
}
