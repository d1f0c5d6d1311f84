//! Reading the replies of one thread that is named (graph.md 2.6).

use super::{
    context::Context,
    job::{Report, Stop},
    walk::{MAX_TOP, Part, of_reply},
};
use crate::{
    error::Error,
    graph::Pages,
    streams::{self, MESSAGE_REPLIES, StreamSet},
};

/// Reads the replies of a root message. Where the thread may be in another channel, it need not be in this one.
pub(super) async fn replies(context: &Context, team: &str, channel: &str, message: &str, maybe_elsewhere: bool) -> Result<Report, Stop> {
    let Some(selected) = context.selected(&MESSAGE_REPLIES) else { return Ok(Report::default()) };
    let config = context.config(&MESSAGE_REPLIES);
    let task = || format!("read the replies to message {message} in channel {channel} of team {team}");
    let top = config.top.unwrap_or(MAX_TOP).min(MAX_TOP);
    let mut pages = Pages::new(context.client.clone(), streams::thread(team, channel, message, top));
    let mut part = Part::new(selected, config.start_date);
    let mut damaged = 0;
    loop {
        let page = match pages.next().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            Err(error) if maybe_elsewhere && error.is_missing() => return Ok(Report::default()),
            Err(source) => return Err(Error::graph(task(), source, selected.stream.permissions).into()),
        };
        context.note(&page);
        for reply in page.items() {
            match reply.id().filter(|_| !reply.is_damaged()) {
                Some(id) => part.push(reply, &id, &of_reply(team, channel, message)),
                None => damaged += 1,
            }
        }
        context.output.records(part.take()).await?;
    }
    Ok(Report {
        found: vec![message.to_owned()],
        ..Report::read(StreamSet::default().with(&MESSAGE_REPLIES), Error::damaged(damaged, task))
    })
}
