//! One stream of a channel, or of a thread, while it is read: its cursors, its way to the output, and the state that it leaves.

use chrono::{DateTime, Utc};
use tracing::info;

use super::{
    activity::Activity,
    cursor::{Cursor, WalkPosition},
    damage_marks::DamageMarks,
    delta_cursor::{DeltaCursor, DeltaPosition},
    sink::Sink,
};
use crate::{
    config::StreamConfig,
    emit::{Closed, Report},
    error::Error,
    graph::{Item, Link, Removal},
    level::{self, Trail},
    read::{context::Context, marks::mark, place::Place},
    state::{self, Position},
    streams::{Mode, Read, Selected, Side, Stream},
};

/// One stream of a channel or a thread.
#[derive(Debug)]
pub(crate) struct StreamReader<'c> {
    context: &'c Context,
    selected: &'c Selected,
    config: &'c StreamConfig,
    key: String,
    trail: Trail,
    /// Graph's facts about an import of the channel's history, as the state has them.
    import: Option<String>,
    pub(crate) cursor: Cursor,
    pub(crate) delta: DeltaCursor,
    pub(super) sink: Sink<'c>,
    marks: DamageMarks,
    /// Records that were left out, since they are larger than is allowed.
    pub(super) too_large: u64,
    /// Pages since a state was offered.
    pages: u64,
}

impl<'c> StreamReader<'c> {
    /// The stream in a channel or, with the id of its root, in a thread; [`None`] if it is not selected.
    pub(crate) fn new(context: &'c Context, stream: &'static Stream, place: Place<'c>, thread: Option<&str>) -> Option<Self> {
        let selected = context.selected(stream)?;
        let config = context.config(stream);
        let ids: Vec<_> = [place.team, place.channel].into_iter().chain(thread).collect();
        let key = level::key(&ids);
        // All of the state is taken apart here, and put together again by `state()`.
        let Position { last_modified_date_time, read_at, since, gap_at, walk, delta_link, delta_at, delta, import, damage } =
            with_import(context.state(stream, &key).unwrap_or_default(), place);
        let marks = DamageMarks::new(damage, walk.is_some());
        let position = WalkPosition { last_modified_date_time, read_at, since, gap_at, walk };
        let delta_position = DeltaPosition { delta_link, delta_at, delta };
        Some(Self {
            cursor: Cursor::new(position, config.start_date, config.lookback, context.client.clock()),
            delta: DeltaCursor::new(delta_position, config.use_delta_api, selected.mode == Mode::FullRefresh, config.lookback),
            sink: Sink::new(context, selected, place, &key),
            context,
            selected,
            config,
            key,
            trail: stream.trail(),
            import,
            marks,
            too_large: 0,
            pages: 0,
        })
    }

