//! Reading `teams`: the groups that are teams, page by page, and each team beside its group.

use std::collections::BTreeMap;

use super::{
    context::Context,
    job::{Damage, Job, Report, Stop, Work},
    list::next_page,
    parents::team_jobs,
};
use crate::{
    error::Error,
    graph::Pages,
    streams::{self, StreamSet, TEAMS},
};

const TASK: &str = "list the teams of the tenant";

/// Reads a page of groups. Its teams are read next, and the page behind it.
pub(super) async fn page(
    context: &Context,
    mut pages: Pages,
    of_all_teams: StreamSet,
    mut named: BTreeMap<String, StreamSet>,
) -> Result<Report, Stop> {
    let records = context.selected(&TEAMS).map(|selected| selected.stream);
    // To find teams takes less than to tell what they are.
    let permissions = if records.is_some() { TEAMS.permissions } else { &TEAMS.permissions[..1] };
    let page = next_page(&mut pages, &context.client).await.map_err(|source| Error::graph(TASK, source, permissions))?;
    let Some(page) = page else {
        if let Some(stream) = records {
            // A few groups may have no team.
            context.output.estimated(stream, pages.distinct() as u64)?;
        }
        // Teams that are named but were not found: Graph is asked for them all the same.
        let jobs = named.into_iter().flat_map(|(team, streams)| team_jobs(context, &team, streams, false)).collect();
        return Ok(Report { jobs, ..Report::default() });
    };
    context.note(page.cleaned());
    let mut report = Report::default();
    let mut damage = Damage::default();
    for group in page.items() {
        let Some(id) = group.id().filter(|_| !group.is_damaged()) else {
            damage.items += 1;
            continue;
        };
        if !pages.is_first(&id) {
            continue;
        }
        context.names.note(group);
        if let Some(stream) = records.filter(|stream| !context.config(stream).excludes(&id)) {
            report.jobs.push(Job::new(
                StreamSet::default().with(stream),
                Work::Team { team: id.to_string(), of_group: streams::properties_of_group(group) },
            ));
        }
        // A group may have no team (graph.md 2.1): that is no refusal of what was asked, unless the team was named.
        let by_name = named.remove(&*id);
        let found = by_name.is_none();
        report.jobs.extend(team_jobs(context, &id, of_all_teams.union(by_name.unwrap_or_default()), found));
    }
    report.damage = damage.into_error(context, || TASK.to_owned());
    let feeds = named.values().fold(of_all_teams, |feeds, &streams| feeds.union(streams));
    let feeds = records.map_or(feeds, |stream| feeds.with(stream));
    report.jobs.push(Job::new(feeds, Work::Groups { pages, of_all_teams, named }));
    Ok(report)
}

/// Reads the team of a group and tells its record.
pub(super) async fn team(context: &Context, id: &str, of_group: &[(String, String)]) -> Result<Report, Stop> {
    let Some(selected) = context.selected(&TEAMS) else { return Ok(Report::default()) };
    let page = match context.client.object(&streams::team(id)).await {
        Ok(page) => page,
        Err(error) if error.is_missing() => return Ok(Report { without_team: Some(id.to_owned()), ..Report::default() }),
        Err(source) => return Err(Error::graph(format!("read team {id}"), source, &TEAMS.permissions[1..]).into()),
    };
    context.note(page.cleaned());
    let mut records = context.output.batch(selected.stream);
    let mut damage = Damage::default();
    for team in page.items() {
        let fits = |record: &[u8]| damage.fits(record, context.max_record);
        records.push(|out| selected.columns.write(streams::properties(of_group, team), &[], out), fits);
    }
    context.output.records(records).await?;
    Ok(Report::read(StreamSet::default().with(&TEAMS), damage.into_error(context, || format!("read team {id}"))))
}
