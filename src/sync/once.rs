//! Once a run: the same content of the same key is written once. Walk pages shift and passes overlap.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_64;

/// So many keys are remembered at least, and at most twice as many.
const GENERATION: usize = 8192;

/// What was written last of each key of one channel, as hashes; the oldest are forgotten, so that memory is bounded.
#[derive(Debug, Default)]
pub(super) struct Once {
    young: HashMap<u64, u64>,
    old: HashMap<u64, u64>,
}

impl Once {
    /// Whether the record is new or has changed since it was written last.
    pub(super) fn is_new(&mut self, id: &str, record: &[u8]) -> bool {
        let (key, content) = (xxh3_64(id.as_bytes()), xxh3_64(record));
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        let before = self.young.insert(key, content).or_else(|| self.old.remove(&key));
        before != Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_is_new_once_until_it_changes() {
        let mut once = Once::default();
        let seen: Vec<_> = [("1", "a"), ("1", "a"), ("2", "a"), ("1", "b"), ("1", "a"), ("1", "a")]
            .map(|(id, record)| once.is_new(id, record.as_bytes()))
            .into();
        assert_eq!(seen, [true, false, true, true, true, false]);
    }

    #[test]
    fn memory_is_bounded_and_the_latest_are_remembered() {
        let mut once = Once::default();
        for id in 0..5 * GENERATION {
            assert!(once.is_new(&id.to_string(), b"x"));
        }
        assert!(once.young.len() + once.old.len() <= 2 * GENERATION);
        assert!(!once.is_new(&(4 * GENERATION + 1).to_string(), b"x"));
    }
}
