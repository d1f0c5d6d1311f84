//! The partitions that a state knows, by their parents. Clones share what neither of them has changed.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{Position, entry::Entry, texts::Texts};
use crate::level::{Trail, join, split};

/// Partitions, in groups of those that have the same parents.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Partitions {
    groups: BTreeMap<Arc<str>, Arc<Group>>,
    trail: Trail,
}

/// The partitions of the same parents, by their own ids. The ids change seldom, the entries with each run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    ids: Arc<Texts>,
    entries: Vec<Entry>,
}

/// How partitions were added.
#[derive(Clone, Copy)]
pub(super) enum Added {
    /// They are all that there are of their parents, and sorted: whether each id is there once.
    Whole(bool),
    /// There were others of the same parents: they are yet to be sorted.
    ToOthers,
}

impl Partitions {
    /// None yet; those of a stream to which this trail leads.
    pub(super) fn new(trail: Trail) -> Self {
        Self { groups: BTreeMap::new(), trail }
    }

    /// Where the partition of a key stands.
    pub(super) fn get(&self, key: &str) -> Option<Position> {
        let (parents, id) = split(key);
        let group = self.groups.get(parents)?;
        let at = group.ids.find(&id).ok()?;
        Some(group.entries.get(at)?.position(key, &self.trail))
    }

    pub(super) fn set(&mut self, key: &str, position: Position) {
        let (parents, id) = split(key);
        let group = match self.groups.get_mut(parents) {
            Some(group) => group,
            None => self.groups.entry(parents.into()).or_default(),
        };
        Arc::make_mut(group).set(&id, Entry::new(position, key, &self.trail));
    }

    /// Removes the partition of a key, and all of which it is a parent.
    pub(super) fn remove(&mut self, key: &str) {
        let is_below = |parents: &str| parents.strip_prefix(key).is_some_and(|below| below.is_empty() || below.starts_with('/'));
        self.groups.retain(|parents, _| !is_below(parents));
        let (parents, id) = split(key);
        let Some(group) = self.groups.get_mut(parents).filter(|group| group.ids.find(&id).is_ok()) else { return };
        Arc::make_mut(group).remove(&id);
        if group.ids.is_empty() {
            self.groups.remove(parents);
        }
    }

    /// Keeps those that pass.
    pub(super) fn retain(&mut self, passes: impl Fn(&Position) -> bool) {
        for (parents, group) in &mut self.groups {
            let mut kept = (Texts::default(), Vec::new());
            for (id, entry) in group.iter().filter(|(id, entry)| passes(&entry.position(&join(parents, id), &self.trail))) {
                kept.0.push(id);
                kept.1.push(entry.clone());
            }
            *group = Arc::new(Group::new(kept.0, kept.1));
        }
        self.groups.retain(|_, group| !group.ids.is_empty());
    }

    /// Leaves out the times of Graph's clock that cannot be believed now.
    pub(super) fn drop_dates_ahead(&mut self, now: DateTime<Utc>) {
        for (parents, group) in &mut self.groups {
            if !group.entries.iter().any(|entry| entry.has_date_after(now)) {
                continue;
            }
            let Group { ids, entries } = Arc::make_mut(group);
            for (id, entry) in ids.iter().zip(entries).filter(|(_, entry)| entry.has_date_after(now)) {
                let key = join(parents, id);
                *entry = Entry::new(entry.position(&key, &self.trail).without_dates_ahead(now), &key, &self.trail);
            }
        }
    }

    /// Adds partitions of these parents.
    pub(super) fn add(&mut self, parents: &str, ids: Texts, entries: Vec<Entry>) -> Added {
        if ids.is_empty() {
            return Added::Whole(true);
        }
        match self.groups.entry(parents.into()) {
            btree_map::Entry::Vacant(vacant) => Added::Whole(vacant.insert(Arc::new(Group::new(ids, entries))).has_each_once()),
            btree_map::Entry::Occupied(occupied) => {
                let group = Arc::make_mut(occupied.into_mut());
                let all = Arc::make_mut(&mut group.ids);
                ids.iter().for_each(|id| all.push(id));
                group.entries.extend(entries);
                Added::ToOthers
            }
        }
    }

    /// Sorts partitions to which others were added. Whether each id is there once.
    pub(super) fn sort(&mut self, parents: &str) -> bool {
        let Some(group) = self.groups.get_mut(parents) else { return true };
        let Group { ids, entries } = Arc::unwrap_or_clone(std::mem::take(group));
        *group = Arc::new(Group::new(Arc::unwrap_or_clone(ids), entries));
        group.has_each_once()
    }

    /// The groups, each with the key of its parents.
    pub(super) fn groups(&self) -> impl ExactSizeIterator<Item = (&str, &Group)> {
        self.groups.iter().map(|(parents, group)| (&**parents, &**group))
    }

    /// The groups whose parents are these or below them.
    pub(super) fn below<'p>(&'p self, parents: &'p str) -> impl Iterator<Item = (&'p str, &'p Group)> {
        let groups = self.groups.range::<str, _>((Bound::Included(parents), Bound::Unbounded)).map(|(of, group)| (&**of, &**group));
        // Between a key and those below it may be others that begin alike.
        let begins = groups.take_while(move |(of, _)| of.starts_with(parents));
        begins.filter(move |(of, _)| parents.is_empty() || matches!(of.as_bytes().get(parents.len()), None | Some(b'/')))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
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

    /// Whether each id is there once, if they are sorted.
    fn has_each_once(&self) -> bool {
        (1..self.ids.len()).all(|at| self.ids.get(at - 1) != self.ids.get(at))
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
