//! Ensures that a run emits each key at most once. Destinations differ in which of two versions of a key they keep, so no run emits a
//! second one.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, OnceLock},
};

use fastbloom::AtomicBloomFilter;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::graph::Removal;

/// Number of keys that are remembered with a hash of their content, for all channels in progress together: about 8 MB.
const MAX_EXACT_KEYS: usize = 1 << 18;

/// Minimum number of these keys per partition, however many are in progress.
const MIN_EXACT_KEYS_PER_PARTITION: usize = 512;

/// Size of the Bloom filter that remembers further keys of the whole run: 8 MB, allocated when first needed. With a million keys, one new
/// key in ten million is mistaken for a known one; with five million, one in a thousand. The next run emits such a key.
const BLOOM_BITS: usize = 1 << 26;

/// Number of bits that are set for a key.
const BLOOM_HASHES: u32 = 8;

/// Whether this run has emitted the key of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Seen {
    /// The run has not emitted the key.
    New,
    /// The run has emitted exactly this record.
    Same,
    /// The run has emitted another version of the key, or may have.
    Changed,
}

/// A version of a record, reduced to what comparisons need.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Version<'r> {
    /// The JSON of a record without a deletion.
    Live(&'r [u8]),
    /// The JSON of a record with its `deletedDateTime`. A restorable removal contains the same information.
    Deleted(&'r [u8]),
    /// Only the fact that the record was removed, and whether permanently.
    Tombstone(Removal),
}

/// The bit of a content hash that marks a deletion.
const DELETED_BIT: u64 = 1;

impl Version<'_> {
    fn content(self) -> u64 {
        match self {
            Self::Live(record) => xxh3_64(record) & !DELETED_BIT,
            Self::Deleted(record) => xxh3_64(record) | DELETED_BIT,
            Self::Tombstone(Removal::Restorable) => DELETED_BIT,
            Self::Tombstone(Removal::Final) => 0,
        }
    }
}

/// The memory that all partitions in progress share. Each clone belongs to one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct DedupMemory(Arc<OnceLock<AtomicBloomFilter>>);

/// The emitted keys of one stream in one partition, as hashes. The first keys are kept with their content, because the next pass begins
/// with them, and so are the latest ones, because pages shift. For the others only the key is remembered, in the shared Bloom filter.
#[derive(Debug)]
pub(crate) struct Dedup {
    memory: DedupMemory,
    /// Distinguishes the keys of this stream and partition from those of others.
    seed: u64,
    first: Hashes,
    recent: Hashes,
    older: Hashes,
}

/// Content hashes by key. The keys are hashes already, so they are not hashed again.
type Hashes = HashMap<u64, u64, BuildHasherDefault<IdentityHasher>>;

#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    /// Not called for a `u64`.
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }
}

impl DedupMemory {
    fn add(&self, keys: &Hashes) {
        let bits = self.0.get_or_init(|| AtomicBloomFilter::with_num_bits(BLOOM_BITS).seed(&0).hashes(BLOOM_HASHES));
        keys.keys().for_each(|&key| _ = bits.insert_hash(key));
    }

    fn may_contain(&self, key: u64) -> bool {
        self.0.get().is_some_and(|bits| bits.contains_hash(key))
    }
}

impl Dedup {
    pub(crate) fn new(memory: &DedupMemory, stream: &str, partition: &str) -> Self {
        let seed = xxh3_64_with_seed(partition.as_bytes(), xxh3_64(stream.as_bytes()));
        Self { memory: memory.clone(), seed, first: Hashes::default(), recent: Hashes::default(), older: Hashes::default() }
    }

    /// Returns whether the run has emitted the key, and remembers the record if not. If the exact entry was dropped from memory, `has_read`
    /// decides: it returns whether the run has read this very record before, if that is certain.
    pub(crate) fn check(&mut self, id: &str, record: Version<'_>, has_read: impl FnOnce() -> Option<bool>) -> Seen {
        let (key, content) = (xxh3_64_with_seed(id.as_bytes(), self.seed), record.content());
        if let Some(&emitted) = self.first.get(&key).or_else(|| self.recent.get(&key)).or_else(|| self.older.get(&key)) {
            let is_same = emitted == content || record == Version::Tombstone(Removal::Restorable) && emitted & DELETED_BIT != 0;
            return if is_same { Seen::Same } else { Seen::Changed };
        }
        if self.memory.may_contain(key) {
            match has_read() {
                Some(true) => return Seen::Same,
                None => return Seen::Changed,
                Some(false) => {}
            }
        }
        self.remember(key, content);
        Seen::New
    }

