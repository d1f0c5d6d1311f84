//! A simulated destination: it upserts by primary key, keeps only records that a STATE covers, and returns the last stored STATE.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::{
    Protocol, STREAMS,
    dice::Dice,
    lines::{Key, Line, Record},
    states::merge,
};

/// How a destination handles STATEs. The protocols allow all of these.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// The percentage of STATEs that are skipped. The next stored one covers their records.
    pub skips_states: u64,
    /// The percentage of Singer STATEs of which only the bookmark of one stream is stored, and only its records are kept.
    pub stores_one_stream: u64,
    /// Singer states are merged recursively into the old one, as in Meltano.
    pub merges: bool,
    /// Records that no STATE covers are kept as well.
    pub keeps_uncovered: bool,
}

/// A message in the destination.
#[derive(Clone, Debug)]
pub struct Row {
    pub text: String,
    pub removed: bool,
    /// A stored state covers it, so it need not be emitted again.
    pub is_covered: bool,
}

/// The rows and the last state.
#[derive(Clone, Debug)]
pub struct Destination {
    protocol: Protocol,
    pub rows: HashMap<Key, Row>,
    /// Records that no STATE covers yet.
    pending: Vec<Pending>,
    /// Airbyte: the last state of each stream.
    stream_states: BTreeMap<&'static str, Value>,
    /// Singer: the last state.
    singer_state: Option<Value>,
}

#[derive(Clone, Debug)]
struct Pending {
    record: Record,
    /// The bookmark of its stream has changed since. A Singer STATE covers all records before it, even those of a stream whose own bookmark is
    /// unchanged. Such records are kept, but will be emitted again.
    is_bookmarked: bool,
}

/// The result of reading a run.
#[derive(Debug, Default)]
pub struct Kept {
    pub stored: usize,
    /// Records that no STATE covered.
    pub discarded: usize,
    /// Records that the destination already had, unchanged.
    pub repeated: usize,
    /// The streams whose last STATE was stored.
    pub current: Vec<&'static str>,
}

impl Destination {
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, rows: HashMap::new(), pending: Vec::new(), stream_states: BTreeMap::new(), singer_state: None }
    }

    /// The state for the next run.
    pub fn state(&self) -> Option<Value> {
        match self.protocol {
            Protocol::Airbyte if self.stream_states.is_empty() => None,
            Protocol::Airbyte => Some(self.stream_states.values().cloned().collect()),
            _ => self.singer_state.clone(),
        }
    }

    /// The state of one stream.
    pub fn stream_state(&self, stream: &str) -> Option<&Value> {
        match self.protocol {
            Protocol::Airbyte => self.stream_states.get(stream).map(|state| &state["stream"]["stream_state"]),
            _ => self.singer_state.as_ref().map(|state| &state["bookmarks"][stream]),
        }
    }

    /// Reads the lines of a run and discards the records that no stored STATE covers.
    pub fn read<'l>(&mut self, lines: impl IntoIterator<Item = &'l Line>, habits: Habits, dice: &mut Dice) -> Kept {
        let mut kept = Kept::default();
        let mut previous = Value::Null;
        for line in lines {
            if let Line::State(stream, state) = line {
                let moved: Vec<_> = match stream {
                    Some(stream) => vec![*stream],
                    None => STREAMS.into_iter().filter(|stream| state["bookmarks"][stream] != previous["bookmarks"][stream]).collect(),
                };
                self.pending.iter_mut().for_each(|pending| pending.is_bookmarked |= moved.contains(&pending.record.key.stream));
                previous = state.clone();
            }
            match line {
                Line::Record(record) => {
                    kept.current.retain(|stream| *stream != record.key.stream);
                    kept.repeated += usize::from(self.rows.get(&record.key).is_some_and(|row| row.text == record.text));
                    self.pending.push(Pending { record: record.clone(), is_bookmarked: false });
                }
                Line::State(..) if dice.chance(habits.skips_states) => kept.current.clear(),
                Line::State(stream, state) => {
                    // A Singer state contains all streams. Streams whose part was not stored are not current.
                    let contained = stream.map_or(STREAMS.to_vec(), |stream| vec![stream]);
                    kept.current.retain(|stream| !contained.contains(stream));
                    kept.current.extend(self.store(*stream, state.clone(), habits, dice));
                    kept.stored += 1;
                }
                Line::FullTable(..) | Line::Other => {}
            }
        }
        let pending = std::mem::take(&mut self.pending);
        kept.discarded = pending.len();
        if habits.keeps_uncovered {
            pending.into_iter().for_each(|pending| self.upsert(pending.record, false));
        }
        kept
    }

    /// Stores a state and the records that it covers. Returns the stored streams.
    fn store(&mut self, stream: Option<&'static str>, state: Value, habits: Habits, dice: &mut Dice) -> Vec<&'static str> {
        let covered = match stream {
            Some(stream) => {
                self.stream_states.insert(stream, state);
                vec![stream]
            }
            None if dice.chance(habits.stores_one_stream) => {
                let stream = dice.pick(&STREAMS);
                let whole = self.singer_state.get_or_insert_with(|| json!({"bookmarks": {}}));
                if let Some(bookmark) = state["bookmarks"].get(stream) {
                    whole["bookmarks"][stream] = bookmark.clone();
                }
                vec![stream]
            }
            None => {
                match &mut self.singer_state {
                    Some(Value::Object(whole)) if habits.merges => merge(whole, state.as_object().unwrap()).unwrap(),
                    whole => *whole = Some(state),
                }
                STREAMS.to_vec()
            }
        };
        for pending in std::mem::take(&mut self.pending) {
            if covered.contains(&pending.record.key.stream) {
                self.upsert(pending.record, pending.is_bookmarked);
            } else {
                self.pending.push(pending);
            }
        }
        covered
    }

    fn upsert(&mut self, record: Record, is_covered: bool) {
        self.rows.insert(record.key, Row { text: record.text, removed: record.removed, is_covered });
    }
}
