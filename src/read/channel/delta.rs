//! Follows delta, the changes of a channel's root messages since the last round (graph.md 4). Delta saves requests and reports changes that
//! do not move a thread to the top. Completeness does not depend on it.

use chrono::{DateTime, Utc};
use tracing::debug;

use super::{delta_cursor::Start, delta_failure::DeltaFailure, shared::Warning, stream_reader::StreamReader};
use crate::{
    emit::Closed,
    error::Error,
    graph::{self, Cause, Page, Pages},
    read::{
        channel_ref::ChannelRef,
        context::Context,
        job::{JobError, Skipped},
    },
    streams,
};

/// Maximum number of attempts: the stored page of a round, the start of that round, a new delta query, and one more if that fails too.
const MAX_ATTEMPTS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DeltaOutcome {
    /// Delta was followed to its end. The round began at this time by Graph's clock.
    Complete(DateTime<Utc>),
    /// The walk has to find the changes.
    Incomplete,
}

/// Why a round did not complete.
enum RoundError {
    Graph(graph::Error),
    Job(JobError),
}

impl From<Closed> for RoundError {
    fn from(closed: Closed) -> Self {
        Self::Job(closed.into())
    }
}

/// Follows the delta of a channel: emits the changes and stores the link for the next run.
pub(super) async fn follow(
    context: &Context,
    channel: ChannelRef<'_>,
    roots: &mut StreamReader<'_>,
    skipped: &mut Skipped,
) -> Result<DeltaOutcome, JobError> {
    let mut delta = Delta { context, channel, roots, skipped };
    for _ in 0..MAX_ATTEMPTS {
        if delta.roots.delta.is_too_old(delta.roots.cursor.now) {
            // Delta does not reach back that far, but the walk does. Delta is started after the walk.
            delta.roots.delta.position.delta_at = delta.roots.cursor.began;
            delta.roots.report(0, false)?;
            return Ok(DeltaOutcome::Incomplete);
        }
        match delta.read_round().await {
            Ok(Some(at)) => return Ok(DeltaOutcome::Complete(at)),
            Ok(None) => return Ok(DeltaOutcome::Incomplete),
            Err(RoundError::Graph(error)) => {
                if !delta.recover(error)? {
                    return Ok(DeltaOutcome::Incomplete);
                }
            }
            Err(RoundError::Job(error)) => return Err(error),
        }
    }
    Ok(DeltaOutcome::Incomplete)
}

struct Delta<'d, 'c> {
    context: &'d Context,
    channel: ChannelRef<'d>,
    roots: &'d mut StreamReader<'c>,
    skipped: &'d mut Skipped,
}

impl Delta<'_, '_> {
    /// Reads a round to its end. Returns when the round began, or [`None`] if it ended without a deltaLink.
    async fn read_round(&mut self) -> Result<Option<DateTime<Utc>>, RoundError> {
        let mut began = self.roots.delta.position.delta.round.as_ref().map(|round| round.at);
        let Some(mut pages) = self.pages() else { return Ok(None) };
        let mut has_deferred = false;
        while let Some(page) = pages.next(&self.context.client).await.map_err(RoundError::Graph)? {
            // The next run accepts a time ahead of the local clock only if the cursor confirms it, and messages in delta do not move the
            // cursor.
            let now = page.date().trusted(None);
            let at = *began.get_or_insert(now);
            self.roots.cursor.now = Some(now);
            let (next, delta) = (page.next().cloned(), page.delta().cloned());
            self.emit_changes(page, now).await?;
            self.context.set_remaining_requests(1.0);
            // If the run has already emitted another version of a root message, the next run requests this page again and emits the new
            // one.
            has_deferred |= self.roots.sink.take_deferred();
            if !has_deferred {
                self.roots.store_delta_links(at, next.as_ref(), delta.as_ref());
            }
            self.roots.report(1, next.is_none())?;
            if next.is_none() && delta.is_some() {
                return Ok(Some(at));
            }
        }
        self.end_without_link()?;
        Ok(None)
    }

    fn pages(&self) -> Option<Pages> {
        let new_query = |since| streams::delta(self.channel.team_id, self.channel.id, since);
        let since = self.roots.cursor.since();
        Some(match self.roots.delta.start(since)? {
            Start::Link(link) => Pages::from_link(&link, &new_query(since)),
            Start::NewQuery(since) => Pages::new(new_query(since)),
        })
    }

