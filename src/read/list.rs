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
    emit::Records,
    error::Error,
    graph::{Item, Page, Pages},
    record::Derived,
    streams::{CHANNELS, Selected, Source, Stream, StreamSet},
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

    fn task(&self) -> String {
        format!("list the {} of team {}", self.stream.name, self.team)
    }

    /// Reads the items. Gives whether there is none, too. Where a later page cannot be had, what the pages before it had is read on.
    async fn items(&self, context: &Context, feeds: StreamSet) -> Result<(Report, bool), Stop> {
        let Source::ListOfTeam { request, .. } = self.stream.source else { return Ok((Report::default(), true)) };
        let mut pages = Pages::new(request(&self.team, self.top));
        let mut items = Items::new(self, context, feeds);
        loop {
            match pages.next_or_anew(&context.client).await {
                Ok(Some(page)) => items.page(&mut pages, page).await?,
                Ok(None) => break,
                Err(source) => {
                    let is_part_read = source.is_later_page;
                    let error = Error::graph(self.task(), source, self.stream.permissions);
                    if !is_part_read || error.is_fatal() {
                        return Err(error.into());
                    }
                    (items.report.read, items.report.failed) = (StreamSet::default(), Some(error));
                    break;
                }
            }
        }
        Ok(items.end())
    }
}

/// The items of a list while its pages are read.
struct Items<'l> {
    list: &'l List,
    context: &'l Context,
    feeds: StreamSet,
    selected: Option<&'l Selected>,
    /// The channels that are named and that no page had.
    named: BTreeMap<String, StreamSet>,
    /// The channels that the list should have and that no page had.
    awaited: BTreeMap<String, StreamSet>,
    report: Report,
    damage: Damage,
    is_empty: bool,
}

impl<'l> Items<'l> {
    fn new(list: &'l List, context: &'l Context, feeds: StreamSet) -> Self {
        let is_of_channels = list.is_of(&CHANNELS);
        Self {
            list,
            context,
            feeds,
            selected: context.selected(list.stream).filter(|_| feeds.contains(list.stream)),
            named: list.named.clone(),
            awaited: if is_of_channels { awaited::channels(context, &list.team, feeds, list.of_all_channels) } else { BTreeMap::new() },
            report: Report::read(feeds.filter(|stream| stream.name == list.stream.name), None),
            damage: Damage::default(),
            is_empty: true,
        }
    }

    async fn page(&mut self, pages: &mut Pages, page: Page) -> Result<(), Stop> {
        self.context.note(page.cleaned());
        let mut records = self.context.output.batch(self.list.stream);
        for item in page.items() {
            self.is_empty = false;
            match item.id().filter(|_| !item.is_damaged()) {
                Some(id) if pages.is_first(&id) => self.item(&mut records, item, &id),
                Some(_) => {}
                None => self.damage.items += u64::from(self.context.marks.is_new(self.feeds, item)),
            }
        }
        let held = page.into_held();
        self.context.output.records(records).await?;
        drop(held);
        Ok(())
    }

    /// Adds the record of an item; a channel also leads to what is read of it.
    fn item(&mut self, records: &mut Records, item: Item<'_>, id: &str) {
        let Self { list, context, .. } = self;
        let is_excluded = |stream: &Stream| context.config(stream).excludes(id);
        if let Some(selected) = self.selected.filter(|selected| !is_excluded(selected.stream)) {
            let derived = [("team_id", Derived::Text(&list.team))];
            self.damage.push(context, records, item, |out| selected.columns.write(item.fields(), &derived, out));
        }
        if !list.is_of(&CHANNELS) {
            return;
        }
        context.names.note(item);
        self.awaited.remove(id);
        let by_name = self.named.remove(id).unwrap_or_default();
        if !by_name.is_empty() {
            self.report.found.push(id.to_owned());
        }
        let place = Place { facts: Facts::of(item), ..Place::named(&list.team, id) };
        self.report.jobs.extend(channel_jobs(context, place, list.of_all_channels.union(by_name), false));
    }

    /// There are no more pages. Gives whether there was no item, too.
    fn end(mut self) -> (Report, bool) {
        let (team, context) = (&self.list.team, self.context);
        // A channel that is named with its team and is not listed there may be one that another team shares.
        for (channel, streams) in self.named {
            let streams = streams.filter(|stream| context.has_one_team(stream));
            self.report.jobs.extend(channel_jobs(context, Place::named(team, &channel), streams, false));
        }
        // An empty list is not believed, and of a list that broke off it is not known what its other pages have.
        if !self.is_empty && self.report.failed.is_none() {
            self.report.jobs.extend(awaited::jobs_of_channels(team, self.awaited));
        }
        self.report.damage = self.damage.into_error(context, || self.list.task());
        (self.report, self.is_empty)
    }
}