    /// The stream.
    pub(crate) fn stream(&self) -> &'static Stream {
        self.selected.stream
    }

    /// Items on a page, if they are configured.
    pub(crate) fn top(&self) -> Option<u64> {
        self.config.top
    }

    /// Whether an earlier attempt at the same full refresh has read it to its end.
    pub(crate) fn is_done(&self) -> bool {
        self.selected.mode == Mode::FullRefresh && self.cursor.read_at().is_some() && !self.cursor.is_walking()
    }

    /// What is missing since Graph did not give it to this run or an earlier one.
    pub(super) fn gap(&self, task: impl FnOnce() -> String) -> Option<Error> {
        let at = self.cursor.gap_at()?;
        Some(Error::Older { task: task(), than: self.cursor.since(), at })
    }

    /// The walk is done; its last pass saw this head on its first page.
    pub(super) fn finish_walk(&mut self, head: Option<DateTime<Utc>>) {
        let has_met_some = self.cursor.finish_walk(head);
        self.marks.end_walk(true);
        if has_met_some && self.cursor.read_at().is_some() && matches!(self.selected.stream.read, Read::Walk(Side::Roots)) {
            self.delta.open_after_walk(self.cursor.began, self.cursor.now);
        }
    }

    /// The walk is done but for what was held back: the next run goes once more from the top down to this time, or to the walk's floor.
    pub(super) fn leave_walk(&mut self, until: Option<DateTime<Utc>>) {
        self.cursor.leave_walk(until);
        self.marks.end_walk(false);
    }

    /// Whether a damaged item that the walk has met is to be reported.
    pub(super) fn is_new_damage(&mut self, item: Item<'_>) -> bool {
        self.cursor.reports(Activity::of(item)) && self.is_unreported(item)
    }

    /// Whether no run before has reported that this item, as it is now, is left out.
    pub(super) fn is_unreported(&mut self, item: Item<'_>) -> bool {
        self.marks.note(mark(item), self.cursor.is_walking())
    }

    /// Adds the record of a message that the walk has met, if it is wanted and the run has not emitted its key. `has_read` knows whether the
    /// walk has read the message's chain before.
    pub(super) fn push(&mut self, message: Item<'_>, id: &str, root: Option<&str>, has_read: impl FnOnce() -> Option<bool>) -> Activity {
        let activity = Activity::of(message);
        self.cursor.note(activity);
        if self.cursor.wants(activity) {
            self.write(message, id, root, has_read);
        }
        activity
    }

    /// Adds the record of a message that Graph reports as changed, unless it is older than all that was ever wanted.
    pub(super) fn push_changed(&mut self, message: Item<'_>, id: &str) {
        if Activity::of(message).known().is_none_or(|time| time >= self.cursor.since()) {
            self.write(message, id, None, || None);
        }
    }

    fn write(&mut self, message: Item<'_>, id: &str, root: Option<&str>, has_read: impl FnOnce() -> Option<bool>) {
        let is_too_large = self.sink.write(message, id, root, has_read);
        self.too_large += u64::from(is_too_large && self.is_unreported(message));
    }

    /// Adds the record of a message that Graph reports as removed.
    pub(super) fn push_removed(&mut self, id: &str, removal: Removal, now: DateTime<Utc>) {
        self.sink.write_removed(id, removal, now);
    }

    /// Reports the state after `pages` more pages, whose records were handed over. A state is offered when a batch is full, or at an `end`.
    pub(super) fn report(&mut self, pages: u64, end: bool) -> Result<(), Closed> {
        self.pages += pages;
        let offered = end || self.pages >= self.config.max_pages_per_batch;
        if offered {
            self.pages = 0;
        }
        let (key, position) = (self.key.clone(), Some(self.state()));
        self.context.output.report(Report { stream: self.selected.stream, key, position, pages, offered })
    }

    fn state(&self) -> Position {
        let WalkPosition { last_modified_date_time, read_at, since, gap_at, walk } = self.cursor.position().clone();
        let DeltaPosition { delta_link, delta_at, delta } = self.delta.position.clone();
        let (import, damage) = (self.import.clone(), self.marks.reported.clone());
        Position { last_modified_date_time, read_at, since, gap_at, walk, delta_link, delta_at, delta, import, damage }
    }

    /// The link as it can be stored: only if it leads where the next run insists on.
    pub(super) fn storable(&self, link: &Link) -> Option<String> {
        state::is_page_link(link.as_str(), &self.key, &self.trail).then(|| link.as_str().to_owned())
    }

    /// Stores the link that follows a page of delta. The round began at the given time.
    pub(super) fn follow_delta(&mut self, at: DateTime<Utc>, next: Option<&Link>, delta: Option<&Link>) {
        self.delta.position.follow(&self.key, &self.trail, at, next, delta);
    }
}

/// The state of a channel; nothing where its history was imported since. Imported messages have old times, are below all others in the list,
/// and are older than what delta was opened for (graph.md 2.3).
fn with_import(mut state: Position, place: Place<'_>) -> Position {
    let Some(import) = place.facts.import() else { return state };
    if state.import.as_ref() != Some(&import) && (state.read_at.is_some() || state.walk.is_some()) {
        info!("messages were imported into channel {} of team {}; reading the whole channel again", place.channel, place.team);
        state = Position::default();
    }
    state.import = Some(import);
    state
}
