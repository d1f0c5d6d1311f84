//! Limits duplicates: an unchanged record that the destination already has must have a reason to be emitted again.
//!
//! New and changed records are never counted. An unchanged record may be emitted because its message is within the lookback, because its
//! time is unknown, because delta returns a root whose thread changed, because delta started and repeats its last hour, or because a walk of
//! an earlier run continues: its closing pass finds what moved, and one page at the position where it continues.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    time::Duration,
};

use graph_sim::{MessageId, Paging, Switches, Time};
use scenario::{
    destination::{Destination, Kept},
    ledger::{Ledger, last_modified},
    lines::{Key, Line, Record},
    plan::Plan,
    states,
    world::ChannelRequests,
};
use serde_json::Value;

/// The minimum time that delta starts in the past.
const DELTA_REACH: Duration = Duration::from_secs(3600);

const TICK: Duration = Duration::from_secs(1);

/// What is covered by the states that the destination stored, and since when.
#[derive(Default)]
pub struct Economy {
    /// The start of the last run that finished the walk of a channel for a stream.
    walked: HashMap<(&'static str, String), Time>,
    /// The start of the last run that finished a round of delta.
    followed: HashMap<String, Time>,
    open: HashSet<(&'static str, String)>,
    begun: HashMap<String, Time>,
    /// Records that were emitted although the destination had them.
    pub repeats: usize,
}

/// The facts about a run that decide what may be repeated.
pub struct Run<'r> {
    pub plan: &'r Plan,
    pub ledger: &'r Ledger,
    pub channel_requests: &'r HashMap<String, ChannelRequests>,
    pub start: Time,
    pub lines: &'r [Line],
    /// At the start of the run.
    pub destination: &'r Destination,
}

impl Economy {
    /// Returns the records of a run that were repeated without a reason.
    pub fn judge(&mut self, run: &Run<'_>) -> Vec<String> {
        let mut faults = Vec::new();
        let mut emitted: HashMap<&Key, &str> = HashMap::new();
        let mut unjustified: HashMap<(&'static str, String), Vec<String>> = HashMap::new();
        for line in run.lines {
            let Line::Record(record) = line else { continue };
            if emitted.contains_key(&record.key) {
                faults.push(format!("{:?} was emitted twice in one run", record.key));
            }
            let row = run.destination.rows.get(&record.key);
            if !record.removed && row.is_some_and(|row| row.is_covered && row.text == record.text) {
                self.repeats += 1;
                if !self.has_reason(run, record) {
                    let place = (record.key.stream, record.key.channel.clone());
                    unjustified.entry(place).or_default().push(record.key.id.clone());
                }
            }
            emitted.insert(&record.key, &record.text);
        }
        for (place, ids) in unjustified {
            let allowed = if self.open.contains(&place) { longest(run, &place, self.threads_seen_again(run, &place)) } else { 0 };
            if ids.len() > allowed {
                let walked = self.walked.get(&place);
                faults.push(format!("{place:?}: {} repeats without a reason, {allowed} allowed, walked at {walked:?}: {ids:?}", ids.len()));
            }
        }
        faults
    }

    /// The number of unchanged threads that a resumed walk may find again: two pages at its position, a few more if times are unknown,
    /// and, with offsets, one for each thread that has moved up meanwhile, because it pushes another one down.
    fn threads_seen_again(&self, run: &Run<'_>, place: &(&'static str, String)) -> usize {
        let top = run.plan.top.filter(|_| !run.plan.reconfigures).unwrap_or(50) as usize;
        if run.plan.switches.paging == Paging::Position {
            return 2 * top + 10;
        }
        let since = self.walked.get(place).or_else(|| self.begun.get(&place.1)).copied().unwrap_or(run.start);
        let moved = run.ledger.changed.iter().filter(|((channel, _), changed)| *channel == place.1 && **changed >= since);
        2 * top + 10 + moved.count()
    }

    fn has_reason(&self, run: &Run<'_>, record: &Record) -> bool {
        let Run { plan, ledger, .. } = run;
        let place = (record.key.stream, record.key.channel.clone());
        let Some(own) = own_time(&record.text) else { return true };
        if fills_gap(run, record) || is_changed_in_place(run, record) {
            return true;
        }
        let thread_time = ledger.changed.get(&(record.key.channel.clone(), root(record))).copied().unwrap_or(own).max(own);
        let begun = self.begun.get(&record.key.channel).copied().unwrap_or(run.start);
        let walked = self.walked.get(&place).copied();
        let channel_requests = run.channel_requests.get(&record.key.channel).cloned().unwrap_or_default();
        if walked.is_some_and(|walked| own >= walked.minus(plan.reach() + TICK)) {
            return true;
        }
        if self.open.contains(&place) {
            let since = walked.unwrap_or(begun).minus(plan.reach() + TICK);
            // A pass restarts when its link is refused. If few or no replies are expanded, the first page looks older than it is, or the
            // age of its threads is unknown without replies, so the closing pass reads further.
            let Switches { expands_replies, inline_replies, .. } = plan.switches;
            if thread_time >= since || plan.loses_links() || !expands_replies || inline_replies <= 3 {
                return true;
            }
        }
        let followed = self.followed.get(&record.key.channel).copied().unwrap_or(begun);
        let opening = followed.minus(plan.reach().max(DELTA_REACH) + TICK);
        // The first round of delta may continue from an earlier run.
        let opens = channel_requests.opened || entry(run.destination, record.key.stream, &record.key.channel)["deltaLink"].is_null();
        record.key.stream == "messages" && channel_requests.delta && (thread_time >= followed || opens && thread_time >= opening)
    }

