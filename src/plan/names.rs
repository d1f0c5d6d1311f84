//! The names of the channels that a plan tells first, and of their teams: those that no list has told are asked for one by one.

use std::collections::BTreeSet;

use super::{channels::Channels, sample::side_by_side};
use crate::{
    error::Error,
    graph::{Request, Urgency},
    read::context::Context,
    streams::{self, StreamSet},
};

/// Of so many channels.
const OF_CHANNELS: usize = 10;

/// Asks for the names that are not known. What is refused is called by its id.
///
/// # Errors
/// If a request ends in a panic.
pub(super) async fn ask(context: &Context, channels: &Channels) -> Result<(), Error> {
    let first = || channels.longest().into_iter().take(OF_CHANNELS).map(|asked| &asked.job);
    let is_unknown = |id: &str| !context.names.has(id);
    let teams: BTreeSet<_> = first().map(|job| &job.team).filter(|team| is_unknown(team)).collect();
    let teams = teams.into_iter().map(|team| streams::team(team));
    let channels = first().filter(|job| is_unknown(&job.channel)).map(|job| streams::channel(&job.team, &job.channel));
    let requests: Vec<_> = teams.chain(channels).collect();
    let none = StreamSet::default();
    let tasks = requests.into_iter().map(|request| one(context.for_job(0, Urgency::Remains(0.0), none), none, request));
    side_by_side(tasks).await.map(drop)
}

async fn one(context: Context, feeds: StreamSet, request: Request) -> Result<(), Error> {
    if let Ok(page) = context.client.object(&request).await {
        page.items().for_each(|item| context.names.note(item));
    }
    context.job_ended(feeds);
    Ok(())
}
