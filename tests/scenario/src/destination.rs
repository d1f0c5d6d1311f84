//! The careful destination: it upserts by primary key, keeps what a STATE covers, and hands back the last STATE that it kept.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::{
    Protocol, STREAMS,
    dice::Dice,
    lines::{Key, Line, Record},
    states::merge,
};

/// What a destination does with STATEs, each within what the protocols allow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// So many STATEs of a hundred are passed over: the next one that is stored covers their records.
    pub passes_over: u64,
    /// Of so many STATEs of Singer of a hundred only the bookmark of one stream is stored, and only its records are kept.
    pub stores_one_stream: u64,
    /// Singer's state is merged deeply into the old one, as Meltano does.
    pub merges: bool,
    /// Records that no STATE covers are kept too.
    pub keeps_uncovered: bool,
}

/// A message as the destination has it.
#[derive(Clone, Debug)]
pub struct Row {
    pub text: String,
    pub removed: bool,
    /// A stored state covers it: it need not come again.
    pub is_covered: bool,
}

/// Rows and the last state.
#[derive(Clone, Debug)]
pub struct Destination {
    protocol: Protocol,
    pub rows: HashMap<Key, Row>,
    /// Records that no STATE covers yet.
    pending: Vec<Pending>,
    /// Airbyte's: the last of each stream.
    of_streams: BTreeMap<&'static str, Value>,
    /// Singer's.
    whole: Option<Value>,
}

#[derive(Clone, Debug)]
struct Pending {
    record: Record,
    /// The bookmark of its stream has moved since. In Singer a STATE covers all records before it, also those of a stream whose own bookmark
    /// has not moved: they are kept, and come again.
    is_passed: bool,
}

/// What was kept of a run.
#[derive(Debug, Default)]
pub struct Kept {
    pub stored: usize,
    /// Records that no STATE covered.
    pub thrown: usize,
    /// Records that the destination had already, word for word.
    pub repeated: usize,
    /// The streams whose last STATE was stored.
    pub up_to_date: Vec<&'static str>,
}

impl Destination {
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, rows: HashMap::new(), pending: Vec::new(), of_streams: BTreeMap::new(), whole: None }
    }

    /// The state for the next run.
    pub fn state(&self) -> Option<Value> {
        match self.protocol {
            Protocol::Airbyte if self.of_streams.is_empty() => None,
            Protocol::Airbyte => Some(self.of_streams.values().cloned().collect()),
            _ => self.whole.clone(),
        }
    }

    /// The state of a stream within it.
    pub fn state_of(&self, stream: &str) -> Option<&Value> {
        match self.protocol {
            Protocol::Airbyte => self.of_streams.get(stream).map(|state| &state["stream"]["stream_state"]),
            _ => self.whole.as_ref().map(|state| &state["bookmarks"][stream]),
        }
    }

    /// Reads the lines of a run, as far as they came, and throws away what no stored STATE covers.
    pub fn read<'l>(&mut self, lines: impl IntoIterator<Item = &'l Line>, habits: Habits, dice: &mut Dice) -> Kept {
        let mut kept = Kept::default();
        let mut told = Value::Null;
        for line in lines {
            if let Line::State(stream, state) = line {
                let moved: Vec<_> = match stream {
                    Some(stream) => vec![*stream],
                    None => STREAMS.into_iter().filter(|stream| state["bookmarks"][stream] != told["bookmarks"][stream]).collect(),
                };
                self.pending.iter_mut().for_each(|pending| pending.is_passed |= moved.contains(&pending.record.key.stream));
                told = state.clone();
            }
            match line {
                Line::Record(record) => {
                    kept.up_to_date.retain(|stream| *stream != record.key.stream);
                    kept.repeated += usize::from(self.rows.get(&record.key).is_some_and(|row| row.text == record.text));
                    self.pending.push(Pending { record: record.clone(), is_passed: false });
                }
                Line::State(..) if dice.chance(habits.passes_over) => kept.up_to_date.clear(),
                Line::State(stream, state) => {
                    // A state of Singer speaks of all streams: those of which it was not stored are behind.
                    let spoken_of = stream.map_or(STREAMS.to_vec(), |stream| vec![stream]);
                    kept.up_to_date.retain(|stream| !spoken_of.contains(stream));
                    kept.up_to_date.extend(self.store(*stream, state.clone(), habits, dice));
                    kept.stored += 1;
                }
                Line::Whole(..) | Line::Other => {}
            }
        }
        let pending = std::mem::take(&mut self.pending);
        kept.thrown = pending.len();
        if habits.keeps_uncovered {
            pending.into_iter().for_each(|pending| self.upsert(pending.record, false));
        }
        kept
    }

    /// Stores a state and keeps the records that it covers; gives the streams of which that was done.
    fn store(&mut self, stream: Option<&'static str>, state: Value, habits: Habits, dice: &mut Dice) -> Vec<&'static str> {
        let covered = match stream {
            Some(stream) => {
                self.of_streams.insert(stream, state);
                vec![stream]
            }
            None if dice.chance(habits.stores_one_stream) => {
                let stream = dice.pick(&STREAMS);
                let whole = self.whole.get_or_insert_with(|| json!({"bookmarks": {}}));
                if let Some(bookmark) = state["bookmarks"].get(stream) {
                    whole["bookmarks"][stream] = bookmark.clone();
                }
                vec![stream]
            }
            None => {
                match &mut self.whole {
                    Some(Value::Object(whole)) if habits.merges => merge(whole, state.as_object().unwrap()).unwrap(),
                    whole => *whole = Some(state),
                }
                STREAMS.to_vec()
            }
        };
        for pending in std::mem::take(&mut self.pending) {
            if covered.contains(&pending.record.key.stream) {
                self.upsert(pending.record, pending.is_passed);
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
