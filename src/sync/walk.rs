//! The walk through the chains of a channel, newest activity first: one walk for the roots and the replies (graph.md 2.5).
//!
//! A chain is a root message with its replies; its activity is the newest of lastModifiedDateTime, lastEditedDateTime and deletedDateTime
//! among them. A pass goes from the top down, whole pages at a time, and stops behind a page whose last chain is older than what is wanted.
//! Chains move to the top while we page, and their old place would never be met again: so a walk of more than one page goes once more from
//! the top down to where the pass before began, until a pass needs one page only, or begins as the pass before began: then nothing moved in
//! between. A page is one moment.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tracing::{debug, warn};

use super::{
    activity::{Activity, Top},
    context::Context,
    job::Stop,
    part::{Part, Place, before},
};
use crate::{
    error::Error,
    graph::{self, Item, Link, Page, Pages},
    streams,
};

/// The most that Graph gives a page of messages or replies.
pub(super) const MAX_TOP: u64 = 50;

/// Chains on the first page of a pass that will hardly need a second one: most channels have changed little since the last run.
const PROBE: u64 = 20;

/// So many passes a run at most: a channel that changes faster than it can be read would never end.
const MAX_PASSES: u32 = 12;

/// So often a run begins a pass again whose next page Graph no longer gives.
const MAX_RESTARTS: u32 = 3;

/// A message becomes visible a little after its own time: a closing pass reaches back by the lookback, within these bounds.
const REACH: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(300));

/// A walk for one or two streams that stand at the same place.
pub(super) struct Walk<'w, 'c> {
    context: &'w Context,
    place: Place<'c>,
    roots: Option<&'w mut Part<'c>>,
    replies: Option<&'w mut Part<'c>>,
    restarts: u32,
    damaged: u64,
    /// Pages since the last report, those of threads included.
    pages: u64,
}

/// What a pass came to.
struct Pass {
    top: Top,
    /// Whether its first page was its last.
    is_one_page: bool,
}

/// Whether two streams stand at the same place, so that one walk can feed both.
pub(super) fn are_together(one: &mut Part<'_>, other: &mut Part<'_>) -> bool {
    let (one, other) = (one.walk(), other.walk());
    one.link == other.link && (one.link.is_none() || (one.head, one.read_at) == (other.head, other.read_at))
}

impl<'w, 'c> Walk<'w, 'c> {
    pub(super) fn new(context: &'w Context, place: Place<'c>, roots: Option<&'w mut Part<'c>>, replies: Option<&'w mut Part<'c>>) -> Self {
        Self { context, place, roots, replies, restarts: 0, damaged: 0, pages: 0 }
    }

    /// Walks until both streams know all that changed. Gives how many items were damaged.
    pub(super) async fn run(mut self) -> Result<u64, Stop> {
        self.parts().for_each(|part| _ = part.walk());
        let mut last: Option<Top> = None;
        for _ in 0..MAX_PASSES {
            let pass = self.pass().await?;
            if pass.is_one_page || last.as_ref().is_some_and(|last| pass.top.is_like(last)) {
                for part in self.parts() {
                    let read_at = part.walk().read_at;
                    part.finish_walk(pass.top.head, read_at);
                }
                self.report(true)?;
                return Ok(self.damaged);
            }
            for part in self.parts() {
                let reach = part.config.lookback.clamp(REACH.0, REACH.1);
                let walk = part.walk();
                let visible = walk.read_at.map(|read_at| before(read_at, reach));
                // Without a head every chain may be new.
                walk.until = pass.top.head.zip(visible).map(|(head, visible)| head.min(visible));
                (walk.link, walk.reached, walk.pass) = (None, None, walk.pass.saturating_add(1));
            }
            self.report(false)?;
            last = Some(pass.top);
        }
        warn!(
            "channel {} of team {} changes faster than it can be read: what changed in the last moments comes with the next run",
            self.place.channel, self.place.team
        );
        self.report(true)?;
        Ok(self.damaged)
    }

