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

/// How a row is measured.
pub(crate) type Measure = fn(&Bench) -> Result<Row>;

/// Each row with its name for `--only`.
pub(crate) const ROWS: &[(&str, Measure)] = &[
    ("limits", limits::at_real_speed),
    ("limits-second", limits::over_a_second_only),
    ("latency", limits::with_latency),
    ("ten-times", limits::ten_times_as_large),
    ("one-large", limits::one_large_channel),
    ("throughput", throughput::with_gzip),
    ("throughput-plain", throughput::without_gzip),
    ("memory", memory::of_a_first_run),
    ("memory-ten-times", memory::of_a_tenant_ten_times_as_large),
    ("memory-pages", memory::with_large_pages),
    ("memory-teams", memory::of_many_teams),
    ("memory-slow", memory::with_a_slow_consumer),
    ("requests", requests::of_a_first_run),
    ("side-by-side", side_by_side::two_runs),
    ("side-by-side-same", side_by_side::two_runs_of_the_same),
    ("start", start::of_commands),
    ("idle", idle::ten_thousand_channels),
    ("state", state::of_many_channels),
    ("plan", plan::beside_runs),
];
