//! The verbs of an Airbyte source.

use std::{
    io::{self, Write},
    path::Path,
};

use tokio_util::sync::CancellationToken;
use tracing::instrument::WithSubscriber;
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

use super::{Exit, client, config, runtime};
use crate::{
    cli::Command,
    config::Config,
    emit::Output,
    error::{Error, Fault},
    files::read_json,
    log::Forward,
    protocol::airbyte::{self, AirbyteEmitter, Message},
    sync,
};

pub(super) fn run(command: &Command, debug: bool, mut out: impl Write + Send + 'static, stop: CancellationToken) -> io::Result<Exit> {
    match command {
        Command::Spec => tell(&mut out, &Message::Spec { spec: airbyte::spec() }, Exit::Done),
        Command::Discover(files) => match read_config(&files.config) {
            Ok(_) => tell(&mut out, &Message::Catalog { catalog: airbyte::catalog() }, Exit::Done),
            Err(error) => tell(&mut out, &Message::error(&error), Exit::Failed),
        },
        Command::Check(files) => check(&files.config, &mut out),
        Command::Read { config, catalog, state: _ } => read(&config.config, catalog, level(debug), out, stop),
    }
}

fn tell(out: &mut impl Write, message: &Message, exit: Exit) -> io::Result<Exit> {
    airbyte::write(out, message)?;
    out.flush()?;
    Ok(exit)
}

fn check(config: &Path, out: &mut impl Write) -> io::Result<Exit> {
    let result = read_config(config).and_then(|config| runtime()?.block_on(sync::check(&client(&config)?, &config)));
    match result {
        Ok(sentence) => tell(out, &Message::succeeded(sentence), Exit::Done),
        // The user's fault is a verdict; ours, or an outage, is none.
        Err(error) if error.fault() == Fault::User => tell(out, &Message::failed(error.to_string()), Exit::Done),
        Err(error) => tell(out, &Message::error(&error), Exit::Failed),
    }
}

fn read(
    config: &Path,
    catalog: &Path,
    level: LevelFilter,
    mut out: impl Write + Send + 'static,
    stop: CancellationToken,
) -> io::Result<Exit> {
    let prepared = read_config(config).and_then(|config| {
        let (selected, unknown) = airbyte::read_catalog(&read_json(catalog, "catalog")?)?;
        Ok((client(&config)?, config, selected, unknown, runtime()?))
    });
    let (client, config, selected, unknown, runtime) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return tell(&mut out, &Message::error(&error), Exit::Failed),
    };
    let all_known = unknown.is_empty();
    let (output, writer) = Output::start(Box::new(AirbyteEmitter::new(out, unknown)))?;
    let log = output.clone();
    let log = tracing_subscriber::registry().with(level).with(Forward(move |level, sentence| log.log(level, sentence)));
    let summary = runtime.block_on(sync::run(client, &config, selected, output, stop).with_subscriber(log));
    // Whatever still runs holds the way to the writer.
    drop(runtime);
    writer.join()?;
    Ok(if all_known { Exit::from(&summary) } else { Exit::Failed })
}

fn read_config(path: &Path) -> Result<Config, Error> {
    config(&read_json(path, "configuration")?)
}

/// `--debug`, or `LOG_LEVEL` in the environment, as the platform sets it.
fn level(debug: bool) -> LevelFilter {
    let named = std::env::var("LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    if debug { LevelFilter::DEBUG } else { named.unwrap_or(LevelFilter::INFO) }
}
