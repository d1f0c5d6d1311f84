//! Which reader does a job: the only file that knows them all.

use super::{
    channel::{self, thread},
    context::Context,
    job::{Job, Report, Stop, Work},
    known,
    place::Place,
    teams,
};
use crate::error::Error;

/// Does a job.
pub(crate) async fn run(job: Job, context: &Context) -> Result<Report, Stop> {
    let parent = job.work.parent().map(str::to_owned);
    let leave_out = |error: Error| match &parent {
        Some(parent) => error.or_leave_out(parent),
        None => error,
    };
    match read(job, context).await {
        Ok(mut report) => {
            report.damage = report.damage.map(leave_out);
            Ok(report)
        }
        Err(Stop::Failed(error)) => Err(Stop::Failed(leave_out(error))),
        Err(Stop::Closed) => Err(Stop::Closed),
    }
}

async fn read(Job { feeds, work }: Job, context: &Context) -> Result<Report, Stop> {
    match work {
        Work::Groups(groups) => groups.page(context).await,
        Work::Team { team, of_group } => teams::team(context, &team, &of_group).await,
        Work::List(list) => list.read(context, feeds).await,
        Work::Channel { team, channel, facts, maybe_elsewhere } => {
            channel::read(context, feeds, Place { team: &team, channel: &channel, facts }, maybe_elsewhere).await
        }
        Work::Thread { team, channel, message, maybe_elsewhere } => {
            thread::replies(context, &team, &channel, &message, maybe_elsewhere).await
        }
        Work::UnlistedTeam { team, is_awaited } => known::team(context, feeds, &team, is_awaited).await,
        Work::UnlistedChannel { team, channel } => known::channel(context, feeds, &team, &channel).await,
    }
}
