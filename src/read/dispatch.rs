//! Runs a job with the reader for its stream. This is the only file that knows all readers.

mod list;
mod report;
mod teams;
mod unlisted;

use super::{
    channel::{self, thread},
    context::Context,
    found::Origin,
    job::{Job, JobError, JobReport},
};
use crate::{error::Error, level::MESSAGE, streams::Read};

pub(crate) async fn run(job: Job, context: &Context) -> Result<JobReport, JobError> {
    let excludable = job.input.excludable().map(str::to_owned);
    let with_exclude_hint = |error: Error| match &excludable {
        Some(id) => error.with_exclude_hint(id),
        None => error,
    };
    match read(job, context).await {
        Ok(mut report) => {
            report.skipped = report.skipped.map(with_exclude_hint);
            Ok(report)
        }
        Err(JobError::Failed(error)) => Err(JobError::Failed(with_exclude_hint(error))),
        Err(JobError::Closed) => Err(JobError::Closed),
    }
}

async fn read(Job { streams, input }: Job, context: &Context) -> Result<JobReport, JobError> {
    match (input.origin, input.stream.read) {
        (Origin::Unlisted { shows_gap }, _) => unlisted::read(context, streams, input, shows_gap).await,
        (_, Read::Teams) if input.parent.level().is_none() => teams::read_page(context, streams, input).await,
        (_, Read::Teams) => teams::read_team(context, input).await,
        (_, Read::List(list)) => list::read(context, streams, input, list).await,
        (_, Read::Report(request)) => report::read(context, input, request()).await,
        (_, Read::Walk(_)) if input.parent.level() == Some(&MESSAGE) => thread::read(context, input).await,
        (_, Read::Walk(_)) => channel::read(context, streams, input).await,
    }
}
