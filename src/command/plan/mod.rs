//! `plan`: what a run would do, for people and for programs.

mod table;

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tracing::{instrument::WithSubscriber, warn};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

use super::{
    Exit, Ready, client,
    config::{self, Author},
    runtime, singer as tap, states, tell,
};
use crate::{
    cli::{self, PlanFormat},
    error::Error,
    files::{in_file, read_json, read_json_if_any},
    graph::Limits,
    log::Forward,
    protocol::{Format, Log, airbyte, singer},
    streams::Selected,
    sync::plan,
};

pub(super) fn run(asked: &cli::Plan, debug: bool, mut out: impl Write, stop: &CancellationToken) -> io::Result<Exit> {
    let log = Arc::new(Log::new(Format::Text, if debug { LevelFilter::DEBUG } else { LevelFilter::INFO }));
    let lines = log.clone();
    let subscriber = tracing_subscriber::registry().with(log.level()).with(Forward(move |level, said: String| lines.line(level, &said)));
    let planned = prepare(asked).map(|Ready { client, config, selected, states, remarks, runtime }| {
        let plan = async {
            remarks.iter().for_each(|remark| warn!("{remark}"));
            plan::plan(client, &config, selected, states).await
        };
        runtime.block_on(stop.run_until_cancelled(plan.with_subscriber(subscriber)))
    });
    match planned {
        Ok(None) => Ok(Exit::Stopped),
        Ok(Some(Ok(plan))) => {
            let text = match asked.format {
                PlanFormat::Table => table::text(&plan, asked.state.is_some()),
                PlanFormat::Json => format!("{}\n", serde_json::to_string_pretty(&plan)?),
            };
            tell(&mut out, &text)?;
            Ok(if plan.failed.is_empty() { Exit::Done } else { Exit::Failed })
        }
        Ok(Some(Err(error))) | Err(error) => {
            log.critical(&error.to_string());
            Ok(Exit::Failed)
        }
    }
}

/// What a run would be made of.
fn prepare(asked: &cli::Plan) -> Result<Ready, Error> {
    let config = config::read(&asked.settings.config, Author::Operator)?;
    let (selected, mut remarks) = match &asked.catalog {
        Some(path) => read_catalog(&read_json(path, "catalog")?).map_err(in_file(path, "catalog"))?,
        None => (tap::allowed(&config), Vec::new()),
    };
    let (given, more) = asked.state.as_deref().map(read_state).transpose()?.unwrap_or_default();
    remarks.extend(more);
    let states = states(&given, &selected, &config);
    let states = match &asked.state {
        Some(path) => states.map_err(in_file(path, "state"))?,
        None => states?,
    };
    Ok(Ready { client: client(&config, Limits::default())?, config, selected, states, remarks, runtime: runtime()? })
}

/// The streams of a catalog of either protocol, and what people should know about the others.
fn read_catalog(written: &Value) -> Result<(Vec<Selected>, Vec<String>), Error> {
    let is_configured = written["streams"].as_array().is_some_and(|streams| streams.iter().any(|stream| stream["stream"].is_object()));
    if !is_configured {
        return singer::read_catalog(written);
    }
    let (selected, unknown) = airbyte::read_catalog(written)?;
    Ok((selected, unknown.into_iter().map(|name| format!("the catalog asks for the stream {name}, which there is not")).collect()))
}

/// The states of the streams, of either protocol.
fn read_state(path: &Path) -> Result<(Map<String, Value>, Vec<String>), Error> {
    let written = read_json_if_any(path, "state")?.unwrap_or_default();
    let has_bookmarks = ["bookmarks", "singer_state", "value"].iter().any(|key| written.get(key).is_some());
    let read = if has_bookmarks { singer::read_state(&written).map(|given| (given, Vec::new())) } else { airbyte::read_state(&written) };
    read.map_err(in_file(path, "state"))
}
