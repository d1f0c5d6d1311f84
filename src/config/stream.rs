//! The configuration of one stream.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Map;

use super::reader::Reader;
use crate::level::{LEVELS, Level};

/// The configuration of one stream.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    /// One entry per level.
    parents: Vec<Parents>,
    /// The ids of teams and channels to skip, sorted.
    pub exclude: Vec<String>,
    pub start_date: Option<DateTime<Utc>>,
    /// How far incremental syncs overlap.
    pub lookback: Duration,
    /// Items per page; [`None`] for Graph's maximum.
    pub top: Option<u64>,
    pub max_pages_per_batch: u64,
    pub use_delta_api: bool,
}

/// The parents to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Parents {
    /// No option selects any parents.
    Unknown,
    /// The ids of the parents, without duplicates; empty if all of them are excluded.
    Ids(Vec<String>),
    All,
}

/// The configuration when no option is set.
impl Default for StreamConfig {
    fn default() -> Self {
        Self::read(&mut Reader::new(&Map::new()))
    }
}

impl StreamConfig {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let exclude = reader.excluded();
        Self {
            parents: LEVELS.iter().map(|level| Parents::read(reader, level).without(&exclude)).collect(),
            exclude,
            start_date: reader.date_time("start_date"),
            lookback: Duration::from_secs(reader.integer("lookback_seconds").unwrap_or_default()),
            top: reader.integer("top"),
            max_pages_per_batch: reader.integer("max_pages_per_batch").unwrap_or(1),
            use_delta_api: reader.flag("use_delta_api"),
        }
    }

    pub fn parents(&self, level: &Level) -> &Parents {
        &self.parents[level.position()]
    }

    pub fn reads_all(&self, level: &Level) -> bool {
        *self.parents(level) == Parents::All
    }

    /// The configured ids of a level; empty if all are read.
    pub fn ids(&self, level: &Level) -> &[String] {
        match self.parents(level) {
            Parents::Ids(ids) => ids,
            Parents::All | Parents::Unknown => &[],
        }
    }

    /// Whether exactly one id is configured for this level and for each level above it. Always true for the tenant.
    pub fn selects_one(&self, level: Option<&'static Level>) -> bool {
        level.map(Level::path).unwrap_or_default().into_iter().all(|level| self.ids(level).len() == 1)
    }

    pub fn excludes(&self, id: &str) -> bool {
        self.exclude.binary_search_by(|excluded| excluded.as_str().cmp(id)).is_ok()
    }
}

impl Parents {
    fn read(reader: &mut Reader<'_>, level: &'static Level) -> Self {
        let (ids, all) = (reader.ids(level), reader.flag(level.all));
        // An id in the options of a stream overrides the flag in the general options.
        let id_overrides = reader.layer_of(level.id) < reader.layer_of(level.all);
        match (all && (ids.is_empty() || !id_overrides), ids.is_empty()) {
            (true, _) => Self::All,
            (false, false) => Self::Ids(ids),
            (false, true) => Self::Unknown,
        }
    }

    fn without(self, exclude: &[String]) -> Self {
        match self {
            Self::Ids(ids) => Self::Ids(ids.into_iter().filter(|id| !exclude.contains(id)).collect()),
            parents => parents,
        }
    }

    pub fn are_known(&self) -> bool {
        *self != Self::Unknown
    }
}
