//! Reads a channel by walking down its list of threads, most recently active first. One walk reads both root messages and replies (graph.md
//! 2.5).
//!
//! Terms used in this folder:
//!
//! - **Thread**: a root message with its replies. Its *activity* is the newest `lastModifiedDateTime`, `lastEditedDateTime` or
//!   `deletedDateTime` of any message in it. Graph lists threads by activity, newest first.
//! - **Cutoff**: the time at which a walk stops. Anything older was already emitted by earlier runs or is excluded by the configuration.
//! - **Pass**: one trip down the list, from the top to the cutoff. A pass reads whole pages and stops after a page whose last threads are
//!   older than the cutoff.
//! - **Head**: the newest activity on the first page of a pass.
//! - **Closing pass**: another pass, which stops at the head of the previous pass instead of the cutoff.
//! - **Probe**: a small first page, which is requested if few changes are expected.
//! - **Deferred record**: a record that this run leaves for the next one, because it has already emitted another version of the same record
//!   (`dedup.rs`). The walk is not marked as finished, and the next run reads down to that record.
//!
//! Closing passes are needed because a thread that gets a new message while a pass is reading later pages moves to the top, above the pages
//! that were already read. The pass never sees it there. So every pass of more than one page is followed by a closing pass.
//! The walk is complete when a pass
//!
//! - needs only one page, because a page is a snapshot of one moment; or
//! - begins with the same threads as the previous pass, which means that nothing moved in between.
//!
//! After each page, the link to the next one is stored in the state, so an interrupted run resumes its pass. If Graph no longer accepts the
//! link, the pass starts again from the top.

use chrono::{DateTime, Utc};
use tracing::{debug, warn};

use super::{
    cursor::Cursor,
    first_page::FirstPage,
    page_reader::{MissingReplies, PageReader},
    pass::{Pass, Recovery},
    remaining_requests::RemainingRequests,
    restarts::Restarts,
    shared::Warning,
    walk_streams::WalkStreams,
};
use crate::{
    error::Error,
    graph::{self, Page},
    read::{
        channel_ref::ChannelRef,
        context::Context,
        job::{JobError, Skipped},
    },
    streams,
};

/// Maximum number of passes per run. Without it, a walk through a channel that changes faster than it can be read would never end.
const MAX_PASSES: u32 = 12;

/// A walk for one stream, or for two streams that are at the same position.
#[derive(Debug)]
pub(super) struct ChannelWalk<'w, 'c> {
    context: &'w Context,
    channel: ChannelRef<'c>,
    reader: PageReader<'w, 'c>,
    restarts: Restarts,
    /// Graph's error when it refused to expand replies. While this is set, the current pass lists root messages without their replies.
    refused_expansion: Option<graph::Error>,
}

/// How a pass proceeds after a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Continue,
    Restart,
    Done,
}

impl<'w, 'c> ChannelWalk<'w, 'c> {
    pub(super) fn new(context: &'w Context, channel: ChannelRef<'c>, streams: WalkStreams<'w, 'c>, skipped: &'w mut Skipped) -> Self {
        let reader = PageReader::new(context, channel, streams, skipped);
        Self { context, channel, reader, restarts: Restarts::default(), refused_expansion: None }
    }

    /// Runs passes from the top until one shows that nothing moved during the previous one.
    pub(super) async fn run(mut self) -> Result<(), JobError> {
        self.reader.streams.cursors().for_each(Cursor::begin_walk);
        let mut previous = None;
        for _ in 0..MAX_PASSES {
            let pass = self.run_pass(previous.as_ref()).await?;
            if pass.is_complete() {
                self.forget_records_deferred_by_earlier_runs();
            }
            if pass.is_last() {
                return self.finish(pass.head());
            }
            self.prepare_closing_pass(&pass)?;
            previous = pass.into_first_page();
        }
        warn!(
            "channel {} of team {} is changing faster than it can be read; the next run will read the latest changes",
            self.channel.id, self.channel.team_id
        );
        self.reader.streams.report(true)
    }

