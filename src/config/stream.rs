//! What the configuration says about one stream.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Map;

use super::reader::Reader;
use crate::level::{LEVELS, Level};

/// What the configuration says about one stream.
#[derive(Clone, Debug)]
pub struct StreamConfig {
    /// The parents to read, by level.
    parents: Vec<Parents>,
    /// The parents to leave out, in order.
    pub exclude: Vec<String>,
    /// From when on the first sync reads.
    pub start_date: Option<DateTime<Utc>>,
    /// Overlap of incremental reads.
    pub lookback: Duration,
    /// Items a page; [`None`] for the most that the route allows.
    pub top: Option<u64>,
    /// Pages of one channel between two checkpoints.
    pub max_pages_per_batch: u64,
    /// Whether messages are followed by delta.
    pub use_delta_api: bool,
}

/// The parents to read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Parents {
    /// Nothing was said.
    Unknown,
    /// These, each once; none if all that were named are to be left out.
    Ids(Vec<String>),
    /// All that are found.
    All,
}

/// What holds where nothing is said.
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
            lookback: Duration::from_secs(reader.count("lookback_seconds").unwrap_or_default()),
            top: reader.count("top"),
            max_pages_per_batch: reader.count("max_pages_per_batch").unwrap_or(1),
            use_delta_api: reader.flag("use_delta_api"),
        }
    }
}

impl StreamConfig {
    /// The parents of that level to read.
    pub fn parents(&self, level: &Level) -> &Parents {
        &self.parents[level.position()]
    }

    /// Whether all parents of that level are read.
    pub fn reads_all(&self, level: &Level) -> bool {
        *self.parents(level) == Parents::All
    }

    /// The parents of that level that are named.
    pub fn named(&self, level: &Level) -> &[String] {
        match self.parents(level) {
            Parents::Ids(ids) => ids,
            Parents::All | Parents::Unknown => &[],
        }
    }

    /// Whether one parent of that level is named, and one of each level above it. The tenant is always one.
    pub fn names_one(&self, level: Option<&'static Level>) -> bool {
        level.map(Level::path).unwrap_or_default().into_iter().all(|level| self.named(level).len() == 1)
    }

    /// Whether the option `exclude` names this parent.
    pub fn excludes(&self, id: &str) -> bool {
        self.exclude.binary_search_by(|excluded| excluded.as_str().cmp(id)).is_ok()
    }
}

impl Parents {
    fn read(reader: &mut Reader<'_>, level: &'static Level) -> Self {
        let (ids, all) = (reader.ids(level), reader.flag(level.all));
        // An id among a stream's own options overrides what is said for all streams.
        let id_is_nearer = reader.layer_of(level.id) < reader.layer_of(level.all);
        match (all && (ids.is_empty() || !id_is_nearer), ids.is_empty()) {
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

    /// Whether it is known what to read.
    pub fn are_known(&self) -> bool {
        *self != Self::Unknown
    }
}
