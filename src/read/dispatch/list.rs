//! Reads one list of a parent, for any stream. The list of a stream that finds parents also leads to further jobs.

use super::unlisted;
use crate::{
    emit::Records,
    error::Error,
    graph::{Item, Page, Pages},
    level::TEAM,
    read::{
        channel_ref::{ChannelFacts, id_columns},
        context::Context,
        found::Origin,
        job::{JobError, JobInput, JobReport, Skipped},
    },
    record::Added,
    streams::{List, Selected, Stream, StreamSet},
};

pub(crate) async fn read(context: &Context, streams: StreamSet, input: JobInput, list: List) -> Result<JobReport, JobError> {
    let mut reading = Reading::new(context, streams, input, list);
    let mut result = reading.read_pages().await;
    if matches!(result, Ok(())) && reading.is_empty && list.never_empty && reading.report.failed.is_none() {
        // This list cannot be empty, so it is requested once more.
        result = reading.read_pages().await;
    }
    match result {
        Ok(()) if reading.report.failed.is_some() => Ok(reading.finish()),
        Ok(()) if reading.is_empty && list.never_empty => Err(Error::NoChannels { team: reading.input.parent.own_id().to_owned() }.into()),
        Ok(()) => Ok(reading.finish()),
        Err(JobError::Failed(error)) => reading.handle_error(error).await,
        Err(error) => Err(error),
    }
}

struct Reading<'l> {
    context: &'l Context,
    streams: StreamSet,
    input: JobInput,
    list: List,
    selected: Option<&'l Selected>,
    report: JobReport,
    skipped: Skipped,
    is_empty: bool,
}

impl<'l> Reading<'l> {
    fn new(context: &'l Context, streams: StreamSet, input: JobInput, list: List) -> Self {
        let selected = context.selected(input.stream).filter(|_| streams.contains(input.stream));
        let report = JobReport::completed(streams.filter(|stream| stream.name == input.stream.name), None);
        Self { context, streams, input, list, selected, report, skipped: Skipped::default(), is_empty: true }
    }

    fn task(&self) -> String {
        format!("list the {} of {}", self.input.stream.plural(), self.input.parent)
    }

    /// Reads all pages. If a later page cannot be fetched, the items of the earlier pages are kept.
    async fn read_pages(&mut self) -> Result<(), JobError> {
        let stream = self.input.stream;
        let top = self.context.config(stream).top.unwrap_or(stream.max_page_size).min(stream.max_page_size);
        let mut pages = Pages::new((self.list.request)(&self.input.parent, top));
        loop {
            match pages.next_or_restart(&self.context.client).await {
                Ok(Some(page)) => self.read_page(&mut pages, page).await?,
                Ok(None) => return Ok(()),
                Err(source) => {
                    let is_part_read = source.is_later_page;
                    let error = Error::graph(self.task(), source, stream.permissions);
                    if !is_part_read || error.is_fatal() {
                        return Err(error.into());
                    }
                    (self.report.completed, self.report.failed) = (StreamSet::default(), Some(error));
                    return Ok(());
                }
            }
        }
    }

    async fn read_page(&mut self, pages: &mut Pages, page: Page) -> Result<(), JobError> {
        self.context.count_replacements(page.replacements());
        let mut records = self.context.output.batch(self.input.stream);
        let parent = self.input.parent.clone();
        let derived = id_columns(&parent);
        for item in page.items() {
            self.is_empty = false;
            match item.id().filter(|_| !item.is_malformed()) {
                Some(id) if pages.is_new(&id) => self.add_item(&mut records, item, &id, &derived),
                Some(_) => {}
                None => self.skipped.items += u64::from(self.context.skipped_items.note(self.streams, item)),
            }
        }
        let permit = page.into_permit();
        self.context.output.write_records(records).await?;
        drop(permit);
        Ok(())
    }

    /// Adds the record of an item. If the item is a parent that is needed, it is read next.
    fn add_item(&mut self, records: &mut Records, item: Item<'_>, id: &str, derived: &[(&str, Added<'_>)]) {
        let context = self.context;
        let is_excluded = |stream: &Stream| stream.discovers.is_some() && context.config(stream).excludes(id);
        if let Some(selected) = self.selected.filter(|selected| !is_excluded(selected.stream)) {
            self.skipped.push(context, records, item, |out| selected.columns.write(item.fields(), derived, out));
        }
        if let Some(mut found) = self.input.wanted.take_listed(&self.input.parent, id) {
            context.names.note(item);
            if found.origin == Origin::Configured {
                self.report.found_ids.push(id.to_owned());
            }
            found.details.facts = ChannelFacts::from_item(item);
            self.report.found.extend(Some(found).filter(|found| !found.streams.is_empty()));
        }
    }

    /// Called after the last page.
    fn finish(mut self) -> JobReport {
        let JobInput { parent, wanted, .. } = &mut self.input;
        // A configured item that is not in the list of its parent may be shared with it by another parent.
        self.report.found.extend(wanted.take_configured(parent));
        // An empty list is not trusted, and the missing pages of an incomplete list may contain anything.
        if !self.is_empty && self.report.failed.is_none() {
            self.report.found.extend(wanted.take_known(parent, |_| false));
        }
        let skipped = std::mem::take(&mut self.skipped).into_error(self.context, || self.task());
        JobReport { skipped, ..self.report }
    }

    /// Handles a list that cannot be read.
    async fn handle_error(mut self, error: Error) -> Result<JobReport, JobError> {
        let (context, parent) = (self.context, self.input.parent.clone());
        let error = match error {
            Error::Graph { source, .. }
                if source.is_not_found() && parent.level() == Some(&TEAM) && context.team_exists(parent.own_id(), &source).await =>
            {
                let error = Error::ListOfTeam { stream: self.input.stream.name, team: parent.own_id().to_owned(), source };
                return Ok(JobReport { failed: Some(error), ..JobReport::default() });
            }
            error => error,
        };
        if error.is_not_found() && self.input.origin == Origin::Candidate {
            return Ok(JobReport::default());
        }
        if error.is_not_found() && self.input.origin == Origin::Listed {
            unlisted::forget(context, self.streams, &parent)?;
            return Ok(JobReport {
                without_team: Some(parent).filter(|parent| parent.level() == Some(&TEAM)).map(|parent| parent.own_id().to_owned()),
                ..JobReport::default()
            });
        }
        // Configured items can be read without the permission to list them.
        let configured = self.input.wanted.take_candidates(&parent);
        if matches!(error, Error::Graph { .. }) && error.is_forbidden() && !configured.is_empty() {
            let by_id = configured.iter().fold(StreamSet::default(), |all, found| all.union(found.streams));
            return Ok(JobReport { found: configured, refused: vec![(self.streams.without(by_id), error)], ..JobReport::default() });
        }
        Err(error.into())
    }
}
