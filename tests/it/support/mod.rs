//! Helpers that several tests use.

mod airbyte;
pub mod incremental;
mod output;
mod running;
pub mod singer;
mod tap;
pub mod terminal;
mod validate;

use std::{fs, path::PathBuf, sync::Mutex, thread};

use graph_sim::{GraphSim, Options, TenantSpec};
use serde_json::{Value, json};

pub use scenario::{expect, truth};

pub use output::{Output, Protocol};
pub use running::Running;
pub use tap::{Finished, Tap, configured};

/// The streams that are selected by default.
pub const ALL: [&str; 5] = ["teams", "channels", "members", "messages", "message_replies"];

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a test exists, by its name in documents: `singer::sync::all_streams_equal_the_truth` here, or
/// `graph::retry::tests::every_status_has_its_verdict` in the library.
pub fn is_test(test: &str) -> bool {
    let Some((module, name)) = test.rsplit_once("::") else { return false };
    let path = module.trim_end_matches("::tests").replace("::", "/");
    let folder = if module.ends_with("::tests") { "src" } else { "tests/it" };
    ["", "/mod", "/tests"].into_iter().any(|file| {
        let source = fs::read_to_string(root().join(format!("{folder}/{path}{file}.rs"))).unwrap_or_default();
        source.contains(&format!("#[test]\nfn {name}() {{")) || source.contains(&format!("#[test]\n    fn {name}() {{"))
    })
}

/// Calls `act` for many items in parallel, because failing runs spend most of their time waiting.
pub fn in_parallel<T: Send, R: Send>(items: impl IntoIterator<Item = T>, act: impl Fn(T) -> R + Sync) -> Vec<R> {
    let items: Vec<_> = items.into_iter().collect();
    let items = Mutex::new(items.into_iter().enumerate());
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                loop {
                    let next = items.lock().unwrap().next();
                    let Some((at, item)) = next else { return };
                    let result = act(item);
                    results.lock().unwrap().push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A configuration for the simulator with additional options.
pub fn config(sim: &GraphSim, more: Value) -> Value {
    let mut config = sim.config();
    config["pace"] = 0.into();
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

/// The options that read everything.
pub fn everything() -> Value {
    json!({"fetch_all_teams": true, "fetch_all_channels": true, "fetch_all_messages": true})
}

/// A fully readable tenant with this many teams, channels per team and root messages per channel, whose clock does not advance.
pub fn tenant(teams: usize, channels: usize, messages: usize) -> GraphSim {
    let mut spec = TenantSpec::uniform(teams, channels, messages).replies(2, 0);
    spec.groups_without_team = 0;
    GraphSim::start(Options::new(spec).manual_clock()).unwrap()
}
