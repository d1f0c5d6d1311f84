//! One stream of a channel, or of a thread, while it is read: which messages are wanted, which were told, and where it stands.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tracing::info;

use super::activity::{Activity, before};
use crate::{
    config::StreamConfig,
    emit::{Change, Closed, Records, Report},
    error::Error,
    graph::{Item, Link, Removal, SKEW},
    level,
    read::{
        context::Context,
        marks::mark,
        once::{Met, Once, Version},
        place::Place,
    },
    record::{Derived, instant},
    state::{self, BEGINNING, ChannelState, DeltaState, MOST_DAMAGE_OF_CHANNEL, RoundState, WalkState},
    streams::{Mode, Read, Selected, Side, Stream},
};

/// Graph's clock may be served by machines that differ: incremental reads overlap by this much at least.
const LEAST_OVERLAP: Duration = Duration::from_secs(2);

/// What Graph did not give is asked for again after so long.
const GAP_LASTS: TimeDelta = TimeDelta::hours(24);

/// One stream of a channel or a thread.
#[derive(Debug)]
pub(crate) struct Part<'c> {
    context: &'c Context,
    selected: &'c Selected,
    pub(crate) place: Place<'c>,
    /// The JSON of the ids, which stand in each record.
    quoted_team: String,
    quoted_channel: String,
    pub(crate) config: &'c StreamConfig,
    key: String,
    pub(crate) state: ChannelState,
    records: Records,
    once: Once,
    /// Records that were handed over.
    pub(crate) told: usize,
    /// Whether a record was held back, since the run has emitted another version of its key: the next run brings it.
    owes: bool,
    /// Whether an earlier run began the walk.
    is_resumed: bool,
    /// Records that were left out, since they are larger than is allowed.
    pub(crate) too_large: u64,
    /// The marks of items that the walk has met and left out.
    damage: Vec<String>,
    /// Whether older messages that Graph did not give are left to another day: not every run asks for them.
    leaves_gap: bool,
    /// Pages since a state was offered.
    pages: u64,
    /// The newest activity that the walk has met.
    pub(crate) newest: Option<DateTime<Utc>>,
    /// Graph's clock, as it was seen last.
    pub(crate) now: Option<DateTime<Utc>>,
    /// Graph's clock when the walk began that this run has finished.
    pub(crate) began: Option<DateTime<Utc>>,
}

impl<'c> Part<'c> {
    /// The stream's part of a channel or, with the id of its root, of a thread; [`None`] if the stream is not selected.
    pub(crate) fn new(context: &'c Context, stream: &'static Stream, place: Place<'c>, thread: Option<&str>) -> Option<Self> {
        let selected = context.selected(stream)?;
        let ids: Vec<_> = [place.team, place.channel].into_iter().chain(thread).collect();
        let key = level::key(&ids);
        let state = with_import(context.state(stream, &key).unwrap_or_default(), place);
        let (config, records) = (context.config(stream), context.output.batch(stream));
        let now = context.client.clock().or(state.read_at);
        let leaves_gap = state.gap_at.zip(now).is_some_and(|(at, now)| (now - at).abs() < GAP_LASTS);
        let (once, is_resumed) = (Once::new(&context.memory, stream.name, &key), state.walk.is_some());
        let [quoted_team, quoted_channel] = [place.team, place.channel].map(|id| Value::from(id).to_string());
        Some(Self {
            context,
            selected,
            place,
            quoted_team,
            quoted_channel,
            config,
            key,
            state,
            records,
            once,
            told: 0,
            owes: false,
            is_resumed,
            too_large: 0,
            damage: Vec::new(),
            leaves_gap,
            pages: 0,
            newest: None,
            now: None,
            began: None,
        })
    }

