//! Which teams and channels a run would read: found by the run's own jobs, as far as these lead on. The others are counted.

use std::collections::BTreeSet;

use super::{
    outcomes::Outcomes,
    sample::{sample, side_by_side},
};
use crate::{
    error::Error,
    level::{CHANNEL, MESSAGE, TEAM},
    read::{
        context::Context,
        dispatch,
        found::Origin,
        job::{Job, Report, Stop},
        parents::{first_jobs, jobs_of},
        place::Facts,
    },
    streams::{Read, StreamSet},
};

/// Lists of channels that are asked for at most.
const MOST_LISTS: usize = 1000;

/// Single teams, and lists of members, that are asked for to know how large they are.
const FEW: usize = 5;

/// A channel that is to be read.
#[derive(Clone, Debug)]
pub(super) struct ChannelJob {
    pub(super) team: String,
    pub(super) channel: String,
    pub(super) facts: Facts,
    pub(super) feeds: StreamSet,
    pub(super) maybe_elsewhere: bool,
    /// The thread, if it is one that is named.
    pub(super) message: Option<String>,
}

/// Jobs of a kind: how many there are, and of how many it was looked at what they lead to.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    pub(super) all: usize,
    pub(super) done: usize,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Discovery {
    /// Requests for groups.
    pub(super) groups: u64,
    pub(super) lists: Jobs,
    pub(super) members: Jobs,
    pub(super) teams: Jobs,
    /// The teams, those without one included.
    pub(super) team_ids: BTreeSet<String>,
    pub(super) without_team: BTreeSet<String>,
    pub(super) channels: Vec<ChannelJob>,
    /// Requests for teams and channels that earlier runs have read and that are not listed.
    pub(super) unlisted: usize,
    /// Groups whose channels were listed, and that have no team.
    pub(super) listed_without_team: usize,
    pub(super) outcomes: Outcomes,
    kinds: Kinds,
}

/// Jobs that were not looked at yet.
#[derive(Debug, Default)]
struct Kinds {
    leading: Vec<Job>,
    unlisted: Vec<Job>,
    lists: Vec<Job>,
    members: Vec<Job>,
    teams: Vec<Job>,
}

impl Jobs {
    /// How many there are for each that was looked at.
    pub(super) fn factor(&self) -> f64 {
        if self.done == 0 { 1.0 } else { self.all as f64 / self.done as f64 }
    }
}

impl Discovery {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            groups: 0,
            lists: Jobs::default(),
            members: Jobs::default(),
            teams: Jobs::default(),
            team_ids: BTreeSet::new(),
            without_team: BTreeSet::new(),
            channels: Vec::new(),
            unlisted: 0,
            listed_without_team: 0,
            outcomes: Outcomes::new(context),
            kinds: Kinds::default(),
        }
    }

    /// Finds the teams and channels.
    ///
    /// # Errors
    /// If nothing more can be had.
    pub(super) async fn run(&mut self, context: &Context) -> Result<(), Error> {
        self.take(first_jobs(context));
        while let Some(job) = self.kinds.leading.pop() {
            let pages = self.kinds.leading.len();
            self.run_all(context, vec![job]).await?;
            // The last of these jobs finds that there is no page more.
            self.groups += u64::from(self.kinds.leading.len() > pages || self.groups == 0);
        }
        self.look_for_unlisted(context).await?;
        let Kinds { lists, members, teams, .. } = std::mem::take(&mut self.kinds);
        (self.lists.all, self.members.all, self.teams.all) = (lists.len(), members.len(), teams.len());
        let lists = self.sample(lists, MOST_LISTS);
        self.lists.done = lists.len();
        self.run_all(context, lists).await?;
        self.look_for_unlisted(context).await?;
        self.listed_without_team = self.without_team.len();
        let (members, teams) = (self.sample(members, FEW), self.sample(teams, FEW));
        (self.members.done, self.teams.done) = (members.len(), teams.len());
        self.run_all(context, members).await?;
        self.run_all(context, teams).await
    }

    /// Looks for teams or channels that earlier runs have read and that are not listed: they lead to others.
    async fn look_for_unlisted(&mut self, context: &Context) -> Result<(), Error> {
        let unlisted = std::mem::take(&mut self.kinds.unlisted);
        self.unlisted += unlisted.len();
        let unlisted = self.sample(unlisted, MOST_LISTS);
        self.run_all(context, unlisted).await
    }

    fn sample(&mut self, jobs: Vec<Job>, most: usize) -> Vec<Job> {
        if jobs.len() > most {
            self.outcomes.sample(jobs.iter().fold(StreamSet::default(), |feeds, job| feeds.union(job.feeds)));
        }
        sample(jobs, most, key)
    }

    /// Runs jobs, and takes note of what they lead to.
    async fn run_all(&mut self, context: &Context, jobs: Vec<Job>) -> Result<(), Error> {
        let feeds: Vec<_> = jobs.iter().map(|job| job.feeds).collect();
        let tasks = jobs.into_iter().map(|job| {
            let (feeds, context) = (job.feeds, context.for_job(0, job.work.urgency(), job.feeds));
            async move {
                let result = dispatch::run(job, &context).await;
                context.job_ended(feeds);
                result.map_err(|stop| match stop {
                    Stop::Failed(error) => error,
                    Stop::Closed => Error::Internal("a plan writes nothing, and its writer has ended".to_owned()),
                })
            }
        });
        for (feeds, result) in feeds.into_iter().zip(side_by_side(tasks).await?) {
            match result {
                Ok(report) => self.note(context, feeds, report),
                Err(error) => self.outcomes.note_error(feeds, error),
            }
        }
        Ok(())
    }

    fn note(&mut self, context: &Context, feeds: StreamSet, mut report: Report) {
        self.without_team.extend(report.without_team.take());
        self.take(jobs_of(context, &mut report));
        self.outcomes.note(feeds, report);
    }

    fn take(&mut self, jobs: Vec<Job>) {
        for job in jobs {
            let (feeds, of) = (job.feeds, &job.work.of);
            let is_known = matches!(job.work.origin, Origin::Known { .. });
            // What is not listed may be gone.
            if !is_known && of.level().is_some() {
                self.team_ids.insert(of.top().to_owned());
            }
            match job.work.stream.read {
                _ if is_known => self.kinds.unlisted.push(job),
                Read::Teams if of.level().is_none() => self.kinds.leading.push(job),
                Read::Teams => self.kinds.teams.push(job),
                Read::List(_) if job.work.stream.finds.is_some() => self.kinds.lists.push(job),
                Read::List(_) => self.kinds.members.push(job),
                Read::Walk(_) => self.channels.push(ChannelJob {
                    team: of.id(&TEAM).to_owned(),
                    channel: of.id(&CHANNEL).to_owned(),
                    facts: job.work.said.facts,
                    feeds,
                    maybe_elsewhere: job.work.origin == Origin::Perhaps,
                    message: Some(of.id(&MESSAGE)).filter(|id| !id.is_empty()).map(str::to_owned),
                }),
            }
        }
    }
}

fn key(job: &Job) -> String {
    job.work.of.top().to_owned()
}
