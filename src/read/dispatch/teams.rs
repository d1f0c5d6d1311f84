//! Reads the stream `teams`: lists the groups that are teams page by page, and requests the team of each group.

use tracing::warn;

use crate::{
    error::Error,
    graph::{Item, Page, Pages, Request},
    level::TEAM,
    read::{
        context::Context,
        job::{Job, JobError, JobInput, JobReport, Skipped},
        outcome::NO_TEAMS,
    },
    streams::{self, StreamSet, TEAMS},
};

const TASK: &str = "list the teams in the tenant";

/// Reads a page of the groups that are teams. Its teams and the next page are read by further jobs.
pub(crate) async fn read_page(context: &Context, streams: StreamSet, mut input: JobInput) -> Result<JobReport, JobError> {
    let own = streams.filter(|stream| stream.name == TEAMS.name);
    let mut pages = input.pages.take().unwrap_or_else(|| Pages::new(request(context, streams, own)));
    // Finding teams requires fewer permissions than reading their properties.
    let permissions = if own.is_empty() { &TEAMS.permissions[..1] } else { TEAMS.permissions };
    let page = match pages.next_or_restart(&context.client).await {
        Ok(Some(page)) => page,
        Ok(None) => return finish(context, &pages, input),
        Err(source) => return Err(Error::graph(TASK, source, permissions).into()),
    };
    let mut report = JobReport::default();
    note_groups(context, streams, &page, &mut pages, &mut input, &mut report);
    input.pages = Some(pages);
    let streams = own.union(input.wanted.dependent_streams());
    report.next_page = Some(Job::new(streams, input));
    Ok(report)
}

fn request(context: &Context, streams: StreamSet, own: StreamSet) -> Request {
    let top = streams.iter().filter_map(|stream| context.config(stream).top).min();
    match (own.is_empty(), context.names.is_enabled()) {
        (false, _) => streams::groups(top),
        (true, false) => streams::group_ids(top),
        (true, true) => streams::group_names(top),
    }
}

fn note_groups(context: &Context, streams: StreamSet, page: &Page, pages: &mut Pages, input: &mut JobInput, report: &mut JobReport) {
    context.count_replacements(page.replacements());
    let own = streams.filter(|stream| stream.name == TEAMS.name);
    let mut skipped = Skipped::default();
    for group in page.items() {
        let Some(id) = group.id().filter(|_| !group.is_malformed()) else {
            skipped.items += u64::from(context.skipped_items.note(streams, group));
            continue;
        };
        if !pages.is_new(&id) {
            continue;
        }
        context.names.note(group);
        let Some(mut found) = input.wanted.take_listed(&input.parent, &id) else { continue };
        if !context.not_excluding(&id, own).is_empty() {
            found.streams = found.streams.union(own);
            found.details.group_properties = streams::properties_of_group(group);
        }
        report.found.extend(Some(found).filter(|found| !found.streams.is_empty()));
    }
    report.skipped = skipped.into_error(context, || TASK.to_owned());
}

/// Called after the last page: finds the teams that no page contained.
fn finish(context: &Context, pages: &Pages, mut input: JobInput) -> Result<JobReport, JobError> {
    let is_empty = pages.distinct_ids() == 0;
    if is_empty {
        warn!("{NO_TEAMS}");
    }
    if let Some(selected) = context.selected(&TEAMS) {
        // Some groups may have no team, so this is an estimate.
        context.output.report_estimate(selected.stream, pages.distinct_ids() as u64)?;
    }
    let has_known = |team: &str| context.known_ids(&input.parent.below(&TEAM, team)).next().is_some();
    let mut found = input.wanted.take_known(&input.parent, |team| is_empty || has_known(team));
    found.extend(input.wanted.take_configured(&input.parent));
    Ok(JobReport { found, ..JobReport::default() })
}

/// Reads the team of a group and emits its record.
pub(crate) async fn read_team(context: &Context, input: JobInput) -> Result<JobReport, JobError> {
    let Some(selected) = context.selected(&TEAMS) else { return Ok(JobReport::default()) };
    let JobInput { parent, details, .. } = input;
    let page = match context.client.object(&streams::team(parent.own_id())).await {
        Ok(page) => page,
        Err(error) if error.is_not_found() => {
            return Ok(JobReport { without_team: Some(parent.own_id().to_owned()), ..JobReport::default() });
        }
        Err(source) => return Err(Error::graph(format!("read {parent}"), source, &TEAMS.permissions[1..]).into()),
    };
    context.count_replacements(page.replacements());
    let mut records = context.output.batch(selected.stream);
    let mut skipped = Skipped::default();
    let properties =
        |team: Item<'_>, out: &mut Vec<u8>| selected.columns.write(streams::properties(&details.group_properties, team), &[], out);
    for team in page.items() {
        skipped.push(context, &mut records, team, |out| properties(team, out));
    }
    context.output.write_records(records).await?;
    Ok(JobReport::completed(StreamSet::default().with(&TEAMS), skipped.into_error(context, || format!("read {parent}"))))
}
