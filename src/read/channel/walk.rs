//! The walk through the chains of a channel, newest activity first: one walk for the roots and the replies (graph.md 2.5).
//!
//! A chain is a root message with its replies; its activity is the newest of lastModifiedDateTime, lastEditedDateTime and deletedDateTime
//! among them. A pass goes from the top down, whole pages at a time, and stops after a page whose last chains are older than what is wanted.
//! Chains move to the top while we page, and their old place would never be met again: so a walk of more than one page goes once more from
//! the top down to where the pass before began, until a pass needs one page only, or begins as the pass before began: then nothing moved in
//! between. A page is one moment.

use chrono::{DateTime, Utc};
use tracing::{debug, warn};

use super::{
    chains::{Chains, Threads},
    first_page::FirstPage,
    pair::Pair,
    pass::{Pass, Remedy},
    remaining_requests::RemainingRequests,
    restarts::Restarts,
    shared::Remark,
};
use crate::{
    error::Error,
    graph::{self, Page},
    read::{
        context::Context,
        job::{Damage, Stop},
        place::Place,
    },
    streams,
};

/// The most passes of a run: a channel that changes faster than it can be read would never end.
const MAX_PASSES: u32 = 12;

/// A walk for one or two streams that are at the same place.
#[derive(Debug)]
pub(super) struct Walk<'w, 'c> {
    context: &'w Context,
    place: Place<'c>,
    chains: Chains<'w, 'c>,
    restarts: Restarts,
    /// Why the pass that is under way lists roots without their replies.
    refused_expansion: Option<graph::Error>,
}

/// How a pass goes on after a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    Continue,
    Restart,
    Done,
}

impl<'w, 'c> Walk<'w, 'c> {
    pub(super) fn new(context: &'w Context, place: Place<'c>, pair: Pair<'w, 'c>, damage: &'w mut Damage) -> Self {
        let chains = Chains::new(context, place, pair, damage);
        Self { context, place, chains, restarts: Restarts::default(), refused_expansion: None }
    }

    /// Walks until both streams have all that changed: passes from the top, until one shows that nothing moved during the one before.
    pub(super) async fn run(mut self) -> Result<(), Stop> {
        self.chains.pair.cursors().for_each(|cursor| _ = cursor.walk());
        let mut before = None;
        for _ in 0..MAX_PASSES {
            let pass = self.pass(before.as_ref()).await?;
            if pass.has_met_all() {
                self.forget_what_earlier_runs_owe();
            }
            if pass.is_last() {
                return self.end(pass.head());
            }
            self.begin_closing_pass(&pass)?;
            before = pass.into_first_page();
        }
        warn!(
            "channel {} of team {} is changing faster than it can be read; the next run will read the latest changes",
            self.place.channel, self.place.team
        );
        self.chains.pair.report(true)
    }

