//! What a run shows of itself: figures, bars, log lines and levels, and ids for Microsoft's support.

mod figures;
mod ids;
mod levels;
mod terminal;

use serde_json::Value;

use crate::support::{Output, Protocol};

/// The final figures in the log of a run.
fn figures(output: &Output) -> Value {
    let said = match output.protocol {
        Protocol::Airbyte => output.logs("INFO"),
        _ => output.logged("INFO"),
    };
    let figures: Vec<_> = said.iter().filter_map(|line| line.strip_prefix("figures: ")).collect();
    assert_eq!(figures.len(), 1, "{said:?}");
    serde_json::from_str(figures[0]).unwrap()
}
