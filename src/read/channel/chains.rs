//! Reading the chains of a page: the records of its roots and replies, and the threads that it has in part only.

use chrono::{DateTime, Utc};

use super::{
    activity::Activity,
    pair::{Pair, earlier},
    pass::Pass,
    reach::Reach,
    remaining_replies::RemainingReplies,
    remaining_requests::RemainingRequests,
    thread_pages::{ThreadPage, ThreadPages},
};
use crate::{
    error::Error,
    graph::{self, Item, Page},
    read::{
        context::Context,
        job::{Damage, Stop},
        place::Place,
    },
    streams::{self, MAX_TOP},
};

/// What reads the pages of a walk.
#[derive(Debug)]
pub(super) struct Chains<'w, 'c> {
    pub(super) context: &'w Context,
    pub(super) place: Place<'c>,
    pub(super) pair: Pair<'w, 'c>,
    pub(super) damage: &'w mut Damage,
    /// Whether Graph expands replies into their roots.
    pub(super) expands: bool,
    pub(super) remaining: RemainingRequests,
    pub(super) reach: Reach,
    /// How far down another run has to look for records that this one has held back.
    pub(super) owed: Option<DateTime<Utc>>,
}

/// What to do about the threads that a page has in part only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Threads {
    Complete,
    /// They were completed by the pass before, and have not moved since.
    Leave,
}

/// What a page shows of a chain.
#[derive(Debug)]
struct Chain {
    root: String,
    activity: Activity,
    /// Items of it that no record can be made of.
    damaged: u64,
    /// Whether it has replies beyond those on the page.
    has_more: bool,
    /// These, if they are wanted.
    rest: Option<RemainingReplies>,
    /// Whether a record of it is held back.
    is_owed: bool,
}

impl<'w, 'c> Chains<'w, 'c> {
    pub(super) fn new(context: &'w Context, place: Place<'c>, pair: Pair<'w, 'c>, damage: &'w mut Damage) -> Self {
        let (remaining, reach) = (RemainingRequests::default(), Reach::default());
        Self { context, place, pair, damage, expands: true, remaining, reach, owed: None }
    }

    /// Emits what a page holds, and completes its threads. The page itself is let go of before that: what waits holds no bodies.
    pub(super) async fn read(&mut self, page: Page, pass: &mut Pass<'_>, threads: Threads) -> Result<(), Stop> {
        let (mut chains, emitted) = (Vec::new(), self.pair.emitted());
        for chain in page.items() {
            chains.push(self.chain(chain, threads));
            self.pair.hand_over_many().await?;
        }
        self.pair.hand_over(self.context, page, emitted).await?;
        chains.iter().for_each(|chain| self.remaining.note_chain(chain.activity.known()));
        self.remaining.note_page(chains.iter().map(|chain| u32::from(chain.rest.is_some())).sum());
        self.set_urgency();
        let activities: Vec<_> = chains.iter().filter_map(|chain| chain.activity.known()).collect();
        let settled = self.pair.settled(pass.stop);
        // The oldest chain down to the one that is read: a pass down to that time reaches it again.
        let mut oldest = None;
        for chain in chains {
            self.damage.items += if pass.depth.is_below(pass.stop) { 0 } else { chain.damaged };
            let is_owed = chain.is_owed;
            // Below chains that are too old every chain is too old: it need not be completed.
            let activity = self.complete(chain, pass.depth.is_below(settled)).await?;
            oldest = activity.known().map_or(oldest, |activity| earlier(oldest, activity));
            pass.depth.note(activity);
            if self.pair.take_owed() || is_owed {
                self.note_owed(oldest.unwrap_or(pass.stop));
            }
        }
        self.set_urgency();
        self.reach.page(activities.into_iter());
        Ok(())
    }

