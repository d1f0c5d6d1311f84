//! Once a run: the same content of the same key is written once. Walk pages shift and passes overlap.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use xxhash_rust::xxh3::xxh3_64;

/// So many keys are remembered for all channels under way together, some 8 MB.
const KEYS: usize = 1 << 18;

/// And so many for each at least.
const LEAST: usize = 512;

/// The memory that all channels under way share: each clone is one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory(Arc<()>);

/// What was written of the keys of one channel, as hashes: of those met first, since the next pass begins there, and of those met last, since
/// pages shift. The others are forgotten, so that memory is bounded.
#[derive(Debug)]
pub(super) struct Once {
    memory: Memory,
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

impl Once {
    pub(super) fn new(memory: &Memory) -> Self {
        Self { memory: memory.clone(), first: Hashes::default(), young: Hashes::default(), old: Hashes::default() }
    }

    /// Whether the record is new or has changed since it was written last.
    pub(super) fn is_new(&mut self, id: &str, record: &[u8]) -> bool {
        let (key, content) = (xxh3_64(id.as_bytes()), xxh3_64(record));
        if let Some(before) = self.first.get_mut(&key) {
            return std::mem::replace(before, content) != content;
        }
        let third = self.keys() / 3;
        let before = self.young.get(&key).or_else(|| self.old.get(&key)).copied();
        if before.is_none() && self.first.len() < third {
            self.first.insert(key, content);
            return true;
        }
        if self.young.len() >= third {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, content);
        before != Some(content)
    }

    /// So many keys it may remember.
    fn keys(&self) -> usize {
        (KEYS / Arc::strong_count(&self.memory.0)).max(LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_is_new_once_until_it_changes() {
        let mut once = Once::new(&Memory::default());
        let seen: Vec<_> = [("1", "a"), ("1", "a"), ("2", "a"), ("1", "b"), ("1", "a"), ("1", "a")]
            .map(|(id, record)| once.is_new(id, record.as_bytes()))
            .into();
        assert_eq!(seen, [true, false, true, true, true, false]);
    }

    #[test]
    fn memory_is_bounded_and_the_first_and_the_last_are_remembered() {
        let memory = Memory::default();
        let others: Vec<_> = (0..98).map(|_| Once::new(&memory)).collect();
        let mut once = Once::new(&memory);
        let (keys, count) = (KEYS / 100, 10_000);
        for id in 0..count {
            assert!(once.is_new(&id.to_string(), b"x"));
        }
        let remembered = || once.first.len() + once.young.len() + once.old.len();
        assert!(remembered() <= keys, "{} > {keys}", remembered());
        for id in (0..keys / 3).chain(count - keys / 3..count) {
            assert!(!once.is_new(&id.to_string(), b"x"), "{id}");
            assert!(once.is_new(&id.to_string(), b"y"), "{id}");
        }
        assert!(once.is_new(&(count / 2).to_string(), b"x"));
        drop(others);
        assert_eq!(once.keys(), KEYS / 2);
    }
}
