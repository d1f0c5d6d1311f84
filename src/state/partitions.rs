//! The partitions that a state knows, by their parents. Clones share what neither of them has changed.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
    sync::Arc,
};

use super::{
    ChannelState,
    entry::Entry,
    key::{join, split},
    texts::Texts,
};

/// Partitions, in groups of those that have the same parents.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Partitions(BTreeMap<Arc<str>, Arc<Group>>);

/// The partitions of the same parents, by their own ids. The ids change seldom, the entries with each run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    ids: Arc<Texts>,
    entries: Vec<Entry>,
}

impl Partitions {
    /// The partition of a key.
    pub(super) fn get(&self, key: &str) -> Option<ChannelState> {
        let (parents, id) = split(key);
        let group = self.0.get(parents)?;
        let at = group.ids.find(&id).ok()?;
        Some(group.entries.get(at)?.channel(key))
    }

    pub(super) fn set(&mut self, key: &str, channel: ChannelState) {
        let (parents, id) = split(key);
        let group = match self.0.get_mut(parents) {
            Some(group) => group,
            None => self.0.entry(parents.into()).or_default(),
        };
        Arc::make_mut(group).set(&id, Entry::new(channel, key));
    }

    /// Removes the partition of a key, and all of which it is a parent.
    pub(super) fn remove(&mut self, key: &str) {
        let is_below = |parents: &str| parents.strip_prefix(key).is_some_and(|below| below.is_empty() || below.starts_with('/'));
        self.0.retain(|parents, _| !is_below(parents));
        let (parents, id) = split(key);
        let Some(group) = self.0.get_mut(parents).filter(|group| group.ids.find(&id).is_ok()) else { return };
        Arc::make_mut(group).remove(&id);
        if group.ids.is_empty() {
            self.0.remove(parents);
        }
    }

    /// Keeps those that pass.
    pub(super) fn retain(&mut self, passes: impl Fn(&ChannelState) -> bool) {
        for (parents, group) in &mut self.0 {
            let mut kept = (Texts::default(), Vec::new());
            for (id, entry) in group.iter().filter(|(id, entry)| passes(&entry.channel(&join(parents, id)))) {
                kept.0.push(id);
                kept.1.push(entry.clone());
            }
            *group = Arc::new(Group::new(kept.0, kept.1));
        }
        self.0.retain(|_, group| !group.ids.is_empty());
    }

    /// Adds partitions of these parents. Whether each id is there once.
    pub(super) fn add(&mut self, parents: &str, ids: Texts, entries: Vec<Entry>) -> bool {
        if ids.is_empty() {
            return true;
        }
        let group = match self.0.entry(parents.into()) {
            btree_map::Entry::Vacant(vacant) => vacant.insert(Arc::new(Group::new(ids, entries))),
            btree_map::Entry::Occupied(occupied) => {
                let group = occupied.into_mut();
                let Group { ids: before, entries: mut all } = Arc::unwrap_or_clone(std::mem::take(group));
                let mut all_ids = Arc::unwrap_or_clone(before);
                ids.iter().for_each(|id| all_ids.push(id));
                all.extend(entries);
                *group = Arc::new(Group::new(all_ids, all));
                group
            }
        };
        (1..group.ids.len()).all(|at| group.ids.get(at - 1) != group.ids.get(at))
    }

    /// The groups, each with the key of its parents.
    pub(super) fn groups(&self) -> impl ExactSizeIterator<Item = (&str, &Group)> {
        self.0.iter().map(|(parents, group)| (&**parents, &**group))
    }

    /// The groups whose parents are these or below them.
    pub(super) fn below<'p>(&'p self, parents: &'p str) -> impl Iterator<Item = (&'p str, &'p Group)> {
        let groups = self.0.range::<str, _>((Bound::Included(parents), Bound::Unbounded)).map(|(of, group)| (&**of, &**group));
        // Between a key and those below it may be others that begin alike.
        let begins = groups.take_while(move |(of, _)| of.starts_with(parents));
        begins.filter(move |(of, _)| matches!(of.as_bytes().get(parents.len()), None | Some(b'/')))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Group {
    /// Sorts what others may have brought into another order.
    fn new(mut ids: Texts, mut entries: Vec<Entry>) -> Self {
        if !ids.iter().is_sorted() {
            let mut pairs: Vec<_> = ids.iter().zip(entries).collect();
            pairs.sort_by_key(|(id, _)| *id);
            let mut sorted = Texts::default();
            pairs.iter().for_each(|(id, _)| sorted.push(id));
            entries = pairs.into_iter().map(|(_, entry)| entry).collect();
            ids = sorted;
        }
        ids.shrink();
        entries.shrink_to_fit();
        Self { ids: Arc::new(ids), entries }
    }

    /// In the order of the ids.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Entry)> {
        self.ids.iter().zip(&self.entries)
    }

    fn set(&mut self, id: &str, entry: Entry) {
        match self.ids.find(id) {
            Ok(at) => self.entries[at] = entry,
            Err(at) => {
                Arc::make_mut(&mut self.ids).insert(at, id);
                self.entries.insert(at, entry);
            }
        }
    }

    fn remove(&mut self, id: &str) {
        if let Ok(at) = self.ids.find(id) {
            Arc::make_mut(&mut self.ids).remove(at);
            self.entries.remove(at);
        }
    }
}
