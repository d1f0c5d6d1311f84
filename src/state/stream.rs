//! The state of a stream, as a run keeps it.

use super::{
    partitions::{Group, Partitions},
    position::Position,
    version::Full,
};
use crate::level::{Trail, ids, join};

/// The number of hashes of items that were left out which are remembered for a stream.
pub const MOST_DAMAGE: usize = 1000;

/// What a stream's state holds, the same in both protocols. A clone shares what neither changes.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamState {
    /// Hashes of items of lists that were left out, damaged or too large, and reported.
    pub(super) damage: Vec<String>,
    /// Of a stream that is read in full each time there is nothing more.
    pub(super) partitioned: Option<Partitioned>,
}

/// Where the partitions of a stream can go on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Partitioned {
    /// The tenant that was read.
    pub(super) tenant: String,
    /// Written while a full refresh is under way. Only another full refresh takes up its partitions.
    pub(super) full: Option<Full>,
    pub(super) partitions: Partitions,
}

impl StreamState {
    /// The state of a stream that is read in full each time.
    pub fn of_snapshot() -> Self {
        Self { damage: Vec::new(), partitioned: None }
    }

    /// The state of a stream to whose partitions this trail leads, of which nothing was read yet.
    pub fn of_partitions(tenant: &str, trail: &Trail) -> Self {
        Self { damage: Vec::new(), partitioned: Some(Partitioned::new(tenant, trail.clone())) }
    }

    /// Where a partition stands.
    pub fn position(&self, key: &str) -> Option<Position> {
        self.partitioned.as_ref()?.partitions.get(key)
    }

    /// The keys of what is known.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        let groups = self.partitioned.iter().flat_map(|own| own.partitions.groups());
        groups.flat_map(|(parents, group)| group.iter().map(move |(id, _)| join(parents, id)))
    }

    /// The ids right below a parent of what is known, by its key; some of them twice. The key of the tenant is empty.
    pub fn below(&self, parent: &str) -> Vec<String> {
        let depth = ids(parent).count();
        let groups = self.partitioned.iter().flat_map(|own| own.partitions.below(parent));
        let of_group = |(parents, group): (&str, &Group)| -> Vec<String> {
            match ids(parents).nth(depth) {
                Some(id) => vec![id],
                None => group.iter().map(|(id, _)| id.to_owned()).collect(),
            }
        };
        let mut below: Vec<_> = groups.flat_map(of_group).collect();
        // Groups of one parent follow each other.
        below.dedup();
        below
    }

    /// Whether something is known of a parent or below it, by its key.
    pub fn knows(&self, key: &str) -> bool {
        self.position(key).is_some() || self.partitioned.as_ref().is_some_and(|own| own.partitions.below(key).next().is_some())
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.damage.is_empty() && self.partitioned.as_ref().is_none_or(|own| own.partitions.is_empty())
    }

    /// Takes note of where a partition stands; [`None`]: it is gone, and all that is known below it. The key of a team stands for all its channels.
    pub fn set(&mut self, key: &str, position: Option<Position>) {
        let Some(own) = &mut self.partitioned else { return };
        if let (Some(full), Some(began)) = (&mut own.full, position.as_ref().and_then(Position::began)) {
            // Its channels are dated by different machines, and some of them begin before the one that is the first to report.
            full.mark = Some(full.mark.map_or(began, |mark| mark.min(began)));
        }
        match position {
            Some(position) => own.partitions.set(key, position),
            None => own.partitions.remove(key),
        }
    }

    /// Hashes of items of lists that were left out, damaged or too large, and reported.
    pub fn damage(&self) -> &[String] {
        &self.damage
    }

    /// Takes note of the items of lists that were left out and reported.
    pub fn set_damage(&mut self, damage: Vec<String>) {
        self.damage = damage;
    }

    /// Whether it was written in the midst of a full refresh.
    pub fn is_full(&self) -> bool {
        self.partitioned.as_ref().is_some_and(|own| own.full.is_some())
    }

    /// The full refresh is no longer under way.
    pub fn end_full_refresh(&mut self) {
        if let Some(own) = &mut self.partitioned {
            own.full = None;
        }
    }
}

impl Partitioned {
    pub(super) fn new(tenant: &str, trail: Trail) -> Self {
        Self { tenant: tenant.to_owned(), full: None, partitions: Partitions::new(trail) }
    }
}
