//! Turns messages into records and sends them to the output, unless the run has already emitted their key or the record is too large.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::activity::Activity;
use crate::{
    emit::{Change, Closed, Records},
    graph::{Item, Removal},
    read::{
        channel_ref::ChannelRef,
        context::Context,
        dedup::{Dedup, Seen, Version},
    },
    record::{Added, instant},
    streams::Selected,
};

/// The sink for one stream of a channel or thread.
#[derive(Debug)]
pub(super) struct Sink<'c> {
    context: &'c Context,
    selected: &'c Selected,
    channel: ChannelRef<'c>,
    /// The ids that every record contains, as JSON.
    quoted_team: String,
    quoted_channel: String,
    records: Records,
    dedup: Dedup,
    /// Number of records that were sent to the output.
    emitted: usize,
    /// Whether a record was left to the next run because this one has emitted another version of the same key.
    has_deferred: bool,
}

impl<'c> Sink<'c> {
    /// `key`: the key of the partition.
    pub(super) fn new(context: &'c Context, selected: &'c Selected, channel: ChannelRef<'c>, key: &str) -> Self {
        let [quoted_team, quoted_channel] = [channel.team_id, channel.id].map(|id| Value::from(id).to_string());
        Self {
            context,
            selected,
            channel,
            quoted_team,
            quoted_channel,
            records: context.output.batch(selected.stream),
            dedup: Dedup::new(&context.dedup_memory, selected.stream.name, key),
            emitted: 0,
            has_deferred: false,
        }
    }

    /// Adds the record of a message unless the run has emitted its key. `has_read`: whether the walk has read the message's thread before.
    /// Returns whether the record was skipped because it is too large.
    pub(super) fn write(&mut self, message: Item<'_>, id: &str, root: Option<&str>, has_read: impl FnOnce() -> Option<bool>) -> bool {
        let (columns, dedup) = (&self.selected.columns, &mut self.dedup);
        let (max, mut seen, mut is_too_large) = (self.context.max_record, Seen::New, false);
        let [team, channel] =
            [("team_id", &self.quoted_team), ("channel_id", &self.quoted_channel)].map(|(name, id)| (name, Added::Quoted(id)));
        let id_columns = [team, channel, ("parent_message_id", Added::Text(root.unwrap_or_default()))];
        let derived = if root.is_some() { &id_columns[..] } else { &id_columns[..2] };
        let change = change(message);
        let shows_deletion = change == Some(Change::Deleted) && columns.shows_deletions();
        let keep = |record: &[u8]| {
            let version = if shows_deletion { Version::Deleted(record) } else { Version::Live(record) };
            seen = dedup.check(id, version, has_read);
            is_too_large = seen == Seen::New && record.len() > max;
            seen == Seen::New && !is_too_large
        };
        if self.records.push(|out| columns.write(message.fields(), derived, out), keep)
            && let Some(change) = change
        {
            self.records.count_change(change);
        }
        // A message without a time is emitted by every run that reads it.
        self.has_deferred |= seen == Seen::Changed && Activity::from_message(message).known().is_some();
        is_too_large
    }

    /// Adds the record of a message that Graph reports as removed.
    pub(super) fn write_removed(&mut self, id: &str, removal: Removal, now: DateTime<Utc>) {
        let (columns, channel, dedup) = (&self.selected.columns, self.channel, &mut self.dedup);
        let mut seen = Seen::New;
        let keep = |_: &[u8]| {
            seen = dedup.check(id, Version::Tombstone(removal), || None);
            seen == Seen::New
        };
        if self.records.push(|out| channel.write_removed(columns, id, now, out), keep) {
            self.records.count_change(Change::Deleted);
        }
        self.has_deferred |= seen == Seen::Changed;
    }

    /// Whether a record was deferred since the last call.
    pub(super) fn take_deferred(&mut self) -> bool {
        std::mem::take(&mut self.has_deferred)
    }

    pub(super) fn emitted(&self) -> usize {
        self.emitted
    }

    /// Sends the added records to the output.
    pub(super) async fn flush(&mut self) -> Result<(), Closed> {
        self.emitted += self.records.len();
        self.context.output.write_records(self.records.take()).await
    }

    /// Sends the added records to the output if there are many.
    pub(super) async fn flush_if_full(&mut self) -> Result<(), Closed> {
        if self.records.is_full() { self.flush().await } else { Ok(()) }
    }
}

/// How a message has changed since it was posted.
fn change(message: Item<'_>) -> Option<Change> {
    // Year 1 means never.
    let is_deleted = message.is_deleted() && message.text("deletedDateTime").is_some_and(|time| instant(&time).is_some());
    if is_deleted { Some(Change::Deleted) } else { message.is_changed().then_some(Change::Changed) }
}
