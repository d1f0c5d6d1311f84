//! A key at most once a run: consumers differ in which of two versions of a key they keep, so no run emits a second one.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, OnceLock},
};

use fastbloom::AtomicBloomFilter;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::graph::Removal;

/// Keys that are remembered with their content, for all channels under way together: some 8 MB.
const KEYS: usize = 1 << 18;

/// The least that each channel remembers, however many are under way.
const LEAST: usize = 512;

/// Bits that remember the keys alone, for the whole run: 8 MB, made when they are first needed. With a million keys in them one key in ten
/// million is taken for a known one, with five million one in a thousand; such a key comes with the next run.
const BITS: usize = 1 << 26;

/// Bits that are set for a key.
const HASHES: u32 = 8;

/// What a record's key has to do with the records that this run has emitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Met {
    /// The run has not emitted the key.
    New,
    /// The run has emitted this very record.
    Same,
    /// The run has emitted another version of the key, or may have.
    Changed,
}

/// A record that is met, as far as its key's other records are concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Version<'r> {
    /// The text of a record that shows no deletion.
    Live(&'r [u8]),
    /// The text of a record with its `deletedDateTime`: what a restorable removal says as well.
    Deleted(&'r [u8]),
    /// Only that it was removed, and whether for good.
    Tombstone(Removal),
}

/// The bit of a content that shows a deletion.
const DELETED: u64 = 1;

impl Version<'_> {
    fn content(self) -> u64 {
        match self {
            Self::Live(record) => xxh3_64(record) & !DELETED,
            Self::Deleted(record) => xxh3_64(record) | DELETED,
            Self::Tombstone(Removal::Restorable) => DELETED,
            Self::Tombstone(Removal::Final) => 0,
        }
    }
}

/// The memory that all channels under way share: each clone is one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<OnceLock<AtomicBloomFilter>>);

/// What was emitted of the keys of one channel, as hashes. The keys met first are kept with their content, since the next pass begins with
/// them, and so are those met last, since pages shift. Of the others only the key is remembered, in bits that all channels share.
#[derive(Debug)]
pub(crate) struct Once {
    memory: Memory,
    /// Tells the keys of this channel and stream from those of others.
    seed: u64,
    first: Hashes,
    young: Hashes,
    old: Hashes,
}

/// Contents by keys. The keys are hashes already: nothing is hashed twice.
type Hashes = HashMap<u64, u64, BuildHasherDefault<AsItIs>>;

#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Not called for an `u64`.
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }
}

impl Memory {
    fn forget(&self, keys: &Hashes) {
        let bits = self.0.get_or_init(|| AtomicBloomFilter::with_num_bits(BITS).seed(&0).hashes(HASHES));
        keys.keys().for_each(|&key| _ = bits.insert_hash(key));
    }

    fn has_forgotten(&self, key: u64) -> bool {
        self.0.get().is_some_and(|bits| bits.contains_hash(key))
    }
}

impl Once {
    /// For the keys of one stream in one partition, named here.
    pub(crate) fn new(memory: &Memory, stream: &str, partition: &str) -> Self {
        let seed = xxh3_64_with_seed(partition.as_bytes(), xxh3_64(stream.as_bytes()));
        Self { memory: memory.clone(), seed, first: Hashes::default(), young: Hashes::default(), old: Hashes::default() }
    }

    /// Whether the run has emitted the key; remembers the record if it has not. Where the memory has let the key go, `was_read` decides:
    /// whether the run has read this very record before, if that can be known.
    pub(crate) fn meet(&mut self, id: &str, record: Version<'_>, was_read: impl FnOnce() -> Option<bool>) -> Met {
        let (key, content) = (xxh3_64_with_seed(id.as_bytes(), self.seed), record.content());
        if let Some(&emitted) = self.first.get(&key).or_else(|| self.young.get(&key)).or_else(|| self.old.get(&key)) {
            let is_same = emitted == content || record == Version::Tombstone(Removal::Restorable) && emitted & DELETED != 0;
            return if is_same { Met::Same } else { Met::Changed };
        }
        if self.memory.has_forgotten(key) {
            match was_read() {
                Some(true) => return Met::Same,
                None => return Met::Changed,
                Some(false) => {}
            }
        }
        self.remember(key, content);
        Met::New
    }

