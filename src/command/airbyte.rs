//! The verbs of an Airbyte source.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde_json::Map;
use tokio_util::sync::CancellationToken;
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::{
    Exit, Ready, client,
    config::{self, Author},
    runtime, states,
};
use crate::{
    cli::Airbyte,
    config::Config,
    emit::Output,
    error::{Error, Fault},
    files::{in_file, read_json, read_json_if_any},
    graph::Limits,
    protocol::airbyte::{self, AirbyteEmitter, Message},
    sync,
};

pub(super) fn run(verb: &Airbyte, debug: bool, mut out: impl Write + Send + 'static, stop: CancellationToken) -> io::Result<Exit> {
    match verb {
        Airbyte::Spec => tell(&mut out, &Message::Spec { spec: airbyte::spec() }, Exit::Done),
        Airbyte::Discover(files) => match read_config(&files.config) {
            Ok(_) => tell(&mut out, &Message::Catalog { catalog: airbyte::catalog() }, Exit::Done),
            Err(error) => fail(&mut out, &error),
        },
        Airbyte::Check(files) => check(&files.config, &mut out),
        Airbyte::Read { config, catalog, state } => match prepare(&config.config, catalog, state.as_deref()) {
            Ok((ready, unknown)) => read(ready, unknown, level(debug), out, stop),
            Err(error) => fail(&mut out, &error),
        },
    }
}

/// Says why nothing was done, or nothing more.
pub(super) fn fail(out: &mut impl Write, error: &Error) -> io::Result<Exit> {
    tell(out, &Message::error(error), Exit::Failed)
}

fn tell(out: &mut impl Write, message: &Message<'_>, exit: Exit) -> io::Result<Exit> {
    airbyte::write(out, message)?;
    out.flush()?;
    Ok(exit)
}

fn check(config: &[PathBuf], out: &mut impl Write) -> io::Result<Exit> {
    let checked = read_config(config).and_then(|config| runtime()?.block_on(sync::check(&client(&config, Limits::brief())?, &config)));
    match checked {
        Ok(checkup) => {
            for (level, line) in checkup.lines() {
                airbyte::write(out, &Message::log(level, &line))?;
            }
            let status = if checkup.is_good() { Message::succeeded } else { Message::failed };
            tell(out, &status(checkup.sentence()), Exit::Done)
        }
        // The user's fault is a verdict; ours, or an outage, is none.
        Err(error) if error.fault() == Fault::User => {
            let sentence = error.in_short();
            if sentence != error.to_string() {
                airbyte::write(out, &Message::log(Level::ERROR, &error.to_string()))?;
            }
            tell(out, &Message::failed(sentence), Exit::Done)
        }
        Err(error) => fail(out, &error),
    }
}

/// What a read is made of, and the streams that it is asked for and that there are not.
fn prepare(config: &[PathBuf], catalog: &Path, state: Option<&Path>) -> Result<(Ready, Vec<String>), Error> {
    let config = read_config(config)?;
    let (selected, unknown) = airbyte::read_catalog(&read_json(catalog, "catalog")?).map_err(in_file(catalog, "catalog"))?;
    let (states, remarks) = match state {
        Some(path) => {
            let read = || {
                let (given, remarks) = airbyte::read_state(&read_json_if_any(path, "state")?.unwrap_or_default())?;
                Ok((states(&given, &selected, &config)?, remarks))
            };
            read().map_err(in_file(path, "state"))?
        }
        None => (states(&Map::new(), &selected, &config)?, Vec::new()),
    };
    Ok((Ready { client: client(&config, Limits::default())?, config, selected, states, remarks, runtime: runtime()? }, unknown))
}

fn read(
    ready: Ready,
    unknown: Vec<String>,
    level: LevelFilter,
    out: impl Write + Send + 'static,
    stop: CancellationToken,
) -> io::Result<Exit> {
    let all_known = unknown.is_empty();
    let say = |output: &Output| {
        let output = output.clone();
        move |level, sentence| output.log(level, sentence)
    };
    let summary = ready.sync(Box::new(AirbyteEmitter::new(out, unknown)), level, say, stop)?;
    let exit = Exit::from(&summary);
    Ok(if all_known || exit == Exit::Stopped { exit } else { Exit::Failed })
}

fn read_config(paths: &[PathBuf]) -> Result<Config, Error> {
    config::read(paths, Author::Anybody)
}

/// `--debug`, or `LOG_LEVEL` in the environment, as the platform sets it.
fn level(debug: bool) -> LevelFilter {
    let named = std::env::var("LOG_LEVEL").ok().filter(|level| !level.is_empty()).and_then(|level| level.parse().ok());
    if debug { LevelFilter::DEBUG } else { named.unwrap_or(LevelFilter::INFO) }
}
