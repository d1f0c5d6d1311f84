//! The walk through the chains of a channel, newest activity first: one walk for the roots and the replies (graph.md 2.5).
//!
//! A chain is a root message with its replies; its activity is the newest of lastModifiedDateTime, lastEditedDateTime and deletedDateTime
//! among them. A pass goes from the top down, whole pages at a time, and stops behind a page whose last chains are older than what is wanted.
//! Chains move to the top while we page, and their old place would never be met again: so a walk of more than one page goes once more from
//! the top down to where the pass before began, until a pass needs one page only, or begins as the pass before began: then nothing moved in
//! between. A page is one moment.

use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use tracing::{debug, warn};

use super::{
    activity::{Activity, Descent, Top},
    ahead::Ahead,
    part::Part,
    reach::Reach,
    restarts::Restarts,
};
use crate::{
    error::Error,
    graph::{self, Cause, Item, Link, Page, Pages},
    read::{
        context::{Context, Remark},
        job::{Damage, Stop},
        place::Place,
        rest::Rest,
    },
    streams::{self, MAX_TOP},
};

/// Chains on the first page of a pass that will hardly need a second one: most channels have changed little since the last run.
pub(crate) const PROBE: u64 = 20;

/// So many passes a run at most: a channel that changes faster than it can be read would never end.
const MAX_PASSES: u32 = 12;

/// A walk for one or two streams that stand at the same place.
pub(crate) struct Walk<'w, 'c> {
    context: &'w Context,
    place: Place<'c>,
    roots: Option<&'w mut Part<'c>>,
    replies: Option<&'w mut Part<'c>>,
    damage: &'w mut Damage,
    /// Whether Graph expands replies into their roots.
    expands: bool,
    restarts: Restarts,
    ahead: Ahead,
    reach: Reach,
    /// How far down another run has to look for records that this one has held back.
    owed: Option<DateTime<Utc>>,
    /// Pages since the last report, those of threads included.
    pages: u64,
}

/// What a page tells of a chain.
struct Chain {
    root: String,
    activity: Activity,
    /// Items of it that no record can be made of.
    damaged: u64,
    /// Whether it has replies beyond those on the page.
    goes_on: bool,
    /// These, if they are wanted.
    rest: Option<Rest>,
}

/// What a pass came to.
struct Pass {
    top: Top,
    /// Pages of it, those that an earlier run read counted as one.
    read: u64,
    /// Whether this run read it from its first page on.
    is_from_top: bool,
    /// Whether its pages went round before it came down to what is wanted.
    is_cut: bool,
}

/// Why an attempt at a pass did not come to its end.
enum Refused {
    /// Graph no longer takes a link that it gave: what the pass had come to.
    Link(graph::Error, Box<Pass>),
    Page(graph::Error),
    Stop(Stop),
}

/// Whether two streams stand at the same place, so that one walk can feed both.
pub(crate) fn are_together(one: &mut Part<'_>, other: &mut Part<'_>) -> bool {
    let (one, other) = (one.walk(), other.walk());
    // A closing pass that went on to the bottom for the other stream would tell everything again.
    let (phase, other_phase) = (one.until.is_some(), other.until.is_some());
    one.link == other.link && phase == other_phase && (one.link.is_none() || (one.head, one.read_at) == (other.head, other.read_at))
}

impl<'w, 'c> Walk<'w, 'c> {
    pub(crate) fn new(
        context: &'w Context,
        place: Place<'c>,
        roots: Option<&'w mut Part<'c>>,
        replies: Option<&'w mut Part<'c>>,
        damage: &'w mut Damage,
    ) -> Self {
        Self {
            context,
            place,
            roots,
            replies,
            damage,
            expands: true,
            restarts: Restarts::default(),
            ahead: Ahead::default(),
            reach: Reach::default(),
            owed: None,
            pages: 0,
        }
    }

    /// Walks until both streams know all that changed.
    pub(crate) async fn run(mut self) -> Result<(), Stop> {
        self.parts().for_each(|part| _ = part.walk());
        let mut last: Option<Top> = None;
        for _ in 0..MAX_PASSES {
            let pass = self.pass(last.as_ref()).await?;
            if pass.is_from_top && !pass.is_cut {
                // What an earlier run held back was met now.
                let owed = self.owed;
                self.parts().for_each(|part| part.walk().owed = owed);
            }
            if pass.read <= 1 || last.as_ref().is_some_and(|last| pass.top.is_like(last)) {
                return self.end(pass.top.head);
            }
            if pass.is_cut {
                self.reach.restart();
            } else {
                self.reach.bottom();
            }
            let newest = self.parts().filter_map(|part| part.newest).max().max(pass.top.head);
            for part in self.parts() {
                let visible = part.visible();
                let walk = part.walk();
                (walk.until, walk.link) = ([newest, visible, walk.owed].into_iter().flatten().min(), None);
            }
            self.report(false)?;
            last = Some(pass.top);
        }
        warn!(
            "channel {} of team {} changes faster than it can be read: what changed in the last moments comes with the next run",
            self.place.channel, self.place.team
        );
        self.report(true)
    }