    fn remember(&mut self, key: u64, content: u64) {
        let third = self.max_exact_keys() / 3;
        if self.first.len() < third {
            self.first.insert(key, content);
            return;
        }
        if self.recent.len() >= third {
            let dropped = std::mem::replace(&mut self.older, std::mem::take(&mut self.recent));
            self.memory.add(&dropped);
        }
        self.recent.insert(key, content);
    }

    /// Maximum number of keys to remember with their content.
    fn max_exact_keys(&self) -> usize {
        (MAX_EXACT_KEYS / Arc::strong_count(&self.memory.0)).max(MIN_EXACT_KEYS_PER_PARTITION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dedup: &mut Dedup, id: impl ToString, record: &str) -> Seen {
        dedup.check(&id.to_string(), Version::Live(record.as_bytes()), || None)
    }

    #[test]
    fn a_key_is_new_once() {
        let mut dedup = Dedup::new(&DedupMemory::default(), "messages", "t/c");
        let seen: Vec<_> = [("1", "a"), ("1", "a"), ("2", "a"), ("1", "b"), ("1", "a"), ("1", "b")]
            .map(|(id, record)| check(&mut dedup, id, record))
            .into();
        assert_eq!(seen, [Seen::New, Seen::Same, Seen::New, Seen::Changed, Seen::Same, Seen::Changed]);
    }

    #[test]
    fn a_restorable_removal_adds_nothing_to_a_record_that_shows_its_deletion() {
        let removals = [Removal::Restorable, Removal::Final].map(Version::Tombstone);
        for (emitted, seen) in [
            (Version::Live(b"x"), [Seen::Changed; 2]),
            (Version::Deleted(b"x"), [Seen::Same, Seen::Changed]),
            (removals[0], [Seen::Same, Seen::Changed]),
            (removals[1], [Seen::Changed, Seen::Same]),
        ] {
            let mut dedup = Dedup::new(&DedupMemory::default(), "messages", "t/c");
            dedup.check("1", emitted, || None);
            assert_eq!(removals.map(|removal| dedup.check("1", removal, || None)), seen, "{emitted:?}");
        }
    }

    #[test]
    fn memory_is_bounded_and_a_dropped_key_is_not_mistaken_for_a_new_one() {
        let memory = DedupMemory::default();
        let others: Vec<_> = (0..98).map(|_| Dedup::new(&memory, "messages", "t/c")).collect();
        let mut dedup = Dedup::new(&memory, "messages", "t/c");
        let (keys, count) = (MAX_EXACT_KEYS / 100, 10_000);
        for id in 0..count {
            assert_eq!(check(&mut dedup, id, "x"), Seen::New, "{id}");
        }
        let remembered = || dedup.first.len() + dedup.recent.len() + dedup.older.len();
        assert!(remembered() <= keys, "{} > {keys}", remembered());
        for id in (0..keys / 3).chain(count - keys / 3..count) {
            assert_eq!(check(&mut dedup, id, "x"), Seen::Same, "{id}");
            assert_eq!(check(&mut dedup, id, "y"), Seen::Changed, "{id}");
        }
        let forgotten = (count / 2).to_string();
        assert_eq!(dedup.check(&forgotten, Version::Live(b"x"), || None), Seen::Changed);
        assert_eq!(dedup.check(&forgotten, Version::Live(b"x"), || Some(true)), Seen::Same);
        assert_eq!(dedup.check(&forgotten, Version::Live(b"x"), || Some(false)), Seen::New);
        assert_eq!(dedup.check(&forgotten, Version::Live(b"x"), || None), Seen::Same);
        drop(others);
        assert_eq!(dedup.max_exact_keys(), MAX_EXACT_KEYS / 2);
    }

    #[test]
    fn keys_of_different_streams_and_channels_are_different() {
        let memory = DedupMemory::default();
        memory.add(&Hashes::from_iter([(xxh3_64_with_seed(b"1", Dedup::new(&memory, "messages", "t/c").seed), 0)]));
        let seen = |stream, partition| check(&mut Dedup::new(&memory, stream, partition), "1", "x");
        assert_eq!(seen("messages", "t/c"), Seen::Changed);
        assert_eq!([seen("message_replies", "t/c"), seen("messages", "t/d")], [Seen::New; 2]);
    }
}