    /// The stream.
    pub(crate) fn stream(&self) -> &'static Stream {
        self.selected.stream
    }

    /// Whether it is read from its beginning.
    pub(crate) fn is_full_refresh(&self) -> bool {
        self.selected.mode == Mode::FullRefresh
    }

    /// Whether an earlier attempt at the same full refresh has read it to its end.
    pub(crate) fn is_done(&self) -> bool {
        self.is_full_refresh() && self.state.read_at.is_some() && self.state.walk.is_none()
    }

    /// How far back the stream is to be read when it is read for the first time.
    fn start_date(&self) -> DateTime<Utc> {
        self.config.start_date.unwrap_or(BEGINNING)
    }

    /// How far back it was read.
    pub(crate) fn since(&self) -> DateTime<Utc> {
        self.state.since.unwrap_or(BEGINNING)
    }

    /// Whether messages are to be read that are older than all that was read.
    pub(crate) fn has_gap(&self) -> bool {
        self.wants_older() && !self.leaves_gap
    }

    fn wants_older(&self) -> bool {
        self.state.read_at.is_some() && self.start_date() < self.since()
    }

    /// The walk could not get below this time: what is older is left to another day.
    pub(crate) fn note_gap(&mut self, reached: Option<DateTime<Utc>>) {
        let read_at = self.walk().read_at;
        (self.state.since, self.state.gap_at, self.leaves_gap) = (self.state.since.max(reached.or(read_at)), read_at, true);
    }

    /// What is missing since Graph did not give it to this run or an earlier one.
    pub(crate) fn gap(&self, task: impl FnOnce() -> String) -> Option<Error> {
        let at = self.state.gap_at.filter(|_| self.wants_older())?;
        Some(Error::Older { task: task(), than: self.since(), at })
    }

    /// The walk that is under way, or a new one.
    pub(crate) fn walk(&mut self) -> &mut WalkState {
        let (floor, has_gap) = (self.floor(), self.has_gap());
        if self.state.walk.is_none() && has_gap {
            self.state.gap_at = None;
        }
        self.state.walk.get_or_insert_with(|| WalkState::new(floor))
    }

    /// How far down a new walk goes. Exclusive of the cursor: what stands there was told.
    fn floor(&self) -> DateTime<Utc> {
        let Some(read_at) = self.state.read_at else { return self.start_date() };
        let behind = |cursor: DateTime<Utc>| cursor.checked_add_signed(TimeDelta::nanoseconds(1)).unwrap_or(cursor);
        let cursor = self.state.last_modified_date_time.map(behind);
        let floor = cursor.into_iter().fold(before(read_at, self.overlap()), DateTime::min);
        // All above the gap once more: a message in it may by now have a time above it, and never have been told.
        if self.has_gap() { floor.min(self.start_date()) } else { floor }
    }

    /// A message becomes visible a little after its own time: at the first page of the pass all were visible that are older than this.
    pub(crate) fn visible(&self) -> Option<DateTime<Utc>> {
        let read_at = self.state.walk.as_ref()?.read_at?;
        Some(before(read_at, self.overlap()))
    }

    /// By how much incremental reads overlap.
    pub(crate) fn overlap(&self) -> Duration {
        self.config.lookback.max(LEAST_OVERLAP)
    }

    /// The walk is done; its last pass saw this head on its first page. Where no time is known, the floor stays as it was.
    pub(crate) fn finish_walk(&mut self, head: Option<DateTime<Utc>>) {
        let visible = self.visible();
        let Some(walk) = self.state.walk.take() else { return };
        self.began = walk.began;
        self.keep_damage();
        if head.is_none() && self.newest.is_none() {
            return;
        }
        let since = match (self.state.gap_at, self.state.read_at) {
            (Some(_), _) => self.since(),
            (None, Some(_)) => walk.floor.min(self.since()),
            (None, None) => walk.floor,
        };
        self.state.since = Some(since).filter(|&since| since > BEGINNING);
        // What was met later than the first page was there when that was served, if it is old enough.
        let newest = self.newest.zip(visible).map(|(newest, visible)| newest.min(visible));
        let head = head.map(|head| walk.read_at.filter(|&now| head > now + SKEW).unwrap_or(head));
        let cursor = self.state.last_modified_date_time;
        (self.state.last_modified_date_time, self.state.read_at) = (cursor.max(head).max(newest), walk.read_at);
        if matches!(self.selected.stream.read, Read::Walk(Side::Roots)) {
            self.open_delta_behind_walk();
        }
    }

    /// The walk is done but for what was held back: the next run goes once more from the top down to this time, or to the walk's floor.
    pub(crate) fn leave_walk(&mut self, until: Option<DateTime<Utc>>) {
        let walk = self.walk();
        (walk.until, walk.link, walk.owed) = (until, None, None);
        self.keep_damage();
    }

    /// A walk that met everything replaces the marks of the items that earlier walks left out.
    fn keep_damage(&mut self) {
        let mut marks = std::mem::take(&mut self.damage);
        if self.is_resumed || self.state.walk.is_some() {
            marks.extend(std::mem::take(&mut self.state.damage).into_iter().filter(|mark| !marks.contains(mark)).collect::<Vec<_>>());
            marks.truncate(MOST_DAMAGE_OF_CHANNEL);
        }
        self.state.damage = marks;
    }

    /// Whether a record was held back since this was asked last.
    pub(crate) fn take_owed(&mut self) -> bool {
        std::mem::take(&mut self.owes)
    }

    /// Whether a message of this time is wanted by the walk.
    pub(crate) fn wants(&self, activity: Activity) -> bool {
        activity.known().zip(self.state.walk.as_ref()).is_none_or(|(time, walk)| time >= walk.floor)
    }

    /// Whether a damaged item that the walk has met is to be said: once, and not by every run that meets it again.
    pub(crate) fn is_new_damage(&mut self, item: Item<'_>) -> bool {
        // Without a time it is wanted each time.
        if !self.wants(Activity::of(item)) || self.walk().until.is_some() {
            return false;
        }
        self.is_unsaid(item)
    }

    /// Whether no run before has said of this item, as it is now, that it is left out.
    pub(crate) fn is_unsaid(&mut self, item: Item<'_>) -> bool {
        let mark = mark(item);
        let is_new = !self.state.damage.contains(&mark);
        // A walk remembers what it has met; what delta tells is remembered until the next walk.
        let marks = if self.state.walk.is_some() { &mut self.damage } else { &mut self.state.damage };
        if marks.len() < MOST_DAMAGE_OF_CHANNEL && !marks.contains(&mark) {
            marks.push(mark);
        }
        is_new
    }

    /// Adds the record of a message that the walk has met, if it is wanted and the run has not emitted its key. `has_read` knows whether the
    /// walk has read the message's chain before.
    pub(crate) fn push(&mut self, message: Item<'_>, id: &str, root: Option<&str>, has_read: impl FnOnce() -> Option<bool>) -> Activity {
        let activity = Activity::of(message);
        self.newest = self.newest.max(activity.known());
        if self.wants(activity) {
            self.write(message, id, root, has_read);
        }
        activity
    }

    /// Adds the record of a message that Graph reports as changed, unless it is older than all that was ever wanted.
    pub(crate) fn push_changed(&mut self, message: Item<'_>, id: &str) {
        if Activity::of(message).known().is_none_or(|time| time >= self.since()) {
            self.write(message, id, None, || None);
        }
    }

    fn write(&mut self, message: Item<'_>, id: &str, root: Option<&str>, has_read: impl FnOnce() -> Option<bool>) {
        let (columns, once) = (&self.selected.columns, &mut self.once);
        let (max, mut met, mut is_too_large) = (self.context.max_record, Met::New, false);
        let mut derived = vec![("team_id", Derived::Quoted(&self.quoted_team)), ("channel_id", Derived::Quoted(&self.quoted_channel))];
        derived.extend(root.map(|root| ("parent_message_id", Derived::Text(root))));
        let change = change(message);
        let shows_deletion = change == Some(Change::Deleted) && columns.shows_deletions();
        let keep = |record: &[u8]| {
            let version = if shows_deletion { Version::Deleted(record) } else { Version::Live(record) };
            met = once.meet(id, version, has_read);
            is_too_large = met == Met::New && record.len() > max;
            met == Met::New && !is_too_large
        };
        if self.records.push(|out| columns.write(message.fields(), &derived, out), keep)
            && let Some(change) = change
        {
            self.records.note(change);
        }
        // Without a time every run that meets the message emits it.
        self.owes |= met == Met::Changed && Activity::of(message).known().is_some();
        self.too_large += u64::from(is_too_large && self.is_unsaid(message));
    }

    /// Adds the record of a message that Graph reports as removed.
    pub(crate) fn push_removed(&mut self, id: &str, removal: Removal, now: DateTime<Utc>) {
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

    /// Hands over what was added.
    pub(crate) async fn hand_over(&mut self) -> Result<(), Closed> {
        self.told += self.records.len();
        self.context.output.records(self.records.take()).await
    }

    /// Hands over what was added, if that is much.
    pub(crate) async fn hand_over_many(&mut self) -> Result<(), Closed> {
        if self.records.are_many() { self.hand_over().await } else { Ok(()) }
    }

    /// So many pages more were read; what they held was handed over. A state is offered when a batch is full, or at an `end`.
    pub(crate) fn report(&mut self, pages: u64, end: bool) -> Result<(), Closed> {
        self.pages += pages;
        let offered = end || self.pages >= self.config.max_pages_per_batch;
        if offered {
            self.pages = 0;
        }
        let (key, channel) = (self.key.clone(), Some(self.state.clone()));
        self.context.output.report(Report { stream: self.selected.stream, key, channel, pages, offered })
    }

    /// The link as it can be stored: only if it leads where the next run insists on.
    pub(crate) fn storable(&self, link: &Link) -> Option<String> {
        state::is_page(link.as_str(), &self.key).then(|| link.as_str().to_owned())
    }

    /// Takes note of where delta goes on behind a page of the round that began at this moment.
    pub(crate) fn follow_delta_links(&mut self, at: DateTime<Utc>, next: Option<&Link>, delta: Option<&Link>) {
        follow_delta_links(&mut self.state, &self.key, at, next, delta);
    }
}