    /// Adds the records of a chain, as far as the page has it.
    fn chain(&mut self, chain: Item<'_>, threads: Threads) -> Chain {
        let Some(id) = chain.id().filter(|_| !chain.is_damaged()) else {
            // It shows nothing of how far down the page is.
            let damaged = u64::from(self.pair.is_new_damage(chain));
            return Chain {
                root: String::new(),
                activity: Activity::Unknown,
                damaged,
                has_more: false,
                rest: None,
                is_owed: self.pair.take_owed(),
            };
        };
        let (mut activity, mut damaged, reach) = (Activity::of(chain), 0, self.reach);
        let has_read = || reach.has_read(Activity::of_chain(chain));
        if let Some(roots) = &mut self.pair.roots {
            roots.push(chain, &id, None, has_read);
        }
        for reply in chain.replies() {
            let (time, is_damage) = self.pair.reply(reply, &id, has_read);
            (activity, damaged) = (activity.later(time), damaged + u64::from(is_damage));
        }
        let has_more = self.has_more(chain);
        let rest = if threads == Threads::Complete { self.rest(chain) } else { None };
        let (root, is_owed) = (id.into_owned(), self.pair.take_owed());
        Chain { root, activity, damaged, has_more, rest, is_owed }
    }

    /// Whether the chain has replies that are not on the page, or may have.
    pub(super) fn has_more(&self, chain: Item<'_>) -> bool {
        let expanded = chain.replies().count();
        let is_counted = chain.replies_count().is_some_and(|count| count > expanded as u64);
        !self.expands || chain.replies_next().is_some() || is_counted || self.context.channels.expansion.is_cut(expanded)
    }

    /// The replies of a chain that are not on the page, if anybody wants them.
    fn rest(&self, chain: Item<'_>) -> Option<RemainingReplies> {
        if !self.expands {
            // Without them nothing is known of the chain's activity.
            return Some(RemainingReplies::of_all());
        }
        self.pair.replies.as_ref().and_then(|_| RemainingReplies::of(chain, &self.context.channels.expansion))
    }

    /// Takes note that another run has to look down to this time.
    fn note_owed(&mut self, down_to: DateTime<Utc>) {
        self.owed = earlier(self.owed, down_to);
        self.pair.note_owed(down_to);
    }

    /// Completes a chain, unless it is too old. Gives its activity, as far as it is known then.
    async fn complete(&mut self, chain: Chain, is_too_old: bool) -> Result<Activity, Stop> {
        match chain.rest {
            Some(rest) if !is_too_old && rest.is_wanted(&self.context.channels.expansion) => {
                let of_rest = self.rest_of_thread(rest, &chain.root).await?;
                self.remaining.note_end_of_thread();
                Ok(chain.activity.later(of_rest))
            }
            _ if chain.has_more => Ok(Activity::Unknown),
            _ => Ok(chain.activity),
        }
    }

    /// Reads the replies that did not come with their root. A thread that Graph does not give is damage: it must not stop the channel.
    async fn rest_of_thread(&mut self, rest: RemainingReplies, root: &str) -> Result<Activity, Stop> {
        let (context, Place { team, channel, .. }) = (self.context, self.place);
        let (list, message) = (streams::thread(team, channel, root, MAX_TOP), streams::message(team, channel, root));
        let mut pages = ThreadPages::of_listed(list, message, rest, &context.channels.expansion);
        let mut newest = Activity::None;
        loop {
            match pages.next(context).await {
                Ok(Some(ThreadPage { page, .. })) => newest = newest.later(self.page_of_thread(page, pages.rest(), root).await?),
                Ok(None) => return Ok(newest),
                Err(error) if pages.is_gone(context, &error).await => return Ok(Activity::Unknown),
                Err(error) => return self.thread_failed(error, root),
            }
        }
    }

    /// Adds the records of a page of a thread. Gives the newest time on it.
    async fn page_of_thread(&mut self, page: Page, rest: Option<&RemainingReplies>, root: &str) -> Result<Activity, Stop> {
        let mut newest = Activity::None;
        for reply in page.items() {
            // The list begins with what came with the root.
            let is_known = rest.is_some_and(|rest| rest.knows(reply));
            let (time, is_damage) = if is_known { (Activity::of(reply), false) } else { self.pair.reply(reply, root, || None) };
            newest = newest.later(time);
            self.damage.items += u64::from(is_damage);
        }
        let emitted = self.pair.emitted();
        self.pair.hand_over(self.context, page, emitted).await?;
        self.remaining.note_page_of_thread();
        self.set_urgency();
        Ok(newest)
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

    fn set_urgency(&self) {
        self.context.remains(self.remaining.requests());
    }
}
