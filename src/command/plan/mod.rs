//! `plan`: what a run would do, for people and for programs.

mod table;

use std::{
    io::{self, Write},
    sync::Arc,
};

use serde_json::{Value, value::RawValue};
use tracing::instrument::WithSubscriber;

use super::{
    config::{self, Trust},
    exit::{Exit, print},
    files::{self, in_file, read_json},
    logging::{self, LogOptions},
    prepared::{PreparedSync, log_warnings},
    singer as tap,
};
use crate::{
    cli::{self, PlanFormat},
    console::Log,
    emit::StopSignal,
    error::Error,
    plan,
    printable::is_hidden,
    protocol::{airbyte, singer},
    read::states,
    secrets::Secrets,
    state::StoredStates,
    streams::{Selected, Stream},
};

pub(super) fn run(asked: &cli::Plan, wanted: &LogOptions, mut out: impl Write, stop: &StopSignal) -> io::Result<Exit> {
    let level = wanted.level([]);
    let screen = wanted.screen(level);
    let log = Arc::new(Log::new(logging::plain_format(&screen), level, wanted.secrets.clone(), screen.log()));
    let lines = log.clone();
    let subscriber = logging::subscriber(level, move |level, sentence| lines.line(level, &sentence));
    let planned = prepare(asked, &wanted.secrets).map(|(PreparedSync { client, config, selected, states, warnings, runtime }, unknown)| {
        let plan = async {
            log_warnings(&warnings);
            let mut plan = plan::plan(client, &config, selected, states).await?;
            plan.failed.extend(unknown);
            Ok(plan)
        };
        runtime.block_on(stop.run_until_stopped(plan.with_subscriber(subscriber)))
    });
    match planned {
        Ok(None) => Ok(Exit::Stopped),
        Ok(Some(Ok(plan))) => {
            let text = match asked.format {
                PlanFormat::Table => table::text(&plan, asked.state.is_some()),
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

/// What a run would be made of, and what it would say of streams that there are not.
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

/// What a catalog asks for.
#[derive(Default)]
struct Catalog {
    selected: Vec<Selected>,
    /// What people should know.
    remarks: Vec<String>,
    /// What is said of streams that there are not.
    unknown: Vec<String>,
}

/// JSON in which those characters are escaped that it need not escape and a terminal obeys or does not show.
fn without_controls(json: &str) -> String {
    let is_left = |char: char| (char.is_control() && char != '\n') || is_hidden(char);
    let unit = |unit: &mut u16| format!("\\u{unit:04x}");
    let escaped = |char: char| if is_left(char) { char.encode_utf16(&mut [0; 2]).iter_mut().map(unit).collect() } else { char.to_string() };
    if json.contains(is_left) { json.chars().map(escaped).collect() } else { json.to_owned() }
}

/// The streams of a catalog of either protocol.
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

/// The states of the streams, of either protocol.
fn read_state(written: &RawValue) -> Result<(StoredStates<'_>, Vec<String>), Error> {
    if singer::has_bookmarks(written) { singer::read_state(written) } else { airbyte::read_state(written) }
}
