//! Reading the replies of one thread that is named (graph.md 2.6): all its pages each time, for their order is no promise.

use super::{activity::Activity, part::Part, restarts::Restarts};
use crate::{
    error::Error,
    graph::{Cause, Link, Pages},
    read::{
        context::Context,
        job::{Damage, Report, Stop},
        place::Place,
    },
    streams::{self, MAX_TOP, MESSAGE_REPLIES, StreamSet},
};

/// Reads the replies of a root message. Where the thread may be in another channel, it need not be in this one.
pub(crate) async fn replies(context: &Context, team: &str, channel: &str, message: &str, maybe_elsewhere: bool) -> Result<Report, Stop> {
    let place = Place::named(team, channel);
    let report = |damage: Damage, task: &dyn Fn() -> String| Report {
        found: vec![message.to_owned()],
        ..Report::read(StreamSet::default().with(&MESSAGE_REPLIES), damage.into_error(context, task))
    };
    let task = || format!("read the replies to message {message} in channel {channel} of team {team}");
    let Some(mut part) = Part::new(context, &MESSAGE_REPLIES, place, Some(message)) else { return Ok(Report::default()) };
    if part.is_done() {
        return Ok(report(Damage { older: part.gap(task), ..Damage::default() }, &task));
    }
    let top = part.config.top.unwrap_or(MAX_TOP).min(MAX_TOP);
    let from_top = || Pages::new(streams::thread(team, channel, message, top));
    let stored = part.walk().link.as_deref().and_then(Link::from_path);
    let mut follows_link = stored.is_some();
    let got_at = part.walk().read_at;
    let mut pages = stored.map_or_else(from_top, |link| Pages::from_link(&link));
    let (mut damaged, mut restarts, mut owes) = (0, Restarts::default(), false);
    let (mut read, mut oldest, mut older) = (0, None, None);
    loop {
        let page = match pages.next(&context.client).await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            Err(error) if follows_link && error.is_link_lost(got_at) && restarts.allows(read) => {
                (pages, follows_link, read) = (from_top(), false, 0);
                continue;
            }
            Err(error) if maybe_elsewhere && error.is_missing() => return Ok(Report::default()),
            Err(source) => {
                let goes_round = matches!(source.cause, Cause::EndlessPaging(_));
                let error = Error::graph(task(), source, MESSAGE_REPLIES.permissions);
                if !goes_round {
                    return Err(error.into());
                }
                // Else the next run would begin by writing all of it again.
                part.note_gap(oldest);
                older = Some(error);
                break;
            }
        };
        read += 1;
        context.note(page.cleaned());
        if !std::mem::replace(&mut follows_link, true) {
            let now = Some(page.date().believed(page.items().filter_map(|reply| Activity::of(reply).known()).max()));
            let walk = part.walk();
            (walk.head, walk.read_at, walk.began) = (None, now, now);
        }
        let mut newest = None;
        for reply in page.items() {
            match reply.id().filter(|_| !reply.is_damaged()) {
                Some(id) => {
                    let activity = part.push(reply, &id, Some(message), || None).known();
                    (newest, oldest) = (newest.max(activity), [oldest, activity].into_iter().flatten().min());
                }
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
    let older = older.or_else(|| part.gap(task));
    Ok(report(Damage { items: damaged, too_large: part.too_large, thread: None, older }, &task))
}
