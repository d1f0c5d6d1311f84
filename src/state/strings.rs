//! A compact list of strings, for the ids of partitions: a state can have a million of them.

use std::cmp::Ordering;

/// Strings in one buffer, without an allocation for each.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Strings {
    all: String,
    /// The index at which each string ends.
    ends: Vec<u32>,
}

impl Strings {
    pub(super) fn push(&mut self, string: &str) {
        self.all.push_str(string);
        self.ends.push(end(self.all.len()));
    }

    pub(super) fn get(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start as usize..self.ends[at] as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// Binary search in a sorted list: the index of the string, or the index at which to insert it.
    pub(super) fn find(&self, string: &str) -> Result<usize, usize> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            match self.get(middle).cmp(string) {
                Ordering::Equal => return Ok(middle),
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        Err(from)
    }

    pub(super) fn insert(&mut self, at: usize, string: &str) {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.all.insert_str(start as usize, string);
        let length = end(string.len());
        self.ends[at..].iter_mut().for_each(|end| *end += length);
        self.ends.insert(at, start + length);
    }

    pub(super) fn remove(&mut self, at: usize) {
        let length = end(self.get(at).len());
        let end = self.ends.remove(at);
        self.all.replace_range((end - length) as usize..end as usize, "");
        self.ends[at..].iter_mut().for_each(|end| *end -= length);
    }

    pub(super) fn shrink(&mut self) {
        self.all.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

// The ids of a state are far smaller than 4 GB.
fn end(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_behaves_like_a_list_of_strings(words in prop::collection::vec("[a-cé]{0,3}", 0..20), removed in any::<prop::sample::Index>()) {
            let (mut strings, mut list) = (Strings::default(), Vec::new());
            for word in &words {
                if let Err(at) = strings.find(word) {
                    strings.insert(at, word);
                    list.insert(at, word.as_str());
                }
            }
            prop_assert!(list.is_sorted() && strings.iter().eq(list.iter().copied()));
            if !list.is_empty() {
                let at = removed.index(list.len());
                strings.remove(at);
                list.remove(at);
            }
            prop_assert!(strings.iter().eq(list.iter().copied()) && strings.len() == list.len());
            let mut pushed = Strings::default();
            list.iter().for_each(|word| pushed.push(word));
            prop_assert_eq!(pushed, strings);
        }
    }
}
