//! Reading `teams`: the groups that are teams, page by page, and each team beside its group.

use tracing::warn;

use super::{
    awaited::jobs_of_teams,
    context::Context,
    job::{Damage, Groups, Job, Report, Stop, Work},
    parents::team_jobs,
};
use crate::{
    error::Error,
    graph::Page,
    streams::{self, Selected, StreamSet, TEAMS},
};

/// What people should know if no group is marked as a team.
pub(crate) const NO_TEAMS: &str = "Graph lists no team of the tenant; hint: if there are teams, run again, and look at `tenant_id` and at the \
    permissions of the application";

const TASK: &str = "list the teams of the tenant";

impl Groups {
    /// Reads a page of groups. Its teams are read next, and the next page.
    pub(crate) async fn page(mut self, context: &Context) -> Result<Report, Stop> {
        let records = context.selected(&TEAMS).map(|selected| selected.stream);
        // To find teams takes less than to tell what they are.
        let permissions = if records.is_some() { TEAMS.permissions } else { &TEAMS.permissions[..1] };
        let page = self.pages.next_or_anew(&context.client).await.map_err(|source| Error::graph(TASK, source, permissions))?;
        let Some(page) = page else { return self.end(context) };
        context.note(page.cleaned());
        let named = self.named.values().fold(self.of_all_teams, |feeds, &streams| feeds.union(streams));
        let feeds = records.map_or(named, |stream| named.with(stream));
        let mut report = Report::default();
        let mut damage = Damage::default();
        for group in page.items() {
            let Some(id) = group.id().filter(|_| !group.is_damaged()) else {
                damage.items += u64::from(context.marks.is_new(feeds, group));
                continue;
            };
            if !self.pages.is_first(&id) {
                continue;
            }
            context.names.note(group);
            self.awaited.remove(&*id);
            if let Some(stream) = records.filter(|stream| !context.config(stream).excludes(&id)) {
                report.jobs.push(Job::new(
                    StreamSet::default().with(stream),
                    Work::Team { team: id.to_string(), of_group: streams::properties_of_group(group) },
                ));
            }
            // A group may have no team (graph.md 2.1): that is no refusal of what was asked, unless the team was named.
            let by_name = self.named.remove(&*id);
            let found = by_name.is_none();
            report.jobs.extend(team_jobs(context, &id, self.of_all_teams.union(by_name.unwrap_or_default()), found));
        }
        report.damage = damage.into_error(context, || TASK.to_owned());
        let feeds = self.named.values().fold(self.of_all_teams, |feeds, &streams| feeds.union(streams));
        let feeds = records.map_or(feeds, |stream| feeds.with(stream));
        report.jobs.push(Job::new(feeds, Work::Groups(self)));
        Ok(report)
    }

    /// There is no page more: what no page had is asked for.
    fn end(self, context: &Context) -> Result<Report, Stop> {
        let is_empty = self.pages.distinct() == 0;
        if is_empty {
            warn!("{NO_TEAMS}");
        }
        if let Some(selected) = context.selected(&TEAMS) {
            // A few groups may have no team.
            context.output.estimated(selected.stream, self.pages.distinct() as u64)?;
        }
        let mut jobs = jobs_of_teams(context, self.awaited, is_empty);
        jobs.extend(self.named.into_iter().flat_map(|(team, streams)| team_jobs(context, &team, streams, false)));
        Ok(Report { jobs, ..Report::default() })
    }
}

/// Reads the team of a group and tells its record.
pub(crate) async fn team(context: &Context, id: &str, of_group: &[(String, String)]) -> Result<Report, Stop> {
    let Some(selected) = context.selected(&TEAMS) else { return Ok(Report::default()) };
    match context.client.object(&streams::team(id)).await {
        Ok(page) => write_team(context, selected, id, of_group, page).await,
        Err(error) if error.is_missing() => Ok(Report { without_team: Some(id.to_owned()), ..Report::default() }),
        Err(source) => Err(Error::graph(format!("read team {id}"), source, &TEAMS.permissions[1..]).into()),
    }
}

/// Writes the record of a team.
pub(crate) async fn write_team(
    context: &Context,
    selected: &Selected,
    id: &str,
    of_group: &[(String, String)],
    page: Page,
) -> Result<Report, Stop> {
    context.note(page.cleaned());
    let mut records = context.output.batch(selected.stream);
    let mut damage = Damage::default();
    for team in page.items() {
        damage.push(context, &mut records, team, |out| selected.columns.write(streams::properties(of_group, team), &[], out));
    }
    context.output.records(records).await?;
    Ok(Report::read(StreamSet::default().with(&TEAMS), damage.into_error(context, || format!("read team {id}"))))
}
