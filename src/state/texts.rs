//! Texts one behind the other: the ids of partitions, of which a state may have a million.

use std::cmp::Ordering;

/// Texts, without the room that each would take for itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Texts {
    all: String,
    /// Where each of them ends.
    ends: Vec<u32>,
}

impl Texts {
    pub(super) fn push(&mut self, text: &str) {
        self.all.push_str(text);
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

    /// Where a text is, or belongs, if they are in order.
    pub(super) fn find(&self, text: &str) -> Result<usize, usize> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from.midpoint(to);
            match self.get(middle).cmp(text) {
                Ordering::Equal => return Ok(middle),
                Ordering::Less => from = middle + 1,
                Ordering::Greater => to = middle,
            }
        }
        Err(from)
    }

    pub(super) fn insert(&mut self, at: usize, text: &str) {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.all.insert_str(start as usize, text);
        let length = end(text.len());
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

/// A state is far smaller than 4 GB.
fn end(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_list_of_texts(words in prop::collection::vec("[a-cé]{0,3}", 0..20), gone in any::<prop::sample::Index>()) {
            let (mut texts, mut list) = (Texts::default(), Vec::new());
            for word in &words {
                if let Err(at) = texts.find(word) {
                    texts.insert(at, word);
                    list.insert(at, word.as_str());
                }
            }
            prop_assert!(list.is_sorted() && texts.iter().eq(list.iter().copied()));
            if !list.is_empty() {
                let at = gone.index(list.len());
                texts.remove(at);
                list.remove(at);
            }
            prop_assert!(texts.iter().eq(list.iter().copied()) && texts.len() == list.len());
            let mut pushed = Texts::default();
            list.iter().for_each(|word| pushed.push(word));
            prop_assert_eq!(pushed, texts);
        }
    }
}