    /// Records what the destination contains after a run.
    pub fn note(&mut self, run: &Run<'_>, ended: bool, kept: &Kept, after: &Destination) {
        for (channel, channel_requests) in run.channel_requests {
            self.begun.entry(channel.clone()).or_insert(run.start);
            for &stream in &run.plan.streams {
                let place = (stream, channel.clone());
                let state = entry(after, stream, channel);
                if !ended || channel_requests.blocked || !kept.current.contains(&stream) || !state["walk"].is_null() {
                    self.open.insert(place);
                } else if channel_requests.passes > 0 {
                    // If a thread has several pages, a last pass without changes may leave the replies known as of the previous pass.
                    let read_at = seconds(&state["readAt"]).unwrap_or(run.start);
                    let Switches { expands_replies, inline_replies, .. } = run.plan.switches;
                    let is_in_parts = stream == "message_replies" && (!expands_replies || has_long_thread(after, channel, inline_replies));
                    self.walked.insert(place.clone(), if is_in_parts { read_at.min(run.start) } else { run.start });
                    self.open.remove(&place);
                }
                let is_followed = channel_requests.rounds && state["deltaRound"].is_null() && state["deltaLink"].is_string();
                if ended && is_followed && kept.current.contains(&stream) {
                    // If the run deferred a record, the next one requests the same round again.
                    let at = seconds(&state["deltaAt"]).unwrap_or(run.start);
                    self.followed.insert(channel.clone(), at.min(run.start));
                }
            }
        }
    }
}

/// A time of Graph's clock in a state.
fn seconds(clock: &Value) -> Option<Time> {
    clock.as_i64().map(|seconds| Time::from_ticks(seconds * 10_000_000))
}

/// The entry of a channel in the stored state.
fn entry<'d>(destination: &'d Destination, stream: &str, channel: &str) -> &'d Value {
    let mut entries = destination.stream_state(stream).into_iter().flat_map(states::entries);
    entries.find(|(_, entry)| entry["id"] == channel).map_or(&Value::Null, |(_, entry)| entry)
}

/// The records of a run without changes. A message without a usable time may always be new.
pub fn idle_run(run: &Run<'_>) -> Vec<String> {
    let records = run.lines.iter().filter_map(|line| match line {
        Line::Record(record) => Some(record),
        _ => None,
    });
    // The records that the previous run deferred are emitted now, together with the records above them.
    let is_deferred = |record: &&Record| !entry(run.destination, record.key.stream, &record.key.channel)["walk"].is_null();
    let without_reason =
        records.filter(|record| own_time(&record.text).is_some() && !is_changed_in_place(run, record) && !is_deferred(record));
    let keys: Vec<_> = without_reason.map(|record| (record.key.stream, &record.key.channel, &record.key.id)).collect();
    if keys.is_empty() { Vec::new() } else { vec![format!("{} records were emitted although nothing has changed: {keys:?}", keys.len())] }
}

/// The start date is earlier than before: the channel is read from it once.
fn fills_gap(run: &Run<'_>, record: &Record) -> bool {
    let of_channel = &entry(run.destination, record.key.stream, &record.key.channel)["since"];
    let usual = run.destination.stream_state(record.key.stream).map_or(&Value::Null, |state| &state["since"][0]);
    let since = of_channel.as_str().or(usual.as_str()).and_then(Time::parse);
    since.is_some_and(|since| run.plan.start_time().is_none_or(|start| start < since))
}

/// A message that changed without moving may be below older threads, and is found when a walk first reaches it.
fn is_changed_in_place(run: &Run<'_>, record: &Record) -> bool {
    run.ledger.unreported.contains_key(&(record.key.channel.clone(), record.key.id.parse().unwrap()))
}

/// The number of records in the longest threads of the channel.
fn longest(run: &Run<'_>, (stream, channel): &(&'static str, String), threads: usize) -> usize {
    if *stream == "messages" {
        return threads;
    }
    let mut lengths: Vec<_> = lengths(run.destination, channel).collect();
    lengths.sort_unstable_by_key(|&length| Reverse(length));
    lengths.into_iter().take(threads).sum()
}

/// The number of replies in the destination for each thread of a channel.
fn lengths(destination: &Destination, channel: &str) -> impl Iterator<Item = usize> {
    let mut lengths: HashMap<MessageId, usize> = HashMap::new();
    for (key, row) in destination.rows.iter().filter(|(key, _)| key.stream == "message_replies" && key.channel == channel) {
        let record = Record { key: key.clone(), text: row.text.clone(), removed: row.removed };
        *lengths.entry(root(&record)).or_default() += 1;
    }
    lengths.into_values()
}

fn has_long_thread(destination: &Destination, channel: &str, inline_replies: usize) -> bool {
    lengths(destination, channel).any(|length| length > inline_replies)
}

fn root(record: &Record) -> MessageId {
    let parent = record.text.split_once("\"parent_message_id\":\"").and_then(|(_, rest)| rest.split_once('"'));
    parent.map_or(&*record.key.id, |(parent, _)| parent).parse().unwrap()
}

/// The newest time that defines the activity of a message; `None` if its lastModifiedDateTime is unusable.
pub fn own_time(text: &str) -> Option<Time> {
    let columns: Value = serde_json::from_str(text).unwrap();
    let time = |name: &str| columns[name].as_str().and_then(Time::parse);
    let modified = last_modified(text)?;
    Some(["lastEditedDateTime", "deletedDateTime"].into_iter().filter_map(time).fold(modified, Time::max))
}
