//! Reads the chains on a page: emits the records of root messages and replies, and fetches the replies that are not on the page.

use chrono::{DateTime, Utc};

use super::{
    activity::Activity,
    pass::Pass,
    reach::Reach,
    remaining_replies::RemainingReplies,
    remaining_requests::RemainingRequests,
    thread_pages::{ThreadPage, ThreadPages},
    walk_streams::{WalkStreams, earlier},
};
use crate::{
    error::Error,
    graph::{self, Item, Page},
    read::{
        channel_ref::ChannelRef,
        context::Context,
        job::{Damage, JobError},
    },
    streams::{self, MAX_TOP},
};

/// Reads the pages of one walk.
#[derive(Debug)]
pub(super) struct ChainReader<'w, 'c> {
    pub(super) context: &'w Context,
    pub(super) channel: ChannelRef<'c>,
    pub(super) streams: WalkStreams<'w, 'c>,
    pub(super) damage: &'w mut Damage,
    /// Whether Graph returns replies together with their root messages.
    pub(super) expands: bool,
    pub(super) remaining: RemainingRequests,
    pub(super) reach: Reach,
    /// How far down the next run has to read to find the records that this run held back.
    pub(super) owed: Option<DateTime<Utc>>,
}

/// What to do about threads of which a page has only some replies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Threads {
    Complete,
    /// The previous pass completed them, and they have not moved since.
    Skip,
}

/// A chain as far as the page shows it.
#[derive(Debug)]
struct ListedChain {
    root: String,
    activity: Activity,
    /// Items that cannot be made into a record.
    damaged: u64,
    /// Whether there are replies that are not on the page.
    has_more: bool,
    /// The replies that are not on the page, if a stream needs them.
    rest: Option<RemainingReplies>,
    /// Whether a record of this chain was held back.
    is_owed: bool,
}

impl<'w, 'c> ChainReader<'w, 'c> {
    pub(super) fn new(context: &'w Context, channel: ChannelRef<'c>, streams: WalkStreams<'w, 'c>, damage: &'w mut Damage) -> Self {
        let (remaining, reach) = (RemainingRequests::default(), Reach::default());
        Self { context, channel, streams, damage, expands: true, remaining, reach, owed: None }
    }

    /// Emits the records on a page and then completes its threads. The page is released first, so that no response body is kept in memory
    /// while waiting.
    pub(super) async fn read(&mut self, page: Page, pass: &mut Pass<'_>, threads: Threads) -> Result<(), JobError> {
        let (mut chains, emitted) = (Vec::new(), self.streams.emitted());
        for chain in page.items() {
            chains.push(self.chain(chain, threads));
            self.streams.flush_if_full().await?;
        }
        self.streams.flush(self.context, page, emitted).await?;
        chains.iter().for_each(|chain| self.remaining.note_chain(chain.activity.known()));
        self.remaining.note_page(chains.iter().map(|chain| u32::from(chain.rest.is_some())).sum());
        self.set_priority();
        let activities: Vec<_> = chains.iter().filter_map(|chain| chain.activity.known()).collect();
        let settled = self.streams.settled(pass.stop);
        // The oldest activity up to and including the current chain: a pass down to that time reaches the chain again.
        let mut oldest = None;
        for chain in chains {
            self.damage.items += if pass.depth.is_below(pass.stop) { 0 } else { chain.damaged };
            let is_owed = chain.is_owed;
            // All further chains are too old as well, so they need not be completed.
            let activity = self.complete(chain, pass.depth.is_below(settled)).await?;
            oldest = activity.known().map_or(oldest, |activity| earlier(oldest, activity));
            pass.depth.note(activity);
            if self.streams.take_owed() || is_owed {
                self.note_owed(oldest.unwrap_or(pass.stop));
            }
        }
        self.set_priority();
        self.reach.note_page(activities.into_iter());
        Ok(())
    }

    /// Adds the records of the part of a chain that is on the page.
    fn chain(&mut self, chain: Item<'_>, threads: Threads) -> ListedChain {
        let Some(id) = chain.id().filter(|_| !chain.is_damaged()) else {
            // Without an id or times it does not show how far down the page is.
            let damaged = u64::from(self.streams.should_report_damage(chain));
            return ListedChain {
                root: String::new(),
                activity: Activity::Unknown,
                damaged,
                has_more: false,
                rest: None,
                is_owed: self.streams.take_owed(),
            };
        };
        let (mut activity, mut damaged, reach) = (Activity::from_message(chain), 0, self.reach);
        let has_read = || reach.has_read(Activity::from_chain(chain));
        if let Some(roots) = &mut self.streams.roots {
            roots.push(chain, &id, None, has_read);
        }
        for reply in chain.replies() {
            let (time, is_damage) = self.streams.reply(reply, &id, has_read);
            (activity, damaged) = (activity.later(time), damaged + u64::from(is_damage));
        }
        let has_more = self.has_more(chain);
        let rest = if threads == Threads::Complete { self.rest(chain) } else { None };
        let (root, is_owed) = (id.into_owned(), self.streams.take_owed());
        ListedChain { root, activity, damaged, has_more, rest, is_owed }
    }

