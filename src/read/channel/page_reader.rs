//! Reads a page of threads: emits the records of root messages and replies, and fetches the replies that are not on the page.

use chrono::{DateTime, Utc};

use super::{
    activity::Activity,
    pass::Pass,
    remaining_replies::RemainingReplies,
    remaining_requests::RemainingRequests,
    thread_pages::{ThreadPage, ThreadPages},
    walk_depth::WalkDepth,
    walk_streams::{WalkStreams, earlier},
};
use crate::{
    error::Error,
    graph::{self, Item, Page},
    read::{
        channel_ref::ChannelRef,
        context::Context,
        job::{JobError, Skipped},
    },
    streams::{self, MAX_TOP},
};

/// Reads the pages of one walk.
#[derive(Debug)]
pub(super) struct PageReader<'w, 'c> {
    pub(super) context: &'w Context,
    pub(super) channel: ChannelRef<'c>,
    pub(super) streams: WalkStreams<'w, 'c>,
    pub(super) skipped: &'w mut Skipped,
    /// Whether Graph returns replies together with their root messages.
    pub(super) expands_replies: bool,
    pub(super) remaining: RemainingRequests,
    pub(super) walk_depth: WalkDepth,
    /// How far down the next run has to read to find the records that this run deferred.
    pub(super) oldest_deferred: Option<DateTime<Utc>>,
}

/// What to do about replies that are not on the page of their root message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum MissingReplies {
    Fetch,
    /// The previous pass fetched them, and their threads have not moved since.
    Ignore,
}

/// A thread as far as its page shows it.
#[derive(Debug)]
struct ListedThread {
    root_id: String,
    activity: Activity,
    /// Number of new items that cannot be made into a record.
    skipped: u64,
    /// Whether some replies are not, or may not be, on the page.
    has_more: bool,
    /// The replies that are not on the page, if a stream needs them.
    remaining: Option<RemainingReplies>,
    has_deferred: bool,
}

impl<'w, 'c> PageReader<'w, 'c> {
    pub(super) fn new(context: &'w Context, channel: ChannelRef<'c>, streams: WalkStreams<'w, 'c>, skipped: &'w mut Skipped) -> Self {
        let (remaining, walk_depth) = (RemainingRequests::default(), WalkDepth::default());
        Self { context, channel, streams, skipped, expands_replies: true, remaining, walk_depth, oldest_deferred: None }
    }

    /// Emits the records on a page and then completes its threads. The page is released first, so that no response body is kept in memory
    /// while waiting.
    pub(super) async fn read(&mut self, page: Page, pass: &mut Pass<'_>, missing_replies: MissingReplies) -> Result<(), JobError> {
        let (mut threads, emitted) = (Vec::new(), self.streams.emitted());
        for root in page.items() {
            threads.push(self.add_records(root, missing_replies));
            self.streams.flush_if_full().await?;
        }
        self.streams.flush(self.context, page, emitted).await?;
        threads.iter().for_each(|thread| self.remaining.note_thread(thread.activity.known()));
        self.remaining.note_page(threads.iter().map(|thread| u32::from(thread.remaining.is_some())).sum());
        self.set_priority();
        let activities: Vec<_> = threads.iter().filter_map(|thread| thread.activity.known()).collect();
        let replies_needed_since = self.streams.replies_needed_since(pass.stop);
        // The oldest activity up to and including the current thread: a pass down to that time reaches the thread again.
        let mut oldest = None;
        for thread in threads {
            self.skipped.items += if pass.depth.is_below(pass.stop) { 0 } else { thread.skipped };
            let has_deferred = thread.has_deferred;
            // All further threads are too old as well, so they need not be completed.
            let activity = self.complete(thread, pass.depth.is_below(replies_needed_since)).await?;
            oldest = activity.known().map_or(oldest, |activity| earlier(oldest, activity));
            pass.depth.note(activity);
            if self.streams.take_deferred() || has_deferred {
                self.note_deferred(oldest.unwrap_or(pass.stop));
            }
        }
        self.set_priority();
        self.walk_depth.note_page(activities.into_iter());
        Ok(())
    }

    /// Adds the records of the part of a thread that is on the page.
    fn add_records(&mut self, root: Item<'_>, missing_replies: MissingReplies) -> ListedThread {
        let Some(id) = root.id().filter(|_| !root.is_malformed()) else {
            // Without an id or times, the message does not show how far down the page is.
            let skipped = u64::from(self.streams.note_skipped_by_walk(root));
            return ListedThread {
                root_id: String::new(),
                activity: Activity::Unknown,
                skipped,
                has_more: false,
                remaining: None,
                has_deferred: self.streams.take_deferred(),
            };
        };
        let (mut activity, mut skipped, walk_depth) = (Activity::from_message(root), 0, self.walk_depth);
        let has_read = || walk_depth.has_read(Activity::from_thread(root));
        if let Some(roots) = &mut self.streams.roots {
            roots.push(root, &id, None, has_read);
        }
        for reply in root.replies() {
            let (time, is_newly_skipped) = self.streams.add_reply(reply, &id, has_read);
            (activity, skipped) = (activity.later(time), skipped + u64::from(is_newly_skipped));
        }
        let has_more = self.has_more_replies(root);
        let remaining = if missing_replies == MissingReplies::Fetch { self.remaining_replies(root) } else { None };
        let (root_id, has_deferred) = (id.into_owned(), self.streams.take_deferred());
        ListedThread { root_id, activity, skipped, has_more, remaining, has_deferred }
    }

