//! Reads one stream of a channel or thread: its cursors, its sink, and the state that it reports.

use chrono::{DateTime, Utc};
use tracing::info;

use super::{
    activity::Activity,
    cursor::{Cursor, WalkPosition},
    delta_cursor::{DeltaCursor, DeltaPosition},
    sink::Sink,
    skipped_messages::SkippedMessages,
};
use crate::{
    config::StreamConfig,
    emit::{Closed, PositionUpdate},
    error::Error,
    graph::{Item, Link, Removal},
    level::{self, Trail},
    read::{channel_ref::ChannelRef, context::Context, skipped_items::fingerprint},
    state::{self, Position},
    streams::{MessageKind, Mode, Read, Selected, Stream},
};

#[derive(Debug)]
pub(crate) struct StreamReader<'c> {
    context: &'c Context,
    selected: &'c Selected,
    config: &'c StreamConfig,
    key: String,
    trail: Trail,
    /// What Graph reports about an import of the channel's history, as stored in the state.
    import: Option<String>,
    pub(crate) cursor: Cursor,
    pub(crate) delta: DeltaCursor,
    pub(super) sink: Sink<'c>,
    skipped: SkippedMessages,
    /// Number of new records that were skipped because they are too large.
    pub(super) too_large: u64,
    /// Pages since a state was last offered.
    pages: u64,
}

impl<'c> StreamReader<'c> {
    /// `thread`: the id of a root message, to read that thread only. Returns [`None`] if the stream is not selected.
    pub(crate) fn new(context: &'c Context, stream: &'static Stream, channel: ChannelRef<'c>, thread: Option<&str>) -> Option<Self> {
        let selected = context.selected(stream)?;
        let config = context.config(stream);
        let ids: Vec<_> = [channel.team_id, channel.id].into_iter().chain(thread).collect();
        let key = level::key(&ids);
        // `state()` puts these parts together again.
        let Position { last_modified_date_time, read_at, since, gap_at, walk, delta_link, delta_at, delta, import, skipped } =
            reset_if_imported(context.state(stream, &key).unwrap_or_default(), channel);
        let skipped = SkippedMessages::new(skipped, walk.is_some());
        let position = WalkPosition { last_modified_date_time, read_at, since, gap_at, walk };
        let delta_position = DeltaPosition { delta_link, delta_at, delta };
        Some(Self {
            cursor: Cursor::new(position, config.start_date, config.lookback, context.client.last_response_time()),
            delta: DeltaCursor::new(delta_position, config.use_delta_api, selected.mode == Mode::FullRefresh, config.lookback),
            sink: Sink::new(context, selected, channel, &key),
            context,
            selected,
            config,
            key,
            trail: stream.trail(),
            import,
            skipped,
            too_large: 0,
            pages: 0,
        })
    }

