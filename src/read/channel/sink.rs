//! The way of a message to the output: its record, unless the run has emitted its key or the record is too large.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::activity::Activity;
use crate::{
    emit::{Change, Closed, Records},
    graph::{Item, Removal},
    read::{
        context::Context,
        once::{Met, Once, Version},
        place::Place,
    },
    record::{Derived, instant},
    streams::Selected,
};

/// Takes the messages of one stream of a channel, or of a thread.
#[derive(Debug)]
pub(super) struct Sink<'c> {
    context: &'c Context,
    selected: &'c Selected,
    place: Place<'c>,
    /// The JSON of the ids that each record has.
    quoted_team: String,
    quoted_channel: String,
    records: Records,
    once: Once,
    /// Records that were handed over.
    emitted: usize,
    /// Whether a record was held back, since the run has emitted another version of its key: the next run brings it.
    owes: bool,
}

impl<'c> Sink<'c> {
    /// For what a partition of this key has.
    pub(super) fn new(context: &'c Context, selected: &'c Selected, place: Place<'c>, key: &str) -> Self {
        let [quoted_team, quoted_channel] = [place.team, place.channel].map(|id| Value::from(id).to_string());
        Self {
            context,
            selected,
            place,
            quoted_team,
            quoted_channel,
            records: context.output.batch(selected.stream),
            once: Once::new(&context.memory, selected.stream.name, key),
            emitted: 0,
            owes: false,
        }
    }

    /// Adds the record of a message, if the run has not emitted its key. `has_read` knows whether the walk has read the message's chain before.
    /// Gives whether the record was left out, since it is larger than is allowed.
    pub(super) fn write(&mut self, message: Item<'_>, id: &str, root: Option<&str>, has_read: impl FnOnce() -> Option<bool>) -> bool {
        let (columns, once) = (&self.selected.columns, &mut self.once);
        let (max, mut met, mut is_too_large) = (self.context.max_record, Met::New, false);
        let [team, channel] =
            [("team_id", &self.quoted_team), ("channel_id", &self.quoted_channel)].map(|(name, id)| (name, Derived::Quoted(id)));
        let of_reply = [team, channel, ("parent_message_id", Derived::Text(root.unwrap_or_default()))];
        let derived = if root.is_some() { &of_reply[..] } else { &of_reply[..2] };
        let change = change(message);
        let shows_deletion = change == Some(Change::Deleted) && columns.shows_deletions();
        let keep = |record: &[u8]| {
            let version = if shows_deletion { Version::Deleted(record) } else { Version::Live(record) };
            met = once.meet(id, version, has_read);
            is_too_large = met == Met::New && record.len() > max;
            met == Met::New && !is_too_large
        };
        if self.records.push(|out| columns.write(message.fields(), derived, out), keep)
            && let Some(change) = change
        {
            self.records.note(change);
        }
        // Without a time every run that meets the message emits it.
        self.owes |= met == Met::Changed && Activity::of(message).known().is_some();
        is_too_large
    }

    /// Adds the record of a message that Graph reports as removed.
    pub(super) fn write_removed(&mut self, id: &str, removal: Removal, now: DateTime<Utc>) {
        let (columns, place, once) = (&self.selected.columns, self.place, &mut self.once);
        let mut met = Met::New;
        let keep = |_: &[u8]| {
            met = once.meet(id, Version::Tombstone(removal), || None);
            met == Met::New
        };
        if self.records.push(|out| place.write_removed(columns, id, now, out), keep) {
            self.records.note(Change::Deleted);
        }
        self.owes |= met == Met::Changed;
    }

    /// Whether a record was held back since this was asked last.
    pub(super) fn take_owed(&mut self) -> bool {
        std::mem::take(&mut self.owes)
    }

    /// Records that were handed over.
    pub(super) fn emitted(&self) -> usize {
        self.emitted
    }

    /// Hands over what was added.
    pub(super) async fn hand_over(&mut self) -> Result<(), Closed> {
        self.emitted += self.records.len();
        self.context.output.records(self.records.take()).await
    }

    /// Hands over what was added, if that is much.
    pub(super) async fn hand_over_many(&mut self) -> Result<(), Closed> {
        if self.records.are_many() { self.hand_over().await } else { Ok(()) }
    }
}

/// What has happened to a message since it was written.
fn change(message: Item<'_>) -> Option<Change> {
    // Year 1 means never.
    let is_deleted = message.is_deleted() && message.text("deletedDateTime").is_some_and(|time| instant(&time).is_some());
    if is_deleted { Some(Change::Deleted) } else { message.is_changed().then_some(Change::Changed) }
}
