//! Which reader does a job: the only file that knows them all.

mod known;
mod list;
mod report;
mod teams;

use super::{
    channel::{self, thread},
    context::Context,
    found::Origin,
    job::{Job, Report, Stop},
};
use crate::{error::Error, level::MESSAGE, streams::Read};

/// Does a job.
pub(crate) async fn run(job: Job, context: &Context) -> Result<Report, Stop> {
    let excludable = job.work.excludable().map(str::to_owned);
    let leave_out = |error: Error| match &excludable {
        Some(id) => error.or_leave_out(id),
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
    match (work.origin, work.stream.read) {
        (Origin::Known { shows_gap }, _) => known::read(context, feeds, work, shows_gap).await,
        (_, Read::Teams) if work.of.level().is_none() => teams::page(context, feeds, work).await,
        (_, Read::Teams) => teams::team(context, work).await,
        (_, Read::List(list)) => list::read(context, feeds, work, list).await,
        (_, Read::Report(request)) => report::read(context, work, request()).await,
        (_, Read::Walk(_)) if work.of.level() == Some(&MESSAGE) => thread::read(context, work).await,
        (_, Read::Walk(_)) => channel::read(context, feeds, work).await,
    }
}