    fn remember(&mut self, key: u64, content: u64) {
        let third = self.keys() / 3;
        if self.first.len() < third {
            self.first.insert(key, content);
            return;
        }
        if self.young.len() >= third {
            let forgotten = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
            self.memory.forget(&forgotten);
        }
        self.young.insert(key, content);
    }

    /// How many keys it may remember with their content.
    fn keys(&self) -> usize {
        (KEYS / Arc::strong_count(&self.memory.0)).max(LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(once: &mut Once, id: impl ToString, record: &str) -> Met {
        once.meet(&id.to_string(), Version::Live(record.as_bytes()), || None)
    }

    #[test]
    fn a_key_is_new_once() {
        let mut once = Once::new(&Memory::default(), "messages", "t/c");
        let met: Vec<_> =
            [("1", "a"), ("1", "a"), ("2", "a"), ("1", "b"), ("1", "a"), ("1", "b")].map(|(id, record)| meet(&mut once, id, record)).into();
        assert_eq!(met, [Met::New, Met::Same, Met::New, Met::Changed, Met::Same, Met::Changed]);
    }

    #[test]
    fn a_restorable_removal_brings_nothing_new_of_a_record_that_shows_its_deletion() {
        let removals = [Removal::Restorable, Removal::Final].map(Version::Tombstone);
        for (emitted, met) in [
            (Version::Live(b"x"), [Met::Changed; 2]),
            (Version::Deleted(b"x"), [Met::Same, Met::Changed]),
            (removals[0], [Met::Same, Met::Changed]),
            (removals[1], [Met::Changed, Met::Same]),
        ] {
            let mut once = Once::new(&Memory::default(), "messages", "t/c");
            once.meet("1", emitted, || None);
            assert_eq!(removals.map(|removal| once.meet("1", removal, || None)), met, "{emitted:?}");
        }
    }

    #[test]
    fn memory_is_bounded_and_a_forgotten_key_is_not_taken_for_a_new_one() {
        let memory = Memory::default();
        let others: Vec<_> = (0..98).map(|_| Once::new(&memory, "messages", "t/c")).collect();
        let mut once = Once::new(&memory, "messages", "t/c");
        let (keys, count) = (KEYS / 100, 10_000);
        for id in 0..count {
            assert_eq!(meet(&mut once, id, "x"), Met::New, "{id}");
        }
        let remembered = || once.first.len() + once.young.len() + once.old.len();
        assert!(remembered() <= keys, "{} > {keys}", remembered());
        for id in (0..keys / 3).chain(count - keys / 3..count) {
            assert_eq!(meet(&mut once, id, "x"), Met::Same, "{id}");
            assert_eq!(meet(&mut once, id, "y"), Met::Changed, "{id}");
        }
        let forgotten = (count / 2).to_string();
        assert_eq!(once.meet(&forgotten, Version::Live(b"x"), || None), Met::Changed);
        assert_eq!(once.meet(&forgotten, Version::Live(b"x"), || Some(true)), Met::Same);
        assert_eq!(once.meet(&forgotten, Version::Live(b"x"), || Some(false)), Met::New);
        assert_eq!(once.meet(&forgotten, Version::Live(b"x"), || None), Met::Same);
        drop(others);
        assert_eq!(once.keys(), KEYS / 2);
    }

    #[test]
    fn keys_of_other_streams_and_channels_are_others() {
        let memory = Memory::default();
        memory.forget(&Hashes::from_iter([(xxh3_64_with_seed(b"1", Once::new(&memory, "messages", "t/c").seed), 0)]));
        let met = |stream, partition| meet(&mut Once::new(&memory, stream, partition), "1", "x");
        assert_eq!(met("messages", "t/c"), Met::Changed);
        assert_eq!([met("message_replies", "t/c"), met("messages", "t/d")], [Met::New; 2]);
    }
}
