//! Commands of the tap, with their configuration and catalog.

use std::{path::PathBuf, process::Command};

use serde_json::{Value, json};

use crate::{Bench, Result, process, simulator::Simulator};

/// The default of `max_concurrent_threads`.
pub(crate) const CONCURRENCY: usize = 30;

const STREAMS: [(&str, &str); 5] = [
    ("teams", "full_refresh"),
    ("channels", "full_refresh"),
    ("members", "full_refresh"),
    ("messages", "incremental"),
    ("message_replies", "incremental"),
];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings<'s> {
    /// Multiple of Graph's rates; 0 turns the limits off.
    pub(crate) pace: u32,
    /// Ids of the teams to read; empty: all teams.
    pub(crate) teams: &'s [String],
    /// The only stream to read; `None`: all streams.
    pub(crate) stream: Option<&'s str>,
    /// The name of the configuration file.
    pub(crate) name: &'s str,
}

impl Settings<'_> {
    /// The whole tenant.
    pub(crate) fn all(pace: u32) -> Self {
        Settings { pace, teams: &[], stream: None, name: "config.json" }
    }
}

pub(crate) fn read(bench: &Bench, simulator: &Simulator, settings: Settings<'_>) -> Result<Command> {
    let (config, catalog) = files(bench, simulator, settings)?;
    let mut command = Command::new(&bench.programs.tap);
    command.arg("read").arg("--config").arg(config).arg("--catalog").arg(catalog);
    Ok(command)
}

pub(crate) fn plan(bench: &Bench, simulator: &Simulator, settings: Settings<'_>) -> Result<Command> {
    let (config, catalog) = files(bench, simulator, settings)?;
    let mut command = Command::new(&bench.programs.tap);
    command.args(["plan", "--format", "json", "--config"]).arg(config).arg("--catalog").arg(catalog);
    Ok(command)
}

/// Writes the configuration and the catalog; returns their paths.
fn files(bench: &Bench, simulator: &Simulator, settings: Settings<'_>) -> Result<(PathBuf, PathBuf)> {
    let Settings { pace, teams, stream: only, name } = settings;
    let mut config = simulator.config.clone();
    if let Value::Object(config) = &mut config {
        config.extend([("pace".to_owned(), json!(pace)), ("fetch_all_teams".to_owned(), json!(teams.is_empty()))]);
        config.extend(["fetch_all_channels", "fetch_all_messages"].map(|name| (name.to_owned(), json!(true))));
        if !teams.is_empty() {
            config.insert("team_id".to_owned(), json!(teams.join(",")));
        }
    }
    let stream = |(name, mode)| json!({"stream": {"name": name}, "sync_mode": mode, "destination_sync_mode": "append"});
    let selected = STREAMS.into_iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    let catalog = json!({"streams": selected.map(stream).collect::<Vec<_>>()});
    let paths = (bench.folder.path().join(name), bench.folder.path().join("catalog.json"));
    process::file(&paths.0, config.to_string())?;
    process::file(&paths.1, catalog.to_string())?;
    Ok(paths)
}
