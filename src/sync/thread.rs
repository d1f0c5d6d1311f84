//! Reading the replies of one thread that is named (graph.md 2.6): all its pages each time, for their order is no promise.

use super::{
    context::Context,
    job::{Damage, Report, Stop},
    part::Part,
    place::Place,
    walk::{MAX_RESTARTS, is_link_lost},
};
use crate::{
    error::Error,
    graph::{Link, Pages},
    streams::{self, MAX_TOP, MESSAGE_REPLIES, StreamSet},
};

/// Reads the replies of a root message. Where the thread may be in another channel, it need not be in this one.
pub(super) async fn replies(context: &Context, team: &str, channel: &str, message: &str, maybe_elsewhere: bool) -> Result<Report, Stop> {
    let place = Place::named(team, channel);
    let report = |damage: Damage, task: &dyn Fn() -> String| Report {
        found: vec![message.to_owned()],
        ..Report::read(StreamSet::default().with(&MESSAGE_REPLIES), damage.into_error(context, task))
    };
    let task = || format!("read the replies to message {message} in channel {channel} of team {team}");
    let Some(mut part) = Part::new(context, &MESSAGE_REPLIES, place, Some(message)) else { return Ok(Report::default()) };
    if part.is_done() {
        return Ok(report(Damage::default(), &task));
    }
    let top = part.config.top.unwrap_or(MAX_TOP).min(MAX_TOP);
    let from_top = || Pages::new(streams::thread(team, channel, message, top));
    let stored = part.walk().link.as_deref().and_then(Link::from_path);
    let mut follows_link = stored.is_some();
    let got_at = part.walk().read_at;
    let mut pages = stored.map_or_else(from_top, |link| Pages::from_link(&link));
    let (mut damaged, mut restarts, mut owes) = (0, 0, false);
    loop {
        let page = match pages.next(&context.client).await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            Err(error) if follows_link && restarts < MAX_RESTARTS && is_link_lost(&error, got_at) => {
                (pages, follows_link, restarts) = (from_top(), false, restarts + 1);
                continue;
            }
            Err(error) if maybe_elsewhere && error.is_missing() => return Ok(Report::default()),
            Err(source) => return Err(Error::graph(task(), source, MESSAGE_REPLIES.permissions).into()),
        };
        context.note(page.cleaned());
        if !std::mem::replace(&mut follows_link, true) {
            let walk = part.walk();
            (walk.head, walk.read_at, walk.began) = (None, Some(page.date()), Some(page.date()));
        }
        let mut newest = None;
        for reply in page.items() {
            match reply.id().filter(|_| !reply.is_damaged()) {
                Some(id) => newest = newest.max(part.push(reply, &id, Some(message), || None).known()),
                None => damaged += u64::from(part.is_new_damage(reply)),
            }
        }
        let (link, is_last) = (page.next().and_then(|next| part.storable(next)), page.next().is_none());
        let held = page.into_held();
        part.hand_over().await?;
        drop(held);
        let walk = part.walk();
        walk.head = walk.head.max(newest);
        owes |= part.take_owed();
        if !owes {
            part.walk().link = link;
        }
        context.remains(1.0);
        if !is_last {
            part.report(1, false)?;
        }
    }
    // What changed while the pages were read is newer than the first page: the next run's floor is below it.
    let head = part.walk().head;
    if owes {
        part.leave_walk(None)
    } else {
        part.finish_walk(head)
    }
    part.report(1, true)?;
    Ok(report(Damage { items: damaged, too_large: part.too_large, thread: None }, &task))
}