    /// Whether the thread has, or may have, replies that are not on the page.
    pub(super) fn has_more_replies(&self, root: Item<'_>) -> bool {
        let expanded = root.replies().count();
        let is_counted = root.replies_count().is_some_and(|count| count > expanded as u64);
        !self.expands_replies || root.replies_next().is_some() || is_counted || self.context.channels.expansion.is_truncated(expanded)
    }

    /// The replies that are not on the page, if a stream needs them.
    fn remaining_replies(&self, root: Item<'_>) -> Option<RemainingReplies> {
        if !self.expands_replies {
            // The activity of the thread is unknown without its replies.
            return Some(RemainingReplies::all());
        }
        self.streams.replies.as_ref().and_then(|_| RemainingReplies::from_root(root, &self.context.channels.expansion))
    }

    /// Notes that the next run has to read down to this time.
    fn note_deferred(&mut self, down_to: DateTime<Utc>) {
        self.oldest_deferred = earlier(self.oldest_deferred, down_to);
        self.streams.note_deferred(down_to);
    }

    /// Fetches the missing replies of a thread unless it is too old. Returns the thread's activity as far as it is known afterwards.
    async fn complete(&mut self, thread: ListedThread, is_too_old: bool) -> Result<Activity, JobError> {
        match thread.remaining {
            Some(remaining) if !is_too_old && remaining.may_be_missing(&self.context.channels.expansion) => {
                let newest_reply = self.read_remaining_replies(remaining, &thread.root_id).await?;
                self.remaining.note_end_of_thread();
                Ok(thread.activity.later(newest_reply))
            }
            _ if thread.has_more => Ok(Activity::Unknown),
            _ => Ok(thread.activity),
        }
    }

    /// Reads the replies that are not on the page of their root. A thread that Graph refuses is skipped: it must not stop the channel.
    async fn read_remaining_replies(&mut self, remaining: RemainingReplies, root_id: &str) -> Result<Activity, JobError> {
        let (context, ChannelRef { team_id: team, id: channel, .. }) = (self.context, self.channel);
        let (list, message) = (streams::replies(team, channel, root_id, MAX_TOP), streams::message(team, channel, root_id));
        let mut pages = ThreadPages::for_listed(list, message, remaining, &context.channels.expansion);
        let mut newest = Activity::None;
        loop {
            match pages.next(context).await {
                Ok(Some(ThreadPage { page, .. })) => {
                    newest = newest.later(self.read_thread_page(page, pages.remaining(), root_id).await?);
                }
                Ok(None) => return Ok(newest),
                Err(error) if pages.is_gone(context, &error).await => return Ok(Activity::Unknown),
                Err(error) => return self.skip_thread(error, root_id),
            }
        }
    }

    /// Adds the records of a page of a thread. Returns the newest time on it.
    async fn read_thread_page(&mut self, page: Page, remaining: Option<&RemainingReplies>, root_id: &str) -> Result<Activity, JobError> {
        let mut newest = Activity::None;
        for reply in page.items() {
            // The list begins with the replies that came with the root.
            let is_known = remaining.is_some_and(|remaining| remaining.knows(reply));
            let (time, is_newly_skipped) =
                if is_known { (Activity::from_message(reply), false) } else { self.streams.add_reply(reply, root_id, || None) };
            newest = newest.later(time);
            self.skipped.items += u64::from(is_newly_skipped);
        }
        let emitted = self.streams.emitted();
        self.streams.flush(self.context, page, emitted).await?;
        self.remaining.note_thread_page();
        self.set_priority();
        Ok(newest)
    }

    /// Skips a thread that Graph refuses. Any other error fails the channel.
    fn skip_thread(&mut self, mut source: graph::Error, root_id: &str) -> Result<Activity, JobError> {
        // The root came with an earlier page, so the thread's pages are later pages.
        source.is_later_page |= matches!(source.status(), Some(400 | 403 | 404 | 410));
        let is_lost = source.is_link_lost(None);
        let task = format!("{}, thread {root_id}", self.channel.task());
        let error = Error::graph(task, source, streams::MESSAGES.permissions);
        if !is_lost {
            return Err(error.into());
        }
        self.skipped.thread.get_or_insert(error);
        Ok(Activity::Unknown)
    }

    fn set_priority(&self) {
        self.context.set_remaining_requests(self.remaining.requests());
    }
}
