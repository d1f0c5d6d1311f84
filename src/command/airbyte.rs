//! The commands of an Airbyte source.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use tracing_subscriber::filter::LevelFilter;

use super::{
    check::{Form, check},
    config::{self, Trust},
    exit::Exit,
    files::{in_file, read_json, read_state},
    logging::{self, LogOptions},
    prepared::PreparedSync,
};
use crate::{
    cli::Airbyte,
    config::Config,
    emit::{Output, StopSignal},
    error::Error,
    protocol::airbyte::{self, AirbyteEmitter, Message},
    read::states,
    secrets::Secrets,
    state::StoredStates,
};

pub(super) fn run(command: &Airbyte, options: LogOptions, mut out: impl Write + Send + 'static, stop: StopSignal) -> io::Result<Exit> {
    match command {
        Airbyte::Spec => write(&mut out, &options.secrets, Message::Spec { spec: airbyte::spec() }),
        Airbyte::Discover(args) => match read_config(&args.config, &options.secrets) {
            Ok(_) => write(&mut out, &options.secrets, Message::Catalog { catalog: airbyte::catalog() }),
            Err(error) => fail(&mut out, &options.secrets, &error),
        },
        Airbyte::Check(args) => check(args, level(&options), Form::for_stdout(), &options.secrets, &mut out, &stop),
        Airbyte::Read { config, catalog, state } => match prepare(&config.config, catalog, state.as_deref(), &options.secrets) {
            Ok((prepared, unknown)) => read(prepared, unknown, &options, out, stop),
            Err(error) => fail(&mut out, &options.secrets, &error),
        },
    }
}

/// Writes an error message and ends the command.
pub(super) fn fail(out: &mut impl Write, secrets: &Secrets, error: &Error) -> io::Result<Exit> {
    airbyte::write_error(out, secrets, error)?;
    Ok(Exit::Failure)
}

fn write(out: &mut impl Write, secrets: &Secrets, message: Message<'_>) -> io::Result<Exit> {
    airbyte::write(out, secrets, message)?;
    out.flush()?;
    Ok(Exit::Success)
}

/// Prepares a read; also returns the names of unknown streams in the catalog.
fn prepare(config: &[PathBuf], catalog: &Path, state: Option<&Path>, secrets: &Secrets) -> Result<(PreparedSync, Vec<String>), Error> {
    let config = read_config(config, secrets)?;
    let (selected, unknown) = airbyte::read_catalog(&read_json(catalog, "catalog")?).map_err(in_file(catalog, "catalog"))?;
    let (states, mut warnings) = match state {
        Some(path) => read_state(path, |written| {
            let (written, warnings) = written.map(airbyte::read_state).transpose()?.unwrap_or_default();
            Ok((states(&written, &selected, &config)?, warnings))
        })?,
        None => (states(&StoredStates::new(), &selected, &config)?, Vec::new()),
    };
    if selected.is_empty() && unknown.is_empty() {
        warnings.push(airbyte::NOTHING_SELECTED.to_owned());
    }
    Ok((PreparedSync::new(config, selected, states, warnings, secrets)?, unknown))
}

fn read(
    prepared: PreparedSync,
    unknown: Vec<String>,
    options: &LogOptions,
    out: impl Write + Send + 'static,
    stop: StopSignal,
) -> io::Result<Exit> {
    let all_known = unknown.is_empty();
    let level = level(options);
    let screen = options.screen(level);
    let log = |output: &Output| {
        let output = output.clone();
        move |level, message| output.log(level, message)
    };
    let emitter = AirbyteEmitter::new(out, unknown, level, options.secrets.clone());
    let summary = prepared.sync(Box::new(emitter), level, &screen, log, stop)?;
    let exit = Exit::from(&summary);
    Ok(if all_known || exit == Exit::Stopped { exit } else { Exit::Failure })
}

/// The log level from the command line or from the platform.
fn level(options: &LogOptions) -> LevelFilter {
    options.level([logging::variable("LOG_LEVEL")])
}

fn read_config(paths: &[PathBuf], secrets: &Secrets) -> Result<Config, Error> {
    config::read(paths, Trust::Untrusted, secrets)
}
