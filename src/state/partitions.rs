//! The partitions in a state, grouped by their parents. Clones share the groups that neither has changed.

use std::{
    collections::{BTreeMap, btree_map},
    ops::Bound,
    sync::Arc,
};

use chrono::{DateTime, Utc};

use super::{Position, compact::CompactPosition, strings::Strings};
use crate::level::{Trail, join, split};

/// The partitions of a stream, grouped by the key of their parents.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Partitions {
    groups: BTreeMap<Arc<str>, Arc<Group>>,
    trail: Trail,
}

/// Partitions with the same parents. Ids and positions are shared separately, since ids rarely change but positions change in each run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    ids: Arc<Strings>,
    positions: Vec<CompactPosition>,
}

/// The result of adding a group of partitions.
#[derive(Clone, Copy)]
pub(super) enum Added {
    /// The parents are new. The group is sorted.
    NewGroup { has_unique_ids: bool },
    /// The partitions were appended to an existing group, which must be sorted at the end.
    Appended,
}

impl Partitions {
    pub(super) fn new(trail: Trail) -> Self {
        Self { groups: BTreeMap::new(), trail }
    }

    pub(super) fn get(&self, key: &str) -> Option<Position> {
        let (parents, id) = split(key);
        let group = self.groups.get(parents)?;
        let at = group.ids.find(&id).ok()?;
        Some(group.positions.get(at)?.expand(key, &self.trail))
    }

    pub(super) fn set(&mut self, key: &str, position: Position) {
        let (parents, id) = split(key);
        let group = match self.groups.get_mut(parents) {
            Some(group) => group,
            None => self.groups.entry(parents.into()).or_default(),
        };
        Arc::make_mut(group).set(&id, CompactPosition::new(position, key, &self.trail));
    }

    /// Removes the partition with this key and all partitions below it.
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

    pub(super) fn retain(&mut self, is_kept: impl Fn(&Position) -> bool) {
        for (parents, group) in &mut self.groups {
            let mut kept = (Strings::default(), Vec::new());
            for (id, position) in group.iter().filter(|(id, position)| is_kept(&position.expand(&join(parents, id), &self.trail))) {
                kept.0.push(id);
                kept.1.push(position.clone());
            }
            *group = Arc::new(Group::new(kept.0, kept.1));
        }
        self.groups.retain(|_, group| !group.ids.is_empty());
    }

    /// Removes times of Graph's clock that lie in the future, see [`Position::without_future_dates`].
    pub(super) fn drop_future_dates(&mut self, now: DateTime<Utc>) {
        for (parents, group) in &mut self.groups {
            if !group.positions.iter().any(|position| position.has_date_after(now)) {
                continue;
            }
            let Group { ids, positions } = Arc::make_mut(group);
            for (id, position) in ids.iter().zip(positions).filter(|(_, position)| position.has_date_after(now)) {
                let key = join(parents, id);
                *position = CompactPosition::new(position.expand(&key, &self.trail).without_future_dates(now), &key, &self.trail);
            }
        }
    }

    /// Adds partitions with the same parents.
    pub(super) fn add_group(&mut self, parents: &str, ids: Strings, positions: Vec<CompactPosition>) -> Added {
        if ids.is_empty() {
            return Added::NewGroup { has_unique_ids: true };
        }
        match self.groups.entry(parents.into()) {
            btree_map::Entry::Vacant(vacant) => {
                let group = vacant.insert(Arc::new(Group::new(ids, positions)));
                Added::NewGroup { has_unique_ids: group.has_unique_ids() }
            }
            btree_map::Entry::Occupied(occupied) => {
                let group = Arc::make_mut(occupied.into_mut());
                let all = Arc::make_mut(&mut group.ids);
                ids.iter().for_each(|id| all.push(id));
                group.positions.extend(positions);
                Added::Appended
            }
        }
    }

    /// Sorts a group to which partitions were appended. Returns whether its ids are unique.
    pub(super) fn sort_group(&mut self, parents: &str) -> bool {
        let Some(group) = self.groups.get_mut(parents) else { return true };
        let Group { ids, positions } = Arc::unwrap_or_clone(std::mem::take(group));
        *group = Arc::new(Group::new(Arc::unwrap_or_clone(ids), positions));
        group.has_unique_ids()
    }

    /// The groups, each with the key of the parents.
    pub(super) fn groups(&self) -> impl ExactSizeIterator<Item = (&str, &Group)> {
        self.groups.iter().map(|(parents, group)| (&**parents, &**group))
    }

    /// The groups whose parents are `parents` or are below it.
    pub(super) fn below<'p>(&'p self, parents: &'p str) -> impl Iterator<Item = (&'p str, &'p Group)> {
        let groups = self.groups.range::<str, _>((Bound::Included(parents), Bound::Unbounded)).map(|(key, group)| (&**key, &**group));
        // `a` and `a/b` need not be adjacent: `a-` sorts between them.
        let with_prefix = groups.take_while(move |(key, _)| key.starts_with(parents));
        with_prefix.filter(move |(key, _)| parents.is_empty() || matches!(key.as_bytes().get(parents.len()), None | Some(b'/')))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

impl Group {
    /// Sorts the partitions by id: other tools may have reordered them.
    fn new(mut ids: Strings, mut positions: Vec<CompactPosition>) -> Self {
        if !ids.iter().is_sorted() {
            let mut pairs: Vec<_> = ids.iter().zip(positions).collect();
            pairs.sort_by_key(|(id, _)| *id);
            let mut sorted = Strings::default();
            pairs.iter().for_each(|(id, _)| sorted.push(id));
            positions = pairs.into_iter().map(|(_, position)| position).collect();
            ids = sorted;
        }
        ids.shrink();
        positions.shrink_to_fit();
        Self { ids: Arc::new(ids), positions }
    }

    /// Whether no id is repeated. The ids must be sorted.
    fn has_unique_ids(&self) -> bool {
        (1..self.ids.len()).all(|at| self.ids.get(at - 1) != self.ids.get(at))
    }

    /// The ids with their positions, sorted by id.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &CompactPosition)> {
        self.ids.iter().zip(&self.positions)
    }

    fn set(&mut self, id: &str, position: CompactPosition) {
        match self.ids.find(id) {
            Ok(at) => self.positions[at] = position,
            Err(at) => {
                Arc::make_mut(&mut self.ids).insert(at, id);
                self.positions.insert(at, position);
            }
        }
    }

    fn remove(&mut self, id: &str) {
        if let Ok(at) = self.ids.find(id) {
            Arc::make_mut(&mut self.ids).remove(at);
            self.positions.remove(at);
        }
    }
}
