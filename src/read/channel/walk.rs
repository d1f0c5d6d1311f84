//! Reads a channel by walking down its list of chains, most recently active first. One walk reads both root messages and replies (graph.md
//! 2.5).
//!
//! Terms used in this folder:
//!
//! - **Chain**: a root message with its replies. Its *activity* is the newest `lastModifiedDateTime`, `lastEditedDateTime` or
//!   `deletedDateTime` of any message in it. Graph lists chains by activity, newest first.
//! - **Floor**: how far down a walk reads. Everything older was emitted by earlier runs or is before `start_date`.
//! - **Pass**: one descent through the list, from the top to the floor. A pass reads whole pages and stops after a page whose last chains
//!   are older than the floor.
//! - **Head**: the newest activity on the first page of a pass.
//! - **Closing pass**: a further pass from the top, which only goes down to where the previous pass began.
//! - **Owed**: a record that this run holds back because it has already emitted another version of the same key (`dedup.rs`). The walk
//!   stays open, and the next run reads down to that record.
//!
//! Why closing passes are needed: while a pass is paging, a chain that gets a new message moves to the top, above the pages that were
//! already read, so this pass never sees it. After a pass of more than one page the walk therefore goes down once more from the top to
//! where that pass began. The walk is complete when a pass
//!
//! - needs one page only, because a page is a snapshot of one moment; or
//! - begins with the same chains as the previous pass, because then nothing moved in between.
//!
//! After each page, the link to the next one is stored in the state, so an interrupted run resumes its pass. If Graph no longer accepts the
//! link, the pass starts again from the top.

use chrono::{DateTime, Utc};
use tracing::{debug, warn};

use super::{
    chain_reader::{ChainReader, Threads},
    first_page::FirstPage,
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
        job::{Damage, JobError},
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
    reader: ChainReader<'w, 'c>,
    restarts: Restarts,
    /// Graph's refusal to expand replies, if the current pass lists root messages without them.
    refused_expansion: Option<graph::Error>,
}

/// What to do after a step of a pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Continue,
    Restart,
    Done,
}

impl<'w, 'c> ChannelWalk<'w, 'c> {
    pub(super) fn new(context: &'w Context, channel: ChannelRef<'c>, streams: WalkStreams<'w, 'c>, damage: &'w mut Damage) -> Self {
        let reader = ChainReader::new(context, channel, streams, damage);
        Self { context, channel, reader, restarts: Restarts::default(), refused_expansion: None }
    }

    /// Runs passes from the top until one shows that nothing moved during the previous one.
    pub(super) async fn run(mut self) -> Result<(), JobError> {
        self.reader.streams.cursors().for_each(|cursor| _ = cursor.walk());
        let mut previous = None;
        for _ in 0..MAX_PASSES {
            let pass = self.pass(previous.as_ref()).await?;
            if pass.has_seen_all() {
                self.forget_owed_by_earlier_runs();
            }
            if pass.is_last() {
                return self.end(pass.head());
            }
            self.begin_closing_pass(&pass)?;
            previous = pass.into_first_page();
        }
        warn!(
            "channel {} of team {} is changing faster than it can be read; the next run will read the latest changes",
            self.channel.id, self.channel.team_id
        );
        self.reader.streams.report(true)
    }

