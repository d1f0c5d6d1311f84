//! Reading one list of a parent, whatever stream it is for. The list of a stream that finds parents also leads to them.

use super::known;
use crate::{
    emit::Records,
    error::Error,
    graph::{Item, Page, Pages},
    level::TEAM,
    read::{
        context::Context,
        found::Origin,
        job::{Damage, Report, Stop, Work},
        place::{Facts, derived},
    },
    record::Derived,
    streams::{List, Selected, Stream, StreamSet},
};

/// Reads a list.
pub(crate) async fn read(context: &Context, feeds: StreamSet, work: Work, list: List) -> Result<Report, Stop> {
    let mut reading = Reading::new(context, feeds, work, list);
    let mut result = reading.items().await;
    if matches!(result, Ok(())) && reading.is_empty && list.never_empty && reading.report.failed.is_none() {
        // An empty list that cannot be is asked for once more.
        result = reading.items().await;
    }
    match result {
        Ok(()) if reading.report.failed.is_some() => Ok(reading.end()),
        Ok(()) if reading.is_empty && list.never_empty => Err(Error::NoChannels { team: reading.work.of.own_id().to_owned() }.into()),
        Ok(()) => Ok(reading.end()),
        Err(Stop::Failed(error)) => reading.refused(error).await,
        Err(stop) => Err(stop),
    }
}

/// A list while its pages are read.
struct Reading<'l> {
    context: &'l Context,
    feeds: StreamSet,
    work: Work,
    list: List,
    selected: Option<&'l Selected>,
    report: Report,
    damage: Damage,
    is_empty: bool,
}

impl<'l> Reading<'l> {
    fn new(context: &'l Context, feeds: StreamSet, work: Work, list: List) -> Self {
        let selected = context.selected(work.stream).filter(|_| feeds.contains(work.stream));
        let report = Report::read(feeds.filter(|stream| stream.name == work.stream.name), None);
        Self { context, feeds, work, list, selected, report, damage: Damage::default(), is_empty: true }
    }

    fn task(&self) -> String {
        format!("list the {} of {}", self.work.stream.plural(), self.work.of)
    }

    /// Reads the items. Where a later page cannot be had, what the pages before it had is kept.
    async fn items(&mut self) -> Result<(), Stop> {
        let stream = self.work.stream;
        let top = self.context.config(stream).top.unwrap_or(stream.page).min(stream.page);
        let mut pages = Pages::new((self.list.request)(&self.work.of, top));
        loop {
            match pages.next_or_anew(&self.context.client).await {
                Ok(Some(page)) => self.page(&mut pages, page).await?,
                Ok(None) => return Ok(()),
                Err(source) => {
                    let is_part_read = source.is_later_page;
                    let error = Error::graph(self.task(), source, stream.permissions);
                    if !is_part_read || error.is_fatal() {
                        return Err(error.into());
                    }
                    (self.report.read, self.report.failed) = (StreamSet::default(), Some(error));
                    return Ok(());
                }
            }
        }
    }

    async fn page(&mut self, pages: &mut Pages, page: Page) -> Result<(), Stop> {
        self.context.note(page.cleaned());
        let mut records = self.context.output.batch(self.work.stream);
        let of = self.work.of.clone();
        let derived = derived(&of);
        for item in page.items() {
            self.is_empty = false;
            match item.id().filter(|_| !item.is_damaged()) {
                Some(id) if pages.is_first(&id) => self.item(&mut records, item, &id, &derived),
                Some(_) => {}
                None => self.damage.items += u64::from(self.context.marks.is_new(self.feeds, item)),
            }
        }
        let held = page.into_held();
        self.context.output.records(records).await?;
        drop(held);
        Ok(())
    }

    /// Adds the record of an item. A parent is read next.
    fn item(&mut self, records: &mut Records, item: Item<'_>, id: &str, derived: &[(&str, Derived<'_>)]) {
        let context = self.context;
        let is_excluded = |stream: &Stream| stream.finds.is_some() && context.config(stream).excludes(id);
        if let Some(selected) = self.selected.filter(|selected| !is_excluded(selected.stream)) {
            self.damage.push(context, records, item, |out| selected.columns.write(item.fields(), derived, out));
        }
        if let Some(mut found) = self.work.wanted.meet(&self.work.of, id) {
            context.names.note(item);
            if found.origin == Origin::Named {
                self.report.here.push(id.to_owned());
            }
            found.said.facts = Facts::of(item);
            self.report.found.extend(Some(found).filter(|found| !found.streams.is_empty()));
        }
    }

    /// There are no more pages.
    fn end(mut self) -> Report {
        let Work { of, wanted, .. } = &mut self.work;
        // What is named with its parent and is not listed there may be shared by another one.
        self.report.found.extend(wanted.take_named(of));
        // An empty list is not believed, and of a list that broke off it is not known what its other pages have.
        if !self.is_empty && self.report.failed.is_none() {
            self.report.found.extend(wanted.take_known(of, |_| false));
        }
        let damage = std::mem::take(&mut self.damage).into_error(self.context, || self.task());
        Report { damage, ..self.report }
    }

    /// Graph does not give the list.
    async fn refused(mut self, error: Error) -> Result<Report, Stop> {
        let (context, of) = (self.context, self.work.of.clone());
        let error = match error {
            Error::Graph { source, .. }
                if source.is_missing() && of.level() == Some(&TEAM) && context.team_exists(of.own_id(), &source).await =>
            {
                let error = Error::ListOfTeam { stream: self.work.stream.name, team: of.own_id().to_owned(), source };
                return Ok(Report { failed: Some(error), ..Report::default() });
            }
            error => error,
        };
        if error.is_missing() && self.work.origin == Origin::Perhaps {
            return Ok(Report::default());
        }
        if error.is_missing() && self.work.origin == Origin::Listed {
            known::forget(context, self.feeds, &of)?;
            return Ok(Report {
                without_team: Some(of).filter(|of| of.level() == Some(&TEAM)).map(|of| of.own_id().to_owned()),
                ..Report::default()
            });
        }
        // What is named can be read without the permission to list it.
        let named = self.work.wanted.take_perhaps(&of);
        if matches!(error, Error::Graph { .. }) && error.is_forbidden() && !named.is_empty() {
            let by_name = named.iter().fold(StreamSet::default(), |all, found| all.union(found.streams));
            return Ok(Report { found: named, refused: vec![(self.feeds.without(by_name), error)], ..Report::default() });
        }
        Err(error.into())
    }
}
