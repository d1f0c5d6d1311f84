//! The state of a stream in memory.

use super::{
    partitions::{Group, Partitions},
    position::Position,
    version::FullRefresh,
};
use crate::level::{Trail, ids, join};

/// The maximum number of hashes of skipped items in the state of a stream.
pub const MAX_SKIPPED_PER_STREAM: usize = 1000;

/// The state of a stream, which is the same in both protocols. Clones are cheap: they share the parts that neither changes.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamState {
    /// Hashes of list items that were skipped, because they are damaged or too large, and reported.
    pub(super) skipped: Vec<String>,
    /// [`None`] for a stream that is read in full each time.
    pub(super) partitioned: Option<Partitioned>,
}

/// The positions of a stream's partitions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Partitioned {
    pub(super) tenant: String,
    /// Set while a full refresh is in progress. Only another full refresh resumes from such a state.
    pub(super) full_refresh: Option<FullRefresh>,
    pub(super) partitions: Partitions,
}

impl StreamState {
    /// The state of a stream that is read in full each time.
    pub fn new_snapshot() -> Self {
        Self { skipped: Vec::new(), partitioned: None }
    }

    /// The empty state of a stream with the partitions of this trail.
    pub fn new_partitioned(tenant: &str, trail: &Trail) -> Self {
        Self { skipped: Vec::new(), partitioned: Some(Partitioned::new(tenant, trail.clone())) }
    }

    pub fn position(&self, key: &str) -> Option<Position> {
        self.partitioned.as_ref()?.partitions.get(key)
    }

    /// The keys of all partitions.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        let groups = self.partitioned.iter().flat_map(|partitioned| partitioned.partitions.groups());
        groups.flat_map(|(parents, group)| group.iter().map(move |(id, _)| join(parents, id)))
    }

    /// The ids directly below the parent with this key, possibly with duplicates. The tenant's key is empty.
    pub fn below(&self, parent: &str) -> Vec<String> {
        let depth = ids(parent).count();
        let groups = self.partitioned.iter().flat_map(|partitioned| partitioned.partitions.below(parent));
        let ids_in_group = |(parents, group): (&str, &Group)| -> Vec<String> {
            match ids(parents).nth(depth) {
                Some(id) => vec![id],
                None => group.iter().map(|(id, _)| id.to_owned()).collect(),
            }
        };
        let mut below: Vec<_> = groups.flat_map(ids_in_group).collect();
        // Groups with a common parent are adjacent.
        below.dedup();
        below
    }

    /// Whether it has a position for this key or below it.
    pub fn knows(&self, key: &str) -> bool {
        self.position(key).is_some()
            || self.partitioned.as_ref().is_some_and(|partitioned| partitioned.partitions.below(key).next().is_some())
    }

    pub fn is_empty(&self) -> bool {
        self.skipped.is_empty() && self.partitioned.as_ref().is_none_or(|partitioned| partitioned.partitions.is_empty())
    }

    /// Stores the position of a partition. [`None`] removes the partition and everything below it, such as all channels of a team.
    pub fn set(&mut self, key: &str, position: Option<Position>) {
        let Some(partitioned) = &mut self.partitioned else { return };
        if let (Some(full_refresh), Some(began)) = (&mut partitioned.full_refresh, position.as_ref().and_then(Position::began)) {
            // Different machines date the channels, and some channels may have started before the first one that reports.
            full_refresh.graph_start = Some(full_refresh.graph_start.map_or(began, |start| start.min(began)));
        }
        match position {
            Some(position) => partitioned.partitions.set(key, position),
            None => partitioned.partitions.remove(key),
        }
    }

    /// Hashes of list items that were skipped and reported.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    pub fn set_skipped(&mut self, skipped: Vec<String>) {
        self.skipped = skipped;
    }

    /// Whether a full refresh is in progress.
    pub fn is_full_refresh(&self) -> bool {
        self.partitioned.as_ref().is_some_and(|partitioned| partitioned.full_refresh.is_some())
    }

    pub fn end_full_refresh(&mut self) {
        if let Some(partitioned) = &mut self.partitioned {
            partitioned.full_refresh = None;
        }
    }
}

impl Partitioned {
    pub(super) fn new(tenant: &str, trail: Trail) -> Self {
        Self { tenant: tenant.to_owned(), full_refresh: None, partitions: Partitions::new(trail) }
    }
}