    /// Whether the chain has, or may have, replies that are not on the page.
    pub(super) fn has_more(&self, chain: Item<'_>) -> bool {
        let expanded = chain.replies().count();
        let is_counted = chain.replies_count().is_some_and(|count| count > expanded as u64);
        !self.expands || chain.replies_next().is_some() || is_counted || self.context.channels.expansion.is_cut(expanded)
    }

    /// The replies of a chain that are not on the page, if a stream needs them.
    fn rest(&self, chain: Item<'_>) -> Option<RemainingReplies> {
        if !self.expands {
            // The chain's activity is unknown without its replies.
            return Some(RemainingReplies::all());
        }
        self.streams.replies.as_ref().and_then(|_| RemainingReplies::from_root(chain, &self.context.channels.expansion))
    }

    /// Records that the next run has to read down to this time.
    fn note_owed(&mut self, down_to: DateTime<Utc>) {
        self.owed = earlier(self.owed, down_to);
        self.streams.note_owed(down_to);
    }

    /// Fetches the missing replies of a chain unless it is too old. Returns the chain's activity as far as it is known afterwards.
    async fn complete(&mut self, chain: ListedChain, is_too_old: bool) -> Result<Activity, JobError> {
        match chain.rest {
            Some(rest) if !is_too_old && rest.may_be_missing(&self.context.channels.expansion) => {
                let newest_reply = self.read_rest_of_thread(rest, &chain.root).await?;
                self.remaining.note_end_of_thread();
                Ok(chain.activity.later(newest_reply))
            }
            _ if chain.has_more => Ok(Activity::Unknown),
            _ => Ok(chain.activity),
        }
    }

    /// Reads the replies that are not on the page of their root. A thread that Graph refuses counts as damage: it must not stop the
    /// channel.
    async fn read_rest_of_thread(&mut self, rest: RemainingReplies, root: &str) -> Result<Activity, JobError> {
        let (context, ChannelRef { team_id: team, id: channel, .. }) = (self.context, self.channel);
        let (list, message) = (streams::thread(team, channel, root, MAX_TOP), streams::message(team, channel, root));
        let mut pages = ThreadPages::for_listed(list, message, rest, &context.channels.expansion);
        let mut newest = Activity::None;
        loop {
            match pages.next(context).await {
                Ok(Some(ThreadPage { page, .. })) => newest = newest.later(self.read_thread_page(page, pages.rest(), root).await?),
                Ok(None) => return Ok(newest),
                Err(error) if pages.is_gone(context, &error).await => return Ok(Activity::Unknown),
                Err(error) => return self.thread_failed(error, root),
            }
        }
    }

    /// Adds the records of a page of a thread. Returns the newest time on it.
    async fn read_thread_page(&mut self, page: Page, rest: Option<&RemainingReplies>, root: &str) -> Result<Activity, JobError> {
        let mut newest = Activity::None;
        for reply in page.items() {
            // The list begins with the replies that came with the root.
            let is_known = rest.is_some_and(|rest| rest.knows(reply));
            let (time, is_damage) =
                if is_known { (Activity::from_message(reply), false) } else { self.streams.reply(reply, root, || None) };
            newest = newest.later(time);
            self.damage.items += u64::from(is_damage);
        }
        let emitted = self.streams.emitted();
        self.streams.flush(self.context, page, emitted).await?;
        self.remaining.note_thread_page();
        self.set_priority();
        Ok(newest)
    }

    fn thread_failed(&mut self, mut source: graph::Error, root: &str) -> Result<Activity, JobError> {
        // The root came with an earlier page, so the thread's pages are later pages.
        source.is_later_page |= matches!(source.status(), Some(400 | 403 | 404 | 410));
        let is_lost = source.is_link_lost(None);
        let task = format!("{}, thread {root}", self.channel.task());
        let error = Error::graph(task, source, streams::MESSAGES.permissions);
        if !is_lost {
            return Err(error.into());
        }
        self.damage.thread.get_or_insert(error);
        Ok(Activity::Unknown)
    }

    fn set_priority(&self) {
        self.context.set_remaining_requests(self.remaining.requests());
    }
}