/// The state of a channel; nothing where its history was imported since. Imported messages have old times, stand below all others, and are
/// older than what delta was opened for (graph.md 2.3).
fn with_import(mut state: ChannelState, place: Place<'_>) -> ChannelState {
    let Some(import) = place.facts.import() else { return state };
    if state.import.as_ref() != Some(&import) && (state.read_at.is_some() || state.walk.is_some()) {
        info!("the history of channel {} of team {} was imported: it is read from its beginning once", place.channel, place.team);
        state = ChannelState::default();
    }
    state.import = Some(import);
    state
}

/// What a message tells of its own history.
fn change(message: Item<'_>) -> Option<Change> {
    // Year 1 means never.
    let is_deleted = message.is_deleted() && message.text("deletedDateTime").is_some_and(|time| instant(&time).is_some());
    if is_deleted { Some(Change::Deleted) } else { message.is_changed().then_some(Change::Changed) }
}

/// As [`Part::follow_delta_links`], for the channel of this key.
pub(crate) fn follow_delta_links(state: &mut ChannelState, key: &str, at: DateTime<Utc>, next: Option<&Link>, delta: Option<&Link>) {
    let storable = |link: &Link| state::is_delta(link.as_str(), key).then(|| link.as_str().to_owned());
    match (next, delta) {
        (Some(next), _) => state.delta.round = storable(next).map(|link| RoundState { link, at }),
        (None, Some(delta)) => (state.delta_link, state.delta_at, state.delta) = (storable(delta), Some(at), DeltaState::default()),
        (None, None) => {}
    }
}
