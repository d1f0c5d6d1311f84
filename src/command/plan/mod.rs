//! `plan`: an estimate of a run, as a table or as JSON.

mod table;

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use serde_json::{Value, value::RawValue};
use tracing::{Level, instrument::WithSubscriber};

use super::{
    config::{self, Trust},
    exit::{Exit, print},
    files::{self, in_file, read_json},
    logging::{self, LogOptions},
    prepared::{PreparedSync, log_warnings},
    singer as tap,
};
use crate::{
    check::options_to_set,
    cli::{self, PlanFormat},
    config::{Config, settings_from_environment},
    console::Log,
    emit::StopSignal,
    error::Error,
    plan,
    printable::is_hidden,
    protocol::{airbyte, singer},
    read::{parents::missing_options, states},
    secrets::Secrets,
    state::StoredStates,
    streams::{Selected, Stream},
};

pub(super) fn run(asked: &cli::Plan, wanted: &LogOptions, mut out: impl Write, stop: &StopSignal) -> io::Result<Exit> {
    let level = wanted.level([]);
    let screen = wanted.screen(level);
    let log = Arc::new(Log::new(logging::plain_format(&screen), level, wanted.secrets.clone(), screen.log()));
    if is_environment_alone(&asked.config.config) {
        log.line(Level::INFO, source_of_environment());
    }
    let lines = log.clone();
    let subscriber = logging::subscriber(level, move |level, sentence| lines.line(level, &sentence));
    let planned = prepare(asked, &wanted.secrets).map(|(PreparedSync { client, config, selected, states, warnings, runtime }, unknown)| {
        let unconfigured = if asked.catalog.is_none() { unconfigured(&config) } else { Vec::new() };
        let plan = async {
            log_warnings(&warnings);
            let mut plan = plan::plan(client, &config, selected, states).await?;
            plan.failed.extend(unknown);
            Ok((plan, unconfigured))
        };
        runtime.block_on(stop.run_until_stopped(plan.with_subscriber(subscriber)))
    });
    match planned {
        Ok(None) => Ok(Exit::Stopped),
        Ok(Some(Ok((plan, unconfigured)))) => {
            let text = match asked.format {
                PlanFormat::Table => table::text(&plan, &unconfigured, asked.state.is_some()),
                PlanFormat::Json => format!("{}\n", without_controls(&serde_json::to_string_pretty(&plan)?)),
            };
            print(&mut out, &wanted.secrets.hide(&text))?;
            Ok(if plan.failed.is_empty() { Exit::Success } else { Exit::Failure })
        }
        Ok(Some(Err(error))) | Err(error) => {
            log.critical(&error.to_string());
            Ok(Exit::Failure)
        }
    }
}

/// Everything that the run needs, and an error for each unknown stream in the catalog.
fn prepare(asked: &cli::Plan, secrets: &Secrets) -> Result<(PreparedSync, Vec<String>), Error> {
    let config = config::read(&asked.config.config, Trust::Operator, secrets)?;
    let Catalog { selected, mut remarks, unknown } = match &asked.catalog {
        Some(path) => read_catalog(&read_json(path, "catalog")?).map_err(in_file(path, "catalog"))?,
        None => Catalog { selected: tap::allowed(&config), ..Catalog::default() },
    };
    let states = match &asked.state {
        Some(path) => files::read_state(path, |written| {
            let (written, more) = written.map(read_state).transpose()?.unwrap_or_default();
            remarks.extend(more);
            states(&written, &selected, &config)
        })?,
        None => states(&StoredStates::new(), &selected, &config)?,
    };
    Ok((PreparedSync::new(config, selected, states, remarks, secrets)?, unknown))
}

/// The streams of a catalog.
#[derive(Default)]
struct Catalog {
    selected: Vec<Selected>,
    /// Warnings for the user.
    remarks: Vec<String>,
    /// An error for each unknown stream.
    unknown: Vec<String>,
}

/// Whether the configuration comes from the environment only, as it does without `--config`.
fn is_environment_alone(paths: &[PathBuf]) -> bool {
    matches!(paths, [path] if path.as_os_str() == config::ENVIRONMENT)
}

fn source_of_environment() -> &'static str {
    if settings_from_environment(|name| env::var(name).ok()).is_empty() {
        "no configuration: no variable TAP_MICROSOFT_TEAMS_* is set; pass --config FILE, or set the variables"
    } else {
        "configuration: variables TAP_MICROSOFT_TEAMS_* of the environment; pass --config FILE to use a file"
    }
}

/// The streams that are not planned because they are not configured, each with what to do.
fn unconfigured(config: &Config) -> Vec<(&'static str, String)> {
    let streams = singer::default_streams().map(|selected| selected.stream);
    let options = streams.map(|stream| (stream.name, missing_options(stream, config.stream(stream))));
    options
        .filter(|(_, options)| !options.is_empty())
        .map(|(stream, options)| (stream, options_to_set(&options).replace('`', "")))
        .collect()
}

/// Escapes the characters in JSON that a terminal would obey or not show, which JSON does not require to be escaped.
fn without_controls(json: &str) -> String {
    let is_unsafe = |char: char| (char.is_control() && char != '\n') || is_hidden(char);
    let unit = |unit: &mut u16| format!("\\u{unit:04x}");
    let escaped =
        |char: char| if is_unsafe(char) { char.encode_utf16(&mut [0; 2]).iter_mut().map(unit).collect() } else { char.to_string() };
    if json.contains(is_unsafe) { json.chars().map(escaped).collect() } else { json.to_owned() }
}

/// Reads a catalog of either protocol.
fn read_catalog(written: &Value) -> Result<Catalog, Error> {
    let is_configured = written["streams"].as_array().is_some_and(|streams| streams.iter().any(|stream| stream["stream"].is_object()));
    if !is_configured {
        let (selected, remarks) = singer::read_catalog(written)?;
        return Ok(Catalog { selected, remarks, ..Catalog::default() });
    }
    let (selected, unknown) = airbyte::read_catalog(written)?;
    let names = Stream::names().join(", ");
    let unknown = unknown.into_iter().map(|name| format!("unknown stream {name} in the catalog; known streams: {names}")).collect();
    Ok(Catalog { selected, unknown, ..Catalog::default() })
}

/// Reads a state of either protocol.
fn read_state(written: &RawValue) -> Result<(StoredStates<'_>, Vec<String>), Error> {
    if singer::has_bookmarks(written) { singer::read_state(written) } else { airbyte::read_state(written) }
}
