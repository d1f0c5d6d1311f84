//! What the tests share.

pub mod expect;
mod tap;
pub mod truth;
mod validate;

use std::path::PathBuf;

use graph_sim::GraphSim;
use serde_json::Value;

pub use tap::{Output, Tap};

/// The folder of the package.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A configuration for the simulator, with these settings.
pub fn config(sim: &GraphSim, more: Value) -> Value {
    let mut config = sim.config();
    config["pace"] = 0.into();
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}