    async fn emit_changes(&mut self, page: Page, now: DateTime<Utc>) -> Result<(), Closed> {
        let emitted = self.roots.sink.emitted();
        for message in page.items() {
            match (message.id().filter(|_| !message.is_malformed()), message.removal()) {
                (Some(id), Some(removal)) => self.roots.push_removed(&id, removal, now),
                (Some(id), None) => self.roots.push_changed(message, &id),
                (None, _) => self.skipped.items += u64::from(self.roots.note_skipped(message)),
            }
        }
        let replacements = page.replacements();
        let permit = page.into_permit();
        self.roots.sink.flush().await?;
        drop(permit);
        if self.roots.sink.emitted() > emitted {
            self.context.count_replacements(replacements);
        }
        Ok(())
    }

    fn end_without_link(&mut self) -> Result<(), Closed> {
        let message = format!("the delta query for {} ended without a deltaLink; the next run repeats it", self.channel_name());
        self.context.channels.warn_once(Warning::DeltaUnavailable, message);
        self.roots.delta.position.delta.round = None;
        self.roots.report(0, false)
    }

    /// Decides what to do about a round that failed. Returns whether to try again, either from the start of the round or with a new delta
    /// query.
    fn recover(&mut self, error: graph::Error) -> Result<bool, JobError> {
        let (has_round, has_link) = {
            let position = &self.roots.delta.position;
            (position.delta.round.is_some(), position.delta_link.is_some())
        };
        match DeltaFailure::from_error(&error, self.roots.delta.is_link_stale(date(&error))) {
            DeltaFailure::Fatal => return Err(Error::graph(self.channel.task(), error, streams::MESSAGES.permissions).into()),
            DeltaFailure::TokenRejected if has_round && has_link => self.restart_round(&error),
            DeltaFailure::TokenRejected if has_round || has_link => self.start_new_query(&error),
            DeltaFailure::TokenRejected | DeltaFailure::Unsupported => {
                self.note_unsupported(&error, has_link)?;
                return Ok(false);
            }
            DeltaFailure::Unavailable => {
                self.warn_unavailable(&error);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn restart_round(&mut self, error: &graph::Error) {
        debug!("starting the delta round of {} again: {error}", self.channel_name());
        self.roots.delta.position.delta.round = None;
    }

    fn start_new_query(&mut self, error: &graph::Error) {
        let message = format!(
            "Graph rejected the delta token of {}; requesting the changes since then with a new delta query: {error}",
            self.channel_name()
        );
        self.context.channels.warn_once(Warning::DeltaTokenRejected, message);
        self.note_date(error);
        let position = &mut self.roots.delta.position;
        (position.delta.round, position.delta_link) = (None, None);
    }

    fn note_unsupported(&mut self, error: &graph::Error, has_link: bool) -> Result<(), Closed> {
        let message = format!("Graph refuses delta queries for {}; reading the channel without them: {error}", self.channel_name());
        // The first page of an empty channel has a link that Graph then rejects (graph.md 4.2). Users cannot do anything about it.
        if is_caused_by_empty_channel(error) && !has_link {
            debug!("{message}");
        } else {
            self.context.channels.warn_once(Warning::DeltaUnsupported, message);
        }
        self.note_date(error);
        self.roots.delta.note_unsupported(self.roots.cursor.now);
        self.roots.report(0, false)
    }

    fn warn_unavailable(&self, error: &graph::Error) {
        let message = format!("the delta query for {} failed; reading the channel without it in this run: {error}", self.channel_name());
        self.context.channels.warn_once(Warning::DeltaUnavailable, message);
    }

    fn note_date(&mut self, error: &graph::Error) {
        self.roots.cursor.now = self.roots.cursor.now.max(date(error));
    }

    fn channel_name(&self) -> String {
        format!("channel {} of team {}", self.channel.id, self.channel.team_id)
    }
}

/// Graph's clock when it refused the request.
fn date(error: &graph::Error) -> Option<DateTime<Utc>> {
    match &error.cause {
        Cause::ErrorStatus(refusal) => Some(refusal.date),
        _ => None,
    }
}

/// Whether Graph rejects a delta token that it issued itself, as it does for empty channels.
fn is_caused_by_empty_channel(error: &graph::Error) -> bool {
    matches!(&error.cause, Cause::ErrorStatus(refusal) if refusal.message.contains("DeltaToken"))
}
