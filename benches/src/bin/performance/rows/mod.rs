//! The rows, in the order of the table.

mod idle;
mod limits;
mod memory;
mod plan;
mod requests;
mod side_by_side;
mod start;
mod state;
mod throughput;

use crate::{Bench, Result, figure::Row};

pub(crate) type Measure = fn(&Bench) -> Result<Row>;

/// The names are those that `--only` accepts.
pub(crate) const ROWS: &[(&str, Measure)] = &[
    ("limits", limits::real_speed),
    ("latency", limits::latency),
    ("one-large", limits::one_large_channel),
    ("throughput", throughput::cpu),
    ("memory", memory::seven_million_records),
    ("memory-pages", memory::large_pages),
    ("memory-teams", memory::many_teams),
    ("memory-slow", memory::slow_consumer),
    ("requests", requests::first_run),
    ("side-by-side", side_by_side::own_teams),
    ("side-by-side-same", side_by_side::same_channels),
    ("start", start::spec),
    ("idle", idle::ten_thousand_channels),
    ("state", state::large),
    ("plan", plan::deviation),
];