    fn parts(&mut self) -> impl Iterator<Item = &mut Part<'c>> {
        self.roots.iter_mut().chain(&mut self.replies).map(|part| &mut **part)
    }

    /// Below this time the pass has nothing for any stream.
    fn stop(&mut self) -> DateTime<Utc> {
        let stops = self.parts().map(|part| {
            let walk = part.walk();
            walk.until.unwrap_or(walk.start)
        });
        stops.min().unwrap_or_default()
    }

    /// Below this time no thread needs to be completed: no reply is wanted.
    fn settled(&mut self, stop: DateTime<Utc>) -> DateTime<Utc> {
        self.replies.as_mut().map_or(stop, |part| part.walk().start.max(stop))
    }

    /// Whether a small page will hardly need another one behind it.
    fn is_probe(&mut self) -> bool {
        self.parts().all(|part| {
            let was_read = part.state.read_at.is_some() && !part.has_gap();
            part.walk().until.is_some() || was_read
        })
    }

    /// Reads from the top, or from where the pass stood, down to what the streams want.
    async fn pass(&mut self) -> Result<Pass, Stop> {
        loop {
            match self.attempt().await {
                // A link is good for a while only; the walk itself does not depend on it.
                Err(Refused::Link(error)) if self.restarts < MAX_RESTARTS => {
                    debug!("{}: the next page is no longer given; the pass begins again: {error}", self.task());
                    self.restarts += 1;
                    self.parts().for_each(|part| part.walk().link = None);
                }
                Err(Refused::Link(error) | Refused::Page(error)) => return Err(self.failed(error).into()),
                Err(Refused::Stop(stop)) => return Err(stop),
                Ok(pass) => return Ok(pass),
            }
        }
    }

    async fn attempt(&mut self) -> Result<Pass, Refused> {
        let top = self.parts().filter_map(|part| part.config.top).min().unwrap_or(MAX_TOP).min(MAX_TOP);
        let stored = self.parts().next().and_then(|part| part.walk().link.clone());
        let stop = self.stop();
        let mut probes = stored.is_none() && PROBE < top && self.is_probe();
        let (client, Place { team, channel }) = (self.context.client.clone(), self.place);
        let first = if probes { PROBE } else { top };
        let (mut pages, mut read) = match stored.as_deref().and_then(Link::from_path) {
            // The first page was read by an earlier run.
            Some(link) => (Pages::from_link(client.clone(), &link), 1),
            None => (Pages::new(client.clone(), streams::walk(team, channel, first)), 0),
        };
        let mut first_top = None;
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) if read > 0 && is_link_refused(&error) => return Err(Refused::Link(error)),
                Err(error) => return Err(Refused::Page(error)),
            };
            if std::mem::take(&mut probes) && !is_enough(&page, stop) {
                // More has changed than a small page holds: once more, with the largest ones.
                pages = Pages::new(client.clone(), streams::walk(team, channel, top));
                continue;
            }
            if read == 0 {
                let top = Top::of(&page);
                for part in self.parts() {
                    let walk = part.walk();
                    (walk.head, walk.read_at) = (top.head, Some(page.date()));
                    walk.began.get_or_insert(page.date());
                }
                first_top = Some(top);
            }
            read += 1;
            let last = self.page(&page, stop).await.map_err(Refused::Stop)?;
            self.parts().for_each(|part| part.now = Some(page.date()));
            let Some(next) = page.next().filter(|_| last.is_none_or(|last| last >= stop)) else { break };
            for part in self.parts() {
                let link = part.storable(next);
                let walk = part.walk();
                (walk.link, walk.reached) = (link, last.or(walk.reached));
            }
            self.report(false).map_err(Refused::Stop)?;
        }
        let head = self.parts().next().and_then(|part| part.walk().head);
        Ok(Pass { top: first_top.unwrap_or_else(|| Top::of_unseen(head)), is_one_page: read <= 1 })
    }

    /// Tells what a page holds. Gives the activity of its last chain whose activity is known.
    async fn page(&mut self, page: &Page, stop: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, Stop> {
        self.pages += 1;
        let settled = self.settled(stop);
        let told = self.told();
        let mut last: Option<DateTime<Utc>> = None;
        for chain in page.items() {
            let Some(id) = chain.id().filter(|_| !chain.is_damaged()) else {
                self.damaged += 1;
                continue;
            };
            let mut activity = Activity::of(chain);
            if let Some(roots) = &mut self.roots {
                roots.push(chain, &id, None);
            }
            for reply in chain.replies() {
                activity = activity.later(self.reply(reply, &id));
            }
            // Below a chain that is too old every chain is too old: it need not be completed.
            let is_settled = last.is_some_and(|last| last < settled);
            match chain.replies_next() {
                Some(link) if self.replies.is_some() && !is_settled => {
                    self.hand_over().await?;
                    activity = activity.later(self.complete(link, &id).await?);
                }
                Some(_) => activity = Activity::Unknown,
                None => {}
            }
            last = activity.known().or(last);
        }
        self.hand_over().await?;
        self.note(page, told);
        Ok(last)
    }

    /// Reads the replies that did not fit into their root.
    async fn complete(&mut self, link: &Link, root: &str) -> Result<Activity, Stop> {
        let client = self.context.client.clone();
        let mut pages = Pages::from_link(client.clone(), link);
        let mut begins_anew = false;
        let mut newest = Activity::None;
        loop {
            let page = match pages.next().await {
                Ok(Some(page)) => page,
                Ok(None) => return Ok(newest),
                // The link may have aged, or the thread may have gone meanwhile: asked for from its beginning, it tells.
                Err(error) if is_link_refused(&error) && !begins_anew => {
                    begins_anew = true;
                    pages = Pages::new(client.clone(), streams::thread(self.place.team, self.place.channel, root, MAX_TOP));
                    continue;
                }
                Err(error) if error.is_missing() => return Ok(newest),
                Err(source) => {
                    let task = format!("{}, thread {root}", self.task());
                    return Err(Error::graph(task, source, streams::MESSAGES.permissions).into());
                }
            };
            self.pages += 1;
            let told = self.told();
            for reply in page.items() {
                newest = newest.later(self.reply(reply, root));
            }
            self.hand_over().await?;
            self.note(&page, told);
        }
    }

    fn reply(&mut self, reply: Item<'_>, root: &str) -> Activity {
        let Some(id) = reply.id().filter(|_| !reply.is_damaged()) else {
            self.damaged += u64::from(self.replies.is_some());
            return Activity::Unknown;
        };
        match &mut self.replies {
            Some(part) => part.push(reply, &id, Some(root)),
            None => Activity::of(reply),
        }
    }

    async fn hand_over(&mut self) -> Result<(), Stop> {
        for part in self.roots.iter_mut().chain(&mut self.replies) {
            part.hand_over().await?;
        }
        Ok(())
    }

    fn report(&mut self, end: bool) -> Result<(), Stop> {
        let pages = std::mem::take(&mut self.pages);
        Ok(self.parts().try_for_each(|part| part.report(pages, end))?)
    }

    fn told(&mut self) -> usize {
        self.parts().map(|part| part.told).sum()
    }

    /// Counts what was changed in the texts of a page, unless the page was met again and told nothing new.
    fn note(&mut self, page: &Page, told_before: usize) {
        if self.told() > told_before {
            self.context.note(page);
        }
    }

    fn task(&self) -> String {
        self.place.task()
    }

    fn failed(&self, source: graph::Error) -> Error {
        Error::graph(self.task(), source, streams::MESSAGES.permissions)
    }
}

/// Whether the page reaches below what is wanted, as far as can be told without completing its threads.
fn is_enough(page: &Page, stop: DateTime<Utc>) -> bool {
    let last = page.items().filter_map(|chain| Activity::of_chain(chain).known()).last();
    page.next().is_none() || last.is_some_and(|last| last < stop)
}

/// Why an attempt at a pass did not come to its end.
enum Refused {
    /// Graph no longer takes a link that it gave.
    Link(graph::Error),
    Page(graph::Error),
    Stop(Stop),
}

/// Whether the answer says that a link, or what it leads to, is not there any more.
pub(super) fn is_link_refused(error: &graph::Error) -> bool {
    matches!(error.status(), Some(400 | 404 | 410))
}
