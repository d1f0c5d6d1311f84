//! The verbs of an Airbyte source.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use tracing_subscriber::filter::LevelFilter;

use super::{
    check::{Form, check},
    config::{self, Author},
    exit::Exit,
    files::{in_file, read_json, read_state},
    logging::{self, Wanted},
    ready::Ready,
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

pub(super) fn run(verb: &Airbyte, log: Wanted, mut out: impl Write + Send + 'static, stop: StopSignal) -> io::Result<Exit> {
    match verb {
        Airbyte::Spec => tell(&mut out, &log.secrets, Message::Spec { spec: airbyte::spec() }, Exit::Done),
        Airbyte::Discover(files) => match read_config(&files.config, &log.secrets) {
            Ok(_) => tell(&mut out, &log.secrets, Message::Catalog { catalog: airbyte::catalog() }, Exit::Done),
            Err(error) => fail(&mut out, &log.secrets, &error),
        },
        Airbyte::Check(asked) => check(asked, level(&log), Form::for_stdout(), &log.secrets, &mut out, &stop),
        Airbyte::Read { config, catalog, state } => match prepare(&config.config, catalog, state.as_deref(), &log.secrets) {
            Ok((ready, unknown)) => read(ready, unknown, &log, out, stop),
            Err(error) => fail(&mut out, &log.secrets, &error),
        },
    }
}

/// Says why nothing was done, or nothing more.
pub(super) fn fail(out: &mut impl Write, secrets: &Secrets, error: &Error) -> io::Result<Exit> {
    airbyte::write_error(out, secrets, error)?;
    Ok(Exit::Failed)
}

fn tell(out: &mut impl Write, secrets: &Secrets, message: Message<'_>, exit: Exit) -> io::Result<Exit> {
    airbyte::write(out, secrets, message)?;
    out.flush()?;
    Ok(exit)
}

/// What a read is made of, and the streams that it is asked for and that there are not.
fn prepare(config: &[PathBuf], catalog: &Path, state: Option<&Path>, secrets: &Secrets) -> Result<(Ready, Vec<String>), Error> {
    let config = read_config(config, secrets)?;
    let (selected, unknown) = airbyte::read_catalog(&read_json(catalog, "catalog")?).map_err(in_file(catalog, "catalog"))?;
    let (states, mut remarks) = match state {
        Some(path) => read_state(path, |written| {
            let (written, remarks) = written.map(airbyte::read_state).transpose()?.unwrap_or_default();
            Ok((states(&written, &selected, &config)?, remarks))
        })?,
        None => (states(&StoredStates::new(), &selected, &config)?, Vec::new()),
    };
    if selected.is_empty() && unknown.is_empty() {
        remarks.push(airbyte::NOTHING_SELECTED.to_owned());
    }
    Ok((Ready::new(config, selected, states, remarks, secrets)?, unknown))
}

fn read(ready: Ready, unknown: Vec<String>, log: &Wanted, out: impl Write + Send + 'static, stop: StopSignal) -> io::Result<Exit> {
    let all_known = unknown.is_empty();
    let level = level(log);
    let screen = log.screen(level);
    let say = |output: &Output| {
        let output = output.clone();
        move |level, sentence| output.log(level, sentence)
    };
    let summary = ready.sync(Box::new(AirbyteEmitter::new(out, unknown, level, log.secrets.clone())), level, &screen, say, stop)?;
    let exit = Exit::from(&summary);
    Ok(if all_known || exit == Exit::Stopped { exit } else { Exit::Failed })
}

/// What the command line wants, or the platform.
fn level(log: &Wanted) -> LevelFilter {
    log.level([logging::variable("LOG_LEVEL")])
}

fn read_config(paths: &[PathBuf], secrets: &Secrets) -> Result<Config, Error> {
    config::read(paths, Author::Anybody, secrets)
}