    /// Reads down from the top, or from the stored page, until no stream needs anything older.
    async fn run_pass<'b>(&mut self, previous: Option<&'b FirstPage>) -> Result<Pass<'b>, JobError> {
        let mut pass = self.begin_pass(previous);
        loop {
            match self.read_next_page(&mut pass).await? {
                Step::Continue => {}
                Step::Restart => pass = self.begin_pass(previous),
                Step::Done => break,
            }
        }
        self.warn_about_refused_expansion();
        Ok(pass)
    }

    fn begin_pass<'b>(&mut self, previous: Option<&'b FirstPage>) -> Pass<'b> {
        let ChannelRef { team_id: team, id: channel, facts } = self.channel;
        let bounds = self.reader.streams.bounds();
        if bounds.stored.is_some() {
            self.reader.expands_replies = !self.reader.streams.lists_roots_only();
        }
        self.reader.remaining = RemainingRequests::new(bounds.stop, facts.created);
        let list = if self.reader.expands_replies { streams::messages_with_replies } else { streams::root_messages };
        Pass::begin(bounds, |size| list(team, channel, size), previous)
    }

    async fn read_next_page(&mut self, pass: &mut Pass<'_>) -> Result<Step, JobError> {
        match pass.pages.next(&self.context.client).await {
            Ok(Some(page)) if pass.is_probe_too_small(&page) => {
                pass.request_full_page();
                Ok(Step::Continue)
            }
            Ok(Some(page)) => self.read_page(pass, page).await,
            Ok(None) => Ok(Step::Done),
            Err(error) => self.recover(pass, error),
        }
    }

    /// Reads a page and stores the link to the next one.
    async fn read_page(&mut self, pass: &mut Pass<'_>, page: Page) -> Result<Step, JobError> {
        let info = pass.inspect(&page, |root| self.reader.has_more_replies(root));
        let overlap = self.reader.streams.cursors().map(|cursor| cursor.overlap).max().unwrap_or_default();
        self.reader.streams.note_page(info, pass.head());
        self.reader.walk_depth.begin(info.now, overlap);
        let next = page.next().cloned();
        let missing_replies = if info.is_unchanged { MissingReplies::Ignore } else { MissingReplies::Fetch };
        self.reader.read(page, pass, missing_replies).await?;
        self.reader.streams.cursors().for_each(|cursor| cursor.now = Some(info.now));
        let Some(next) = next.filter(|_| !pass.ends_after(info)) else { return Ok(Step::Done) };
        let lists_roots_only = !self.reader.expands_replies;
        self.reader.streams.store_link(&next, lists_roots_only);
        self.reader.streams.report(false)?;
        Ok(Step::Continue)
    }

    /// Decides how to continue when a page cannot be fetched. No link is essential: a walk can always start again from the top.
    fn recover(&mut self, pass: &mut Pass<'_>, error: graph::Error) -> Result<Step, JobError> {
        match pass.recovery(&error, self.reader.expands_replies, &mut self.restarts) {
            Recovery::Restart => {
                debug!("{}: Graph no longer accepts the link to the next page; starting again from the top: {error}", self.channel.task());
                self.reader.walk_depth.restart();
                self.reader.streams.forget_page();
                Ok(Step::Restart)
            }
            Recovery::ListRootsOnly => {
                (self.reader.expands_replies, self.refused_expansion) = (false, Some(error));
                Ok(Step::Restart)
            }
            Recovery::Truncate => {
                self.truncate_pass(pass, error);
                Ok(Step::Done)
            }
            Recovery::Fail => Err(self.to_error(error).into()),
        }
    }

    /// Ends a pass whose links form a loop: older messages cannot be fetched for now. The walk itself continues; otherwise the next run
    /// would begin by reading everything again.
    fn truncate_pass(&mut self, pass: &mut Pass<'_>, error: graph::Error) {
        let error = self.to_error(error);
        self.reader.skipped.older_error.get_or_insert(error);
        let oldest = self.reader.walk_depth.oldest();
        self.reader.streams.cursors().for_each(|cursor| cursor.note_gap(oldest));
        pass.truncate();
    }

    fn to_error(&self, error: graph::Error) -> Error {
        Error::graph(self.channel.task(), error, streams::MESSAGES.permissions)
    }

    /// Called when the pass has succeeded. Only now is it certain that Graph refused because of the replies: it has returned the list without them.
    fn warn_about_refused_expansion(&mut self) {
        let Some(error) = self.refused_expansion.take() else { return };
        let ChannelRef { team_id: team, id: channel, .. } = self.channel;
        let message = format!(
            "Graph refuses to return the messages in channel {channel} of team {team} together with their replies; reading each thread with \
             a separate request: {error}"
        );
        self.context.channels.warn_once(Warning::Expansion, message);
    }

    /// Called when this walk has seen every record that earlier runs deferred. Only those that it deferred itself remain.
    fn forget_records_deferred_by_earlier_runs(&mut self) {
        let oldest_deferred = self.reader.oldest_deferred;
        self.reader.streams.cursors().for_each(|cursor| cursor.walk_mut().oldest_deferred = oldest_deferred);
    }

    /// Prepares a closing pass, which stops at the head of this pass.
    fn prepare_closing_pass(&mut self, pass: &Pass<'_>) -> Result<(), JobError> {
        if pass.is_truncated() {
            self.reader.walk_depth.restart();
        } else {
            self.reader.walk_depth.mark_bottom_reached();
        }
        self.reader.streams.prepare_closing_pass(pass.head());
        self.reader.streams.report(false)
    }

    /// Finishes the walk at the head of the last pass. If this run deferred records, the walk remains unfinished for both streams instead, so
    /// that the next run can read the deferred records of both in one walk.
    fn finish(&mut self, head: Option<DateTime<Utc>>) -> Result<(), JobError> {
        let oldest_deferred = self.reader.oldest_deferred;
        self.reader.streams.stream_readers().for_each(|reader| match oldest_deferred {
            Some(_) => reader.keep_walk_open(oldest_deferred),
            None => reader.finish_walk(head),
        });
        self.reader.streams.report(true)
    }
}
