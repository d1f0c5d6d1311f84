//! The partitions that a state knows, by their parents. Clones share what neither of them has changed.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use super::{
    ChannelState,
    entry::Entry,
    key::{join, split},
};

/// Partitions, in groups of those that have the same parents.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Partitions(BTreeMap<Arc<str>, Arc<Group>>);

/// The partitions of the same parents, by their own ids. The ids change seldom, the entries with each run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    ids: Arc<Vec<Box<str>>>,
    entries: Vec<Entry>,
}

impl Partitions {
    /// The partition of a key.
    pub(super) fn get(&self, key: &str) -> Option<ChannelState> {
        let (parents, id) = split(key);
        let group = self.0.get(parents)?;
        let at = group.find(&id).ok()?;
        Some(group.entries.get(at)?.channel(key))
    }

    pub(super) fn set(&mut self, key: &str, channel: ChannelState) {
        let (parents, id) = split(key);
        let group = match self.0.get_mut(parents) {
            Some(group) => group,
            None => self.0.entry(parents.into()).or_default(),
        };
        Arc::make_mut(group).set(id, Entry::new(channel, key));
    }

    /// Removes the partition of a key, and all of which it is a parent.
    pub(super) fn remove(&mut self, key: &str) {
        let is_below = |parents: &str| parents.strip_prefix(key).is_some_and(|below| below.is_empty() || below.starts_with('/'));
        self.0.retain(|parents, _| !is_below(parents));
        let (parents, id) = split(key);
        let Some(group) = self.0.get_mut(parents).filter(|group| group.find(&id).is_ok()) else { return };
        Arc::make_mut(group).remove(&id);
        if group.ids.is_empty() {
            self.0.remove(parents);
        }
    }

    /// Keeps those that pass.
    pub(super) fn retain(&mut self, passes: impl Fn(&ChannelState) -> bool) {
        for (parents, group) in &mut self.0 {
            let (mut kept, mut entries) = (Vec::new(), Vec::new());
            for (id, entry) in group.iter() {
                if passes(&entry.channel(&join(parents, id))) {
                    kept.push(id.into());
                    entries.push(entry.clone());
                }
            }
            *group = Arc::new(Group { ids: Arc::new(kept), entries });
        }
        self.0.retain(|_, group| !group.ids.is_empty());
    }

    /// Adds partitions of these parents. Gives the id that comes twice, if there is one.
    pub(super) fn add(&mut self, parents: &str, ids: Vec<Box<str>>, entries: Vec<Entry>) -> Result<(), Box<str>> {
        if ids.is_empty() {
            return Ok(());
        }
        let group = match self.0.entry(parents.into()) {
            btree_map::Entry::Vacant(vacant) => vacant.insert(Arc::new(Group::new(ids, entries))),
            btree_map::Entry::Occupied(occupied) => {
                let group = occupied.into_mut();
                let mut all = Arc::unwrap_or_clone(std::mem::take(group));
                let mut all_ids = Arc::unwrap_or_clone(all.ids);
                all_ids.extend(ids);
                all.entries.extend(entries);
                *group = Arc::new(Group::new(all_ids, all.entries));
                group
            }
        };
        match group.ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(pair[0].clone()),
            None => Ok(()),
        }
    }

    /// The groups, each with the key of its parents.
    pub(super) fn groups(&self) -> impl ExactSizeIterator<Item = (&str, &Group)> {
        self.0.iter().map(|(parents, group)| (&**parents, &**group))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Group {
    /// Sorts what others may have brought into another order.
    fn new(mut ids: Vec<Box<str>>, mut entries: Vec<Entry>) -> Self {
        if !ids.is_sorted() {
            let mut pairs: Vec<_> = ids.into_iter().zip(entries).collect();
            pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
            (ids, entries) = pairs.into_iter().unzip();
        }
        ids.shrink_to_fit();
        entries.shrink_to_fit();
        Self { ids: Arc::new(ids), entries }
    }

    /// In the order of the ids.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Entry)> {
        self.ids.iter().map(|id| &**id).zip(&self.entries)
    }

    fn find(&self, id: &str) -> Result<usize, usize> {
        self.ids.binary_search_by(|other| (**other).cmp(id))
    }

    fn set(&mut self, id: String, entry: Entry) {
        match self.find(&id) {
            Ok(at) => self.entries[at] = entry,
            Err(at) => {
                Arc::make_mut(&mut self.ids).insert(at, id.into_boxed_str());
                self.entries.insert(at, entry);
            }
        }
    }

    fn remove(&mut self, id: &str) {
        if let Ok(at) = self.find(id) {
            Arc::make_mut(&mut self.ids).remove(at);
            self.entries.remove(at);
        }
    }
}
