//! Reading `teams`: the groups that are teams, page by page, and each team beside its group.

use tracing::warn;

use crate::{
    error::Error,
    graph::{Item, Page, Pages, Request},
    level::TEAM,
    read::{
        context::Context,
        job::{Damage, Job, Report, Stop, Work},
        outcome::NO_TEAMS,
    },
    streams::{self, StreamSet, TEAMS},
};

const TASK: &str = "list the teams of the tenant";

/// Reads a page of the groups that are teams. Its teams are read next, and the next page.
pub(crate) async fn page(context: &Context, feeds: StreamSet, mut work: Work) -> Result<Report, Stop> {
    let own = feeds.filter(|stream| stream.name == TEAMS.name);
    let mut pages = work.pages.take().unwrap_or_else(|| Pages::new(request(context, feeds, own)));
    // To find teams takes less than to read what they are.
    let permissions = if own.is_empty() { &TEAMS.permissions[..1] } else { TEAMS.permissions };
    let page = match pages.next_or_anew(&context.client).await {
        Ok(Some(page)) => page,
        Ok(None) => return end(context, &pages, work),
        Err(source) => return Err(Error::graph(TASK, source, permissions).into()),
    };
    let mut report = Report::default();
    groups(context, feeds, &page, &mut pages, &mut work, &mut report);
    work.pages = Some(pages);
    let feeds = own.union(work.wanted.feeds());
    report.more = Some(Job::new(feeds, work));
    Ok(report)
}

fn request(context: &Context, feeds: StreamSet, own: StreamSet) -> Request {
    let top = feeds.iter().filter_map(|stream| context.config(stream).top).min();
    match (own.is_empty(), context.names.are_kept()) {
        (false, _) => streams::groups(top),
        (true, false) => streams::group_ids(top),
        (true, true) => streams::group_names(top),
    }
}

/// Finds the teams of a page.
fn groups(context: &Context, feeds: StreamSet, page: &Page, pages: &mut Pages, work: &mut Work, report: &mut Report) {
    context.note(page.cleaned());
    let own = feeds.filter(|stream| stream.name == TEAMS.name);
    let mut damage = Damage::default();
    for group in page.items() {
        let Some(id) = group.id().filter(|_| !group.is_damaged()) else {
            damage.items += u64::from(context.marks.is_new(feeds, group));
            continue;
        };
        if !pages.is_first(&id) {
            continue;
        }
        context.names.note(group);
        let Some(mut found) = work.wanted.meet(&work.of, &id) else { continue };
        if !context.not_excluding(&id, own).is_empty() {
            found.streams = found.streams.union(own);
            found.said.of_group = streams::properties_of_group(group);
        }
        report.found.extend(Some(found).filter(|found| !found.streams.is_empty()));
    }
    report.damage = damage.into_error(context, || TASK.to_owned());
}

/// There is no page more: what no page had is read next.
fn end(context: &Context, pages: &Pages, mut work: Work) -> Result<Report, Stop> {
    let is_empty = pages.distinct() == 0;
    if is_empty {
        warn!("{NO_TEAMS}");
    }
    if let Some(selected) = context.selected(&TEAMS) {
        // A few groups may have no team.
        context.output.estimated(selected.stream, pages.distinct() as u64)?;
    }
    let has_known = |team: &str| context.known(&work.of.below(&TEAM, team)).next().is_some();
    let mut found = work.wanted.take_known(&work.of, |team| is_empty || has_known(team));
    found.extend(work.wanted.take_named(&work.of));
    Ok(Report { found, ..Report::default() })
}

/// Reads the team of a group and writes its record.
pub(crate) async fn team(context: &Context, work: Work) -> Result<Report, Stop> {
    let Some(selected) = context.selected(&TEAMS) else { return Ok(Report::default()) };
    let Work { of, said, .. } = work;
    let page = match context.client.object(&streams::team(of.own_id())).await {
        Ok(page) => page,
        Err(error) if error.is_missing() => return Ok(Report { without_team: Some(of.own_id().to_owned()), ..Report::default() }),
        Err(source) => return Err(Error::graph(format!("read {of}"), source, &TEAMS.permissions[1..]).into()),
    };
    context.note(page.cleaned());
    let mut records = context.output.batch(selected.stream);
    let mut damage = Damage::default();
    let properties = |team: Item<'_>, out: &mut Vec<u8>| selected.columns.write(streams::properties(&said.of_group, team), &[], out);
    for team in page.items() {
        damage.push(context, &mut records, team, |out| properties(team, out));
    }
    context.output.records(records).await?;
    Ok(Report::read(StreamSet::default().with(&TEAMS), damage.into_error(context, || format!("read {of}"))))
}
