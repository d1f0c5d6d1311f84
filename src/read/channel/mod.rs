//! Reads a channel: decides which of its streams share a walk, and whether to use delta.

pub(crate) mod activity;
mod cursor;
mod delta;
pub(crate) mod delta_cursor;
mod delta_failure;
mod depth;
pub(crate) mod estimate;
pub(crate) mod expansion;
mod first_page;
mod page_reader;
pub(crate) mod pass;
mod remaining_replies;
pub(crate) mod remaining_requests;
mod restarts;
pub(crate) mod shared;
mod sink;
mod skipped_messages;
mod stream_reader;
pub(crate) mod thread;
mod thread_pages;
mod walk;
mod walk_depth;
mod walk_streams;

use chrono::TimeDelta;

use super::{
    channel_ref::ChannelRef,
    context::Context,
    found::Origin,
    job::{JobError, JobInput, JobReport, Skipped},
};
use crate::{
    level::{CHANNEL, TEAM},
    streams::{self, StreamSet},
};
use delta::DeltaOutcome;
use stream_reader::StreamReader;
use walk::ChannelWalk;
use walk_streams::{WalkStreams, are_aligned};

/// A walk reads the channel at least this often, to find the changes that delta does not report.
pub(crate) const MAX_WALK_INTERVAL: TimeDelta = TimeDelta::hours(24);

pub(crate) async fn read(context: &Context, streams: StreamSet, input: JobInput) -> Result<JobReport, JobError> {
    let channel = ChannelRef { team_id: input.parent.id(&TEAM), id: input.parent.id(&CHANNEL), facts: input.details.facts };
    let reader = |stream| StreamReader::new(context, stream, channel, None).filter(|reader| streams.contains(reader.stream()));
    let (roots, replies) = (reader(&streams::MESSAGES), reader(&streams::MESSAGE_REPLIES));
    let older_of_finished =
        roots.iter().chain(&replies).filter(|reader| reader.is_finished()).find_map(|reader| reader.gap_error(|| channel.task()));
    let [roots, replies] = [roots, replies].map(|reader| reader.filter(|reader| !reader.is_finished()));
    let mut reading = Reading { context, channel, roots, replies, skipped: Skipped::default() };
    match reading.run().await {
        Err(JobError::Failed(error)) if input.origin == Origin::Candidate && error.is_not_found() => Ok(JobReport::default()),
        Err(error) => Err(error),
        Ok(()) => {
            let too_large = reading.roots.iter().chain(&reading.replies).map(|reader| reader.too_large).sum();
            let older = || reading.roots.iter().chain(&reading.replies).find_map(|reader| reader.gap_error(|| channel.task()));
            let older =
                reading.skipped.older_error.take().or_else(older).or(older_of_finished).map(|error| error.with_exclude_hint(channel.id));
            let skipped = Skipped { too_large, older_error: older, ..reading.skipped }.into_error(context, || channel.task());
            Ok(JobReport { found_ids: vec![channel.id.to_owned()], ..JobReport::completed(streams, skipped) })
        }
    }
}

struct Reading<'c> {
    context: &'c Context,
    channel: ChannelRef<'c>,
    roots: Option<StreamReader<'c>>,
    replies: Option<StreamReader<'c>>,
    skipped: Skipped,
}

impl Reading<'_> {
    async fn run(&mut self) -> Result<(), JobError> {
        let mut outcome = None;
        if delta_may_suffice(self.roots.as_ref(), self.replies.as_ref()) {
            outcome = self.follow().await?;
            if !self.roots.as_ref().is_some_and(|reader| is_walk_due(reader, outcome)) {
                return Ok(());
            }
        }
        let can_follow = self.roots.as_ref().is_some_and(|roots| roots.delta.can_follow());
        self.walk().await?;
        let changed = self.roots.iter().chain(&self.replies).any(|reader| reader.sink.emitted() > 0);
        let should_retry = self.roots.as_ref().is_some_and(|reader| reader.delta.should_retry(changed, reader.cursor.now));
        if outcome.is_none() && (can_follow || should_retry) {
            self.follow().await?;
        }
        Ok(())
    }

    async fn follow(&mut self) -> Result<Option<DeltaOutcome>, JobError> {
        let Some(roots) = &mut self.roots else { return Ok(None) };
        let outcome = delta::follow(self.context, self.channel, roots, &mut self.skipped).await?;
        Ok(Some(outcome))
    }

    /// One walk for both streams if they are at the same position, otherwise one walk for each.
    async fn walk(&mut self) -> Result<(), JobError> {
        let Self { context, channel, roots, replies, skipped } = self;
        let are_apart = roots.as_mut().zip(replies.as_mut()).is_some_and(|(roots, replies)| !are_aligned(roots, replies));
        if are_apart {
            ChannelWalk::new(context, *channel, WalkStreams::new(roots.as_mut(), None), skipped).run().await?;
            ChannelWalk::new(context, *channel, WalkStreams::new(None, replies.as_mut()), skipped).run().await?;
        } else if roots.is_some() || replies.is_some() {
            ChannelWalk::new(context, *channel, WalkStreams::new(roots.as_mut(), replies.as_mut()), skipped).run().await?;
        }
        Ok(())
    }
}

/// Whether delta alone may be enough. It does not report replies, nor anything that was never read.
fn delta_may_suffice(roots: Option<&StreamReader<'_>>, replies: Option<&StreamReader<'_>>) -> bool {
    let is_current = |reader: &StreamReader<'_>| {
        let cursor = &reader.cursor;
        reader.delta.can_follow() && cursor.read_at().is_some() && !cursor.is_walking() && !cursor.has_gap()
    };
    replies.is_none() && roots.is_some_and(is_current)
}

/// Whether a walk is needed in addition to delta: delta could not be followed, or it is time to find the changes that it never reports.
fn is_walk_due(roots: &StreamReader<'_>, outcome: Option<DeltaOutcome>) -> bool {
    match outcome {
        Some(DeltaOutcome::Complete(now)) => roots.cursor.read_at().is_none_or(|read_at| (now - read_at).abs() >= MAX_WALK_INTERVAL),
        _ => true,
    }
}