    /// Reads from the top, or from where the pass was left, down to what the streams want.
    async fn pass<'b>(&mut self, before: Option<&'b FirstPage>) -> Result<Pass<'b>, Stop> {
        let mut pass = self.begin(before);
        loop {
            match self.step(&mut pass).await? {
                Next::Continue => {}
                Next::Restart => pass = self.begin(before),
                Next::Done => break,
            }
        }
        self.remark_refused_expansion();
        Ok(pass)
    }

    fn begin<'b>(&mut self, before: Option<&'b FirstPage>) -> Pass<'b> {
        let Place { team, channel, facts } = self.place;
        let bounds = self.chains.pair.bounds();
        if bounds.stored.is_some() {
            self.chains.expands = !self.chains.pair.is_of_roots();
        }
        self.chains.remaining = RemainingRequests::new(bounds.stop, facts.created);
        let list = if self.chains.expands { streams::walk } else { streams::roots };
        Pass::begin(bounds, |size| list(team, channel, size), before)
    }

    /// Asks for the next page of a pass.
    async fn step(&mut self, pass: &mut Pass<'_>) -> Result<Next, Stop> {
        match pass.pages.next(&self.context.client).await {
            Ok(Some(page)) if pass.is_probe_too_small(&page) => {
                pass.ask_in_full_size();
                Ok(Next::Continue)
            }
            Ok(Some(page)) => self.read(pass, page).await,
            Ok(None) => Ok(Next::Done),
            Err(error) => self.recover(pass, error),
        }
    }

    /// Reads a page, and stores where the pass goes on.
    async fn read(&mut self, pass: &mut Pass<'_>, page: Page) -> Result<Next, Stop> {
        let sight = pass.look_at(&page, |chain| self.chains.has_more(chain));
        let overlap = self.chains.pair.cursors().map(|cursor| cursor.overlap).max().unwrap_or_default();
        self.chains.pair.note_sight(sight, pass.head());
        self.chains.reach.begin(sight.now, overlap);
        let next = page.next().cloned();
        let threads = if sight.is_unmoved { Threads::Leave } else { Threads::Complete };
        self.chains.read(page, pass, threads).await?;
        self.chains.pair.cursors().for_each(|cursor| cursor.now = Some(sight.now));
        let Some(next) = next.filter(|_| !pass.ends_with(sight)) else { return Ok(Next::Done) };
        let is_of_roots = !self.chains.expands;
        self.chains.pair.store(&next, is_of_roots);
        self.chains.pair.report(false)?;
        Ok(Next::Continue)
    }

    /// Does what can be done about a page that cannot be had. The walk itself does not depend on any link.
    fn recover(&mut self, pass: &mut Pass<'_>, error: graph::Error) -> Result<Next, Stop> {
        match pass.remedy(&error, self.chains.expands, &mut self.restarts) {
            Remedy::BeginAgain => {
                debug!("{}: Graph no longer accepts the link to the next page; starting again from the top: {error}", self.place.task());
                self.chains.reach.restart();
                self.chains.pair.forget_page();
                Ok(Next::Restart)
            }
            Remedy::ListRoots => {
                (self.chains.expands, self.refused_expansion) = (false, Some(error));
                Ok(Next::Restart)
            }
            Remedy::Cut => {
                self.cut(pass, error);
                Ok(Next::Done)
            }
            Remedy::None => Err(self.failed(error).into()),
        }
    }

    /// Ends a pass whose pages go round: what is older than all that it met cannot be had for now. The walk itself goes on, else the next run
    /// would begin by reading all of it again.
    fn cut(&mut self, pass: &mut Pass<'_>, error: graph::Error) {
        let error = self.failed(error);
        self.chains.damage.older.get_or_insert(error);
        let reached = self.chains.reach.oldest();
        self.chains.pair.cursors().for_each(|cursor| cursor.note_gap(reached));
        pass.cut();
    }

    fn failed(&self, error: graph::Error) -> Error {
        Error::graph(self.place.task(), error, streams::MESSAGES.permissions)
    }

    /// Where Graph refuses the list without replies as well, they are not the reason: so this is logged when the pass is done.
    fn remark_refused_expansion(&mut self) {
        let Some(error) = self.refused_expansion.take() else { return };
        let Place { team, channel, .. } = self.place;
        let sentence = format!(
            "Graph refuses to return the messages of channel {channel} of team {team} together with their replies; reading each thread with a \
             separate request: {error}"
        );
        self.context.channels.remark(Remark::Expansion, sentence);
    }

    /// What an earlier run held back was met now.
    fn forget_what_earlier_runs_owe(&mut self) {
        let owed = self.chains.owed;
        self.chains.pair.cursors().for_each(|cursor| cursor.walk().owed = owed);
    }

    /// Goes once more from the top down to where this pass began.
    fn begin_closing_pass(&mut self, pass: &Pass<'_>) -> Result<(), Stop> {
        if pass.is_cut() {
            self.chains.reach.restart();
        } else {
            self.chains.reach.bottom();
        }
        self.chains.pair.begin_closing_pass(pass.head());
        self.chains.pair.report(false)
    }

    /// Ends the walk, whose last pass saw this head. What was held back is left to the next run, for both streams, lest it walks twice.
    fn end(&mut self, head: Option<DateTime<Utc>>) -> Result<(), Stop> {
        let owed = self.chains.owed;
        self.chains.pair.readers().for_each(|reader| match owed {
            Some(_) => reader.leave_walk(owed),
            None => reader.finish_walk(head),
        });
        self.chains.pair.report(true)
    }
}