    /// Reads from the top, or from the stored page, down to what the streams need.
    async fn pass<'b>(&mut self, previous: Option<&'b FirstPage>) -> Result<Pass<'b>, JobError> {
        let mut pass = self.begin(previous);
        loop {
            match self.step(&mut pass).await? {
                Next::Continue => {}
                Next::Restart => pass = self.begin(previous),
                Next::Done => break,
            }
        }
        self.warn_about_refused_expansion();
        Ok(pass)
    }

    fn begin<'b>(&mut self, previous: Option<&'b FirstPage>) -> Pass<'b> {
        let ChannelRef { team_id: team, id: channel, facts } = self.channel;
        let bounds = self.reader.streams.bounds();
        if bounds.stored.is_some() {
            self.reader.expands = !self.reader.streams.is_of_roots();
        }
        self.reader.remaining = RemainingRequests::new(bounds.stop, facts.created);
        let list = if self.reader.expands { streams::walk } else { streams::roots };
        Pass::begin(bounds, |size| list(team, channel, size), previous)
    }

    /// Fetches the next page of a pass.
    async fn step(&mut self, pass: &mut Pass<'_>) -> Result<Next, JobError> {
        match pass.pages.next(&self.context.client).await {
            Ok(Some(page)) if pass.is_probe_too_small(&page) => {
                pass.request_full_size();
                Ok(Next::Continue)
            }
            Ok(Some(page)) => self.read(pass, page).await,
            Ok(None) => Ok(Next::Done),
            Err(error) => self.recover(pass, error),
        }
    }

    /// Reads a page and stores the link to the next one.
    async fn read(&mut self, pass: &mut Pass<'_>, page: Page) -> Result<Next, JobError> {
        let info = pass.inspect(&page, |chain| self.reader.has_more(chain));
        let overlap = self.reader.streams.cursors().map(|cursor| cursor.overlap).max().unwrap_or_default();
        self.reader.streams.note_page(info, pass.head());
        self.reader.reach.begin(info.now, overlap);
        let next = page.next().cloned();
        let threads = if info.is_unmoved { Threads::Skip } else { Threads::Complete };
        self.reader.read(page, pass, threads).await?;
        self.reader.streams.cursors().for_each(|cursor| cursor.now = Some(info.now));
        let Some(next) = next.filter(|_| !pass.ends_with(info)) else { return Ok(Next::Done) };
        let is_of_roots = !self.reader.expands;
        self.reader.streams.store(&next, is_of_roots);
        self.reader.streams.report(false)?;
        Ok(Next::Continue)
    }

    /// Decides how to continue when a page cannot be fetched. No link is essential: a walk can always start again from the top.
    fn recover(&mut self, pass: &mut Pass<'_>, error: graph::Error) -> Result<Next, JobError> {
        match pass.recovery(&error, self.reader.expands, &mut self.restarts) {
            Recovery::Restart => {
                debug!("{}: Graph no longer accepts the link to the next page; starting again from the top: {error}", self.channel.task());
                self.reader.reach.restart();
                self.reader.streams.forget_page();
                Ok(Next::Restart)
            }
            Recovery::ListRootsOnly => {
                (self.reader.expands, self.refused_expansion) = (false, Some(error));
                Ok(Next::Restart)
            }
            Recovery::Cut => {
                self.cut(pass, error);
                Ok(Next::Done)
            }
            Recovery::Fail => Err(self.failed(error).into()),
        }
    }

    /// Ends a pass whose links lead in a circle: older messages cannot be fetched for now. The walk itself continues; otherwise the next
    /// run would begin by reading everything again.
    fn cut(&mut self, pass: &mut Pass<'_>, error: graph::Error) {
        let error = self.failed(error);
        self.reader.damage.older.get_or_insert(error);
        let reached = self.reader.reach.oldest();
        self.reader.streams.cursors().for_each(|cursor| cursor.note_gap(reached));
        pass.cut();
    }

    fn failed(&self, error: graph::Error) -> Error {
        Error::graph(self.channel.task(), error, streams::MESSAGES.permissions)
    }

    /// Called when the pass has succeeded. If the list without replies had been refused too, the replies would not be the reason.
    fn warn_about_refused_expansion(&mut self) {
        let Some(error) = self.refused_expansion.take() else { return };
        let ChannelRef { team_id: team, id: channel, .. } = self.channel;
        let message = format!(
            "Graph refuses to return the messages of channel {channel} of team {team} together with their replies; reading each thread with \
             a separate request: {error}"
        );
        self.context.channels.warn_once(Warning::Expansion, message);
    }

    /// This walk has now seen everything that earlier runs held back.
    fn forget_owed_by_earlier_runs(&mut self) {
        let owed = self.reader.owed;
        self.reader.streams.cursors().for_each(|cursor| cursor.walk().owed = owed);
    }

    /// Prepares a closing pass: from the top down to where this pass began.
    fn begin_closing_pass(&mut self, pass: &Pass<'_>) -> Result<(), JobError> {
        if pass.is_cut() {
            self.reader.reach.restart();
        } else {
            self.reader.reach.note_bottom();
        }
        self.reader.streams.begin_closing_pass(pass.head());
        self.reader.streams.report(false)
    }

    /// Ends the walk; `head` is the head of its last pass. If records were held back, both streams keep the walk open for the next run, so
    /// that it needs one walk for them and not two.
    fn end(&mut self, head: Option<DateTime<Utc>>) -> Result<(), JobError> {
        let owed = self.reader.owed;
        self.reader.streams.readers().for_each(|reader| match owed {
            Some(_) => reader.keep_walk_open(owed),
            None => reader.finish_walk(head),
        });
        self.reader.streams.report(true)
    }
}