    pub(crate) fn stream(&self) -> &'static Stream {
        self.selected.stream
    }

    /// The configured page size.
    pub(crate) fn top(&self) -> Option<u64> {
        self.config.top
    }

    /// Whether an earlier attempt at the same full refresh has finished the stream.
    pub(crate) fn is_finished(&self) -> bool {
        self.selected.mode == Mode::FullRefresh && self.cursor.read_at().is_some() && !self.cursor.is_walking()
    }

    /// The error for older messages that Graph failed to return to this or an earlier run.
    pub(super) fn gap_error(&self, task: impl FnOnce() -> String) -> Option<Error> {
        let at = self.cursor.gap_at()?;
        Some(Error::HistoryIncomplete { task: task(), than: self.cursor.since(), at })
    }

    /// Finishes the walk; `head` is the head of its last pass.
    pub(super) fn finish_walk(&mut self, head: Option<DateTime<Utc>>) {
        let has_seen_messages = self.cursor.finish_walk(head);
        self.skipped.end_walk(true);
        if has_seen_messages && self.cursor.read_at().is_some() && matches!(self.selected.stream.read, Read::Walk(MessageKind::Roots)) {
            self.delta.start_after_walk(self.cursor.began, self.cursor.now);
        }
    }

    /// Keeps the walk open because records were deferred: the next run reads from the top down to `until`, or to the walk's cutoff.
    pub(super) fn keep_walk_open(&mut self, until: Option<DateTime<Utc>>) {
        self.cursor.keep_walk_open(until);
        self.skipped.end_walk(false);
    }

    /// Notes an item that the walk has to skip. Returns whether to report it.
    pub(super) fn note_skipped_by_walk(&mut self, item: Item<'_>) -> bool {
        self.cursor.should_report(Activity::from_message(item)) && self.note_skipped(item)
    }

    /// Notes a skipped item. Returns whether no earlier run has reported it in its current form.
    pub(super) fn note_skipped(&mut self, item: Item<'_>) -> bool {
        self.skipped.note(fingerprint(item), self.cursor.is_walking())
    }

    /// Adds the record of a message that the walk has read, if it is needed and the run has not emitted its key. `has_read`: whether the
    /// walk has read the message's thread before.
    pub(super) fn push(&mut self, message: Item<'_>, id: &str, root: Option<&str>, has_read: impl FnOnce() -> Option<bool>) -> Activity {
        let activity = Activity::from_message(message);
        self.cursor.note(activity);
        if self.cursor.needs(activity) {
            self.write(message, id, root, has_read);
        }
        activity
    }

    /// Adds the record of a message that Graph reports as changed, unless the message is older than everything that was ever read.
    pub(super) fn push_changed(&mut self, message: Item<'_>, id: &str) {
        if Activity::from_message(message).known().is_none_or(|time| time >= self.cursor.since()) {
            self.write(message, id, None, || None);
        }
    }

    fn write(&mut self, message: Item<'_>, id: &str, root: Option<&str>, has_read: impl FnOnce() -> Option<bool>) {
        let is_too_large = self.sink.write(message, id, root, has_read);
        self.too_large += u64::from(is_too_large && self.note_skipped(message));
    }

    /// Adds the record of a message that Graph reports as removed.
    pub(super) fn push_removed(&mut self, id: &str, removal: Removal, now: DateTime<Utc>) {
        self.sink.write_removed(id, removal, now);
    }

    /// Reports the state after `pages` more pages whose records were sent to the output. The state is offered for a checkpoint when a batch
    /// is full, and at the `end`.
    pub(super) fn report(&mut self, pages: u64, end: bool) -> Result<(), Closed> {
        self.pages += pages;
        let offered = end || self.pages >= self.config.max_pages_per_batch;
        if offered {
            self.pages = 0;
        }
        let (key, position) = (self.key.clone(), Some(self.state()));
        self.context.output.update_position(PositionUpdate { stream: self.selected.stream, key, position, pages, offered })
    }

    fn state(&self) -> Position {
        let WalkPosition { last_modified_date_time, read_at, since, gap_at, walk } = self.cursor.position().clone();
        let DeltaPosition { delta_link, delta_at, delta } = self.delta.position.clone();
        let (import, skipped) = (self.import.clone(), self.skipped.reported.clone());
        Position { last_modified_date_time, read_at, since, gap_at, walk, delta_link, delta_at, delta, import, skipped }
    }

    /// The link as stored in the state, if it is one that the next run would accept.
    pub(super) fn storable_link(&self, link: &Link) -> Option<String> {
        state::is_page_link(link.as_str(), &self.key, &self.trail).then(|| link.as_str().to_owned())
    }

    /// Stores the link that follows a page of delta. The round began at `at`.
    pub(super) fn store_delta_links(&mut self, at: DateTime<Utc>, next: Option<&Link>, delta: Option<&Link>) {
        self.delta.position.store_links(&self.key, &self.trail, at, next, delta);
    }
}

/// The state of a channel, or an empty state if messages were imported into the channel since. Imported messages have old times, appear
/// below all others in the list, and are older than the start of delta (graph.md 2.3).
fn reset_if_imported(mut state: Position, channel: ChannelRef<'_>) -> Position {
    let Some(import) = channel.facts.import() else { return state };
    if state.import.as_ref() != Some(&import) && (state.read_at.is_some() || state.walk.is_some()) {
        info!("messages were imported into channel {} of team {}; reading the whole channel again", channel.id, channel.team_id);
        state = Position::default();
    }
    state.import = Some(import);
    state
}