    /// Ends the walk, whose last pass saw this head. What was held back is left to the next run, for both streams, lest it walks twice.
    fn end(&mut self, head: Option<DateTime<Utc>>) -> Result<(), Stop> {
        let owed = self.owed;
        self.parts().for_each(|part| match owed {
            Some(_) => part.leave_walk(owed),
            None => part.finish_walk(head),
        });
        self.report(true)
    }

    fn parts(&mut self) -> impl Iterator<Item = &mut Part<'c>> {
        self.roots.iter_mut().chain(&mut self.replies).map(|part| &mut **part)
    }

    /// Below this time the pass has nothing for any stream.
    fn stop(&mut self) -> DateTime<Utc> {
        let stops = self.parts().map(|part| {
            let walk = part.walk();
            walk.until.unwrap_or(walk.floor)
        });
        stops.min().unwrap_or_default()
    }

    /// Below this time no thread needs to be completed: no reply is wanted.
    fn settled(&mut self, stop: DateTime<Utc>) -> DateTime<Utc> {
        self.replies.as_mut().map_or(stop, |part| part.walk().floor.max(stop))
    }

    /// Whether a small page will hardly need another one behind it.
    fn is_probe(&mut self) -> bool {
        self.parts().all(is_settled)
    }

    /// Reads from the top, or from where the pass stood, down to what the streams want.
    async fn pass(&mut self, last: Option<&Top>) -> Result<Pass, Stop> {
        let mut refused_expansion = None;
        loop {
            match self.attempt(last).await {
                // A link is good for a while only; the walk itself does not depend on it.
                Err(Refused::Link(error, pass)) if self.restarts.allows(pass.read) => {
                    debug!("{}: the next page is no longer given; the pass begins again: {error}", self.place.task());
                    self.reach.restart();
                    self.parts().for_each(|part| part.walk().link = None);
                }
                Err(Refused::Page(error)) if self.expands && is_expansion_refused(&error) => {
                    (self.expands, refused_expansion) = (false, Some(error));
                }
                Err(Refused::Link(error, pass)) if matches!(error.cause, Cause::EndlessPaging(_)) => return Ok(self.cut(error, *pass)),
                Err(Refused::Link(error, _) | Refused::Page(error)) => {
                    return Err(Error::graph(self.place.task(), error, streams::MESSAGES.permissions).into());
                }
                Err(Refused::Stop(stop)) => return Err(stop),
                Ok(pass) => {
                    // Where Graph refuses without replies as well, they are not the reason.
                    if let Some(error) = refused_expansion {
                        let Place { team, channel, .. } = self.place;
                        let sentence = format!(
                            "Graph refuses to list the messages of channel {channel} of team {team} with their replies: each thread is read \
                             by itself, which takes a request for each; {error}"
                        );
                        self.context.remark(Remark::Expansion, sentence);
                    }
                    return Ok(pass);
                }
            }
        }
    }

    async fn attempt(&mut self, last: Option<&Top>) -> Result<Pass, Refused> {
        let Place { team, channel, facts } = self.place;
        let size = self.parts().filter_map(|part| part.config.top).min().unwrap_or(MAX_TOP).min(MAX_TOP);
        let (stored, head, got_at) = match self.parts().next() {
            Some(part) => (part.walk().link.clone(), part.walk().head, part.walk().read_at),
            None => (None, None, None),
        };
        let stop = self.stop();
        let mut probes = stored.is_none() && PROBE < size && self.is_probe();
        if stored.is_some() {
            let is_of_roots = self.parts().any(|part| part.walk().is_of_roots);
            self.expands = !is_of_roots;
        }
        let (is_from_top, mut read) = (stored.is_none(), u64::from(stored.is_some()));
        // Of a resumed pass the first page was read by an earlier run.
        let mut top = head.filter(|_| stored.is_some()).map(|head| Top::of_unseen(Some(head)));
        let list = if self.expands { streams::walk } else { streams::roots };
        let first = list(team, channel, if probes { PROBE } else { size });
        let link = stored.as_deref().and_then(Link::from_path);
        let mut pages = link.map_or_else(|| Pages::new(first.clone()), |link| Pages::from_link(&link, &first));
        let mut descent = Descent::default();
        self.ahead = Ahead::new(stop, facts.created);
        loop {
            let page = match pages.next(&self.context.client).await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) if read > 0 && error.is_link_lost(got_at) => {
                    let top = top.unwrap_or_else(|| Top::of_unseen(None));
                    return Err(Refused::Link(error, Box::new(Pass { top, read, is_from_top, is_cut: false })));
                }
                Err(error) => return Err(Refused::Page(error)),
            };
            if std::mem::take(&mut probes) && !is_enough(&page, stop) {
                // More has changed than a small page holds: once more, with the largest ones.
                pages = pages.instead(list(team, channel, size));
                continue;
            }
            // Where nothing has moved since the pass before, there is nothing to be read again.
            let seen = top.is_none().then(|| Top::of(&page, |chain| self.goes_on(chain)));
            let newest = seen.as_ref().or(top.as_ref()).and_then(|top| top.head);
            let now = page.date().believed(newest);
            let is_unmoved = read == 0 && seen.as_ref().zip(last).is_some_and(|(seen, last)| seen.is_like(last));
            if read == 0 {
                // The chain at the top stays there when replies of it change that the page does not show: they are known as of the pass before.
                let hides = is_unmoved && [seen.as_ref(), last].into_iter().flatten().any(|top| top.goes_on);
                for part in self.roots.iter_mut().chain(self.replies.iter_mut().filter(|_| !hides)) {
                    let walk = part.walk();
                    (walk.head, walk.read_at) = (None, Some(now));
                    walk.began.get_or_insert(now);
                }
            }
            // A page may be empty, or tell no time, and have a next one all the same.
            if seen.is_some() {
                top = seen.filter(|top| top.head.is_some() || page.next().is_none());
                self.parts().for_each(|part| part.walk().head = top.as_ref().and_then(|top| top.head));
            }
            read += 1;
            let next = page.next().cloned();
            let overlap = self.parts().map(|part| part.overlap()).max().unwrap_or_default();
            self.reach.begin(now, overlap);
            self.page(page, stop, &mut descent, !is_unmoved).await.map_err(Refused::Stop)?;
            self.parts().for_each(|part| part.now = Some(now));
            let Some(next) = next.filter(|_| !is_unmoved && !descent.is_below(stop)) else { break };
            let expands = self.expands;
            for part in self.parts() {
                let link = part.storable(&next);
                let walk = part.walk();
                (walk.link, walk.is_of_roots) = (link, !expands);
            }
            self.report(false).map_err(Refused::Stop)?;
        }
        Ok(Pass { top: top.unwrap_or_else(|| Top::of_unseen(None)), read, is_from_top, is_cut: false })
    }

    /// Ends a pass whose pages go round: what is older than all that it met cannot be had for now. The walk itself goes on, else the next run
    /// would begin by reading all of it again.
    fn cut(&mut self, error: graph::Error, pass: Pass) -> Pass {
        let error = Error::graph(self.place.task(), error, streams::MESSAGES.permissions);
        self.damage.older.get_or_insert(error);
        let reached = self.reach.oldest();
        self.parts().for_each(|part| part.note_gap(reached));
        Pass { is_cut: true, ..pass }
    }

    /// Tells what a page holds, and completes its threads if it shall. The page itself is let go of before that: what waits holds no bodies.
    async fn page(&mut self, page: Page, stop: DateTime<Utc>, descent: &mut Descent, completes: bool) -> Result<(), Stop> {
        let settled = self.settled(stop);
        let mut chains = Vec::new();
        let told = self.told();
        for chain in page.items() {
            let chain = self.chain(chain, completes);
            chains.push((chain, self.take_owed()));
            for part in self.roots.iter_mut().chain(&mut self.replies) {
                part.hand_over_many().await?;
            }
        }
        self.hand_over(page, told).await?;
        chains.iter().for_each(|(chain, _)| self.ahead.meet(chain.activity.known()));
        self.ahead.page(chains.iter().map(|(chain, _)| u32::from(chain.rest.is_some())).sum());
        self.set_urgency();
        let activities: Vec<_> = chains.iter().filter_map(|(chain, _)| chain.activity.known()).collect();
        // The oldest chain down to the one that is read: a pass down to that time reaches it again.
        let mut oldest = None;
        for (Chain { root, activity, damaged, goes_on, rest }, owes) in chains {
            self.damage.items += if descent.is_below(stop) { 0 } else { damaged };
            let activity = match rest {
                // Below chains that are too old every chain is too old: it need not be completed.
                Some(rest) if !descent.is_below(settled) && rest.is_wanted(&self.context.expansion) => {
                    let of_rest = self.complete(rest, &root).await?;
                    self.ahead.thread();
                    activity.later(of_rest)
                }
                _ if goes_on => Activity::Unknown,
                _ => activity,
            };
            oldest = [oldest, activity.known()].into_iter().flatten().min();
            descent.meet(activity);
            if self.take_owed() || owes {
                self.note_owed(oldest.unwrap_or(stop));
            }
        }
        self.set_urgency();
        self.reach.page(activities.into_iter());
        Ok(())
    }

    /// Whether records were held back since this was asked last.
    fn take_owed(&mut self) -> bool {
        self.parts().fold(false, |owes, part| part.take_owed() | owes)
    }

    /// Takes note that another run has to look down to this time.
    fn note_owed(&mut self, down_to: DateTime<Utc>) {
        let earlier = |owed: Option<DateTime<Utc>>| Some(owed.map_or(down_to, |owed| owed.min(down_to)));
        self.owed = earlier(self.owed);
        for walk in self.parts().map(Part::walk) {
            walk.owed = earlier(walk.owed);
        }
    }

    /// Adds the records of a chain, as far as the page has it.
    fn chain(&mut self, chain: Item<'_>, completes: bool) -> Chain {
        let Some(id) = chain.id().filter(|_| !chain.is_damaged()) else {
            // It tells nothing about how far down the page is.
            return Chain { root: String::new(), activity: Activity::Unknown, damaged: self.damaged(chain), goes_on: false, rest: None };
        };
        let (mut activity, mut damaged, reach) = (Activity::of(chain), 0, self.reach);
        let has_read = || reach.has_read(Activity::of_chain(chain));
        if let Some(roots) = &mut self.roots {
            roots.push(chain, &id, None, has_read);
        }
        for reply in chain.replies() {
            activity = activity.later(self.reply(reply, &id, &mut damaged, has_read));
        }
        let goes_on = self.goes_on(chain);
        let rest = if completes { self.rest(chain) } else { None };
        Chain { root: id.into_owned(), activity, damaged, goes_on, rest }
    }

    /// Whether the chain has replies that are not on the page, or may have.
    fn goes_on(&self, chain: Item<'_>) -> bool {
        let expanded = chain.replies().count();
        let is_counted = chain.replies_count().is_some_and(|count| count > expanded as u64);
        !self.expands || chain.replies_next().is_some() || is_counted || self.context.expansion.is_cut(expanded)
    }

    /// The replies of a chain that are not on the page, if anybody wants them.
    fn rest(&self, chain: Item<'_>) -> Option<Rest> {
        if !self.expands {
            // Without them nothing is known of the chain's activity.
            return Some(Rest::of_all());
        }
        self.replies.as_ref().and_then(|_| Rest::of(chain, &self.context.expansion))
    }

    /// Reads the replies that did not come with their root. A thread that Graph does not give is damage: it must not stop the channel.
    async fn complete(&mut self, rest: Rest, root: &str) -> Result<Activity, Stop> {
        let context = self.context;
        let list = streams::thread(self.place.team, self.place.channel, root, MAX_TOP);
        let page_size = || context.replies_page.load(Ordering::Relaxed);
        let link = rest.link.as_ref().filter(|_| !rest.is_better_listed(0, 0, page_size()));
        let mut by_link = link.is_some();
        let mut pages = link.map_or_else(|| Pages::new(list.clone()), |link| Pages::from_link(link, &list));
        let (mut read, mut seen, mut restarts) = (0, 0, Restarts::default());
        let mut newest = Activity::None;
        loop {
            let page = match pages.next(&context.client).await {
                Ok(Some(page)) => page,
                Ok(None) => {
                    if !by_link {
                        context.expansion.learn(&rest, seen);
                    }
                    return Ok(newest);
                }
                // The link may have aged, or the thread may have gone meanwhile: asked for from its beginning, it tells.
                Err(error)
                    if (by_link || read > 0) && error.is_link_lost(None) && restarts.allows(if by_link { 0 } else { read as u64 }) =>
                {
                    (by_link, read, seen) = (false, 0, 0);
                    pages = Pages::new(list.clone());
                    continue;
                }
                Err(error) if !by_link && read == 0 && error.is_missing() && self.is_gone(root).await => return Ok(Activity::Unknown),
                Err(source) => return self.thread_failed(source, root),
            };
            let (mut damaged, before) = (0, seen);
            for reply in page.items() {
                seen += 1;
                // The list begins with what came with the root.
                let activity = if rest.knows(reply) { Activity::of(reply) } else { self.reply(reply, root, &mut damaged, || None) };
                newest = newest.later(activity);
            }
            read += 1;
            let has_next = page.next().is_some();
            self.damage.items += damaged;
            let told = self.told();
            self.hand_over(page, told).await?;
            self.ahead.page_of_thread();
            self.set_urgency();
            if by_link && has_next {
                context.replies_page.store(seen - before, Ordering::Relaxed);
                if rest.is_better_listed(read, seen, page_size()) {
                    (by_link, read, seen) = (false, 0, 0);
                    pages = Pages::new(list.clone());
                }
            }
        }
    }

    fn thread_failed(&mut self, mut source: graph::Error, root: &str) -> Result<Activity, Stop> {
        // Its root, which came with a page, is its beginning.
        source.is_later_page |= matches!(source.status(), Some(400 | 403 | 404 | 410));
        let is_lost = source.is_link_lost(None);
        let task = format!("{}, thread {root}", self.place.task());
        let error = Error::graph(task, source, streams::MESSAGES.permissions);
        if !is_lost {
            return Err(error.into());
        }
        self.damage.thread.get_or_insert(error);
        Ok(Activity::Unknown)
    }

    /// Whether a message that was on a page is no longer there.
    async fn is_gone(&self, message: &str) -> bool {
        let Place { team, channel, .. } = self.place;
        let answer = self.context.client.object(&streams::message(team, channel, message)).await;
        answer.is_err_and(|error| error.is_missing())
    }

    /// Adds the record of a reply, or counts it as damaged.
    fn reply(&mut self, reply: Item<'_>, root: &str, damaged: &mut u64, has_read: impl FnOnce() -> Option<bool>) -> Activity {
        let Some(id) = reply.id().filter(|_| !reply.is_damaged()) else {
            *damaged += if self.replies.is_some() { self.damaged(reply) } else { 0 };
            return Activity::Unknown;
        };
        match &mut self.replies {
            Some(part) => part.push(reply, &id, Some(root), has_read),
            None => Activity::of(reply),
        }
    }

    /// Counts an item that no record can be made of, if it is new to a stream.
    fn damaged(&mut self, item: Item<'_>) -> u64 {
        // Each stream takes note of it.
        let is_new = self.parts().map(|part| part.is_new_damage(item)).fold(false, |any, is_new| any | is_new);
        u64::from(is_new)
    }

    /// Hands over what was added from a page, and lets go of it. What was changed in its texts counts, unless the page was met again and told
    /// nothing new.
    async fn hand_over(&mut self, page: Page, told_before: usize) -> Result<(), Stop> {
        self.pages += 1;
        let (cleaned, held) = (page.cleaned(), page.into_held());
        for part in self.roots.iter_mut().chain(&mut self.replies) {
            part.hand_over().await?;
        }
        drop(held);
        if self.told() > told_before {
            self.context.note(cleaned);
        }
        Ok(())
    }

    fn set_urgency(&self) {
        self.context.remains(self.ahead.requests());
    }

    fn report(&mut self, end: bool) -> Result<(), Stop> {
        let pages = std::mem::take(&mut self.pages);
        Ok(self.parts().try_for_each(|part| part.report(pages, end))?)
    }

    fn told(&mut self) -> usize {
        self.parts().map(|part| part.told).sum()
    }
}

/// Whether little can have changed since the channel was read last.
pub(crate) fn is_settled(part: &mut Part<'_>) -> bool {
    let was_read = part.state.read_at.is_some() && !part.has_gap();
    part.walk().until.is_some() || was_read
}

/// Whether the page reaches below what is wanted, as far as can be told without completing its threads.
fn is_enough(page: &Page, stop: DateTime<Utc>) -> bool {
    let mut descent = Descent::default();
    page.items().for_each(|chain| descent.meet(Activity::of_chain(chain)));
    page.next().is_none() || descent.is_below(stop)
}

/// Whether Graph may have refused a page for `$expand=replies`.
pub(crate) fn is_expansion_refused(error: &graph::Error) -> bool {
    error.status() == Some(400) && !error.is_transient()
}
