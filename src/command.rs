//! The commands: each wires the layers for one verb and gives the exit code.

use std::{
    io::{self, Write},
    path::Path,
    time::Duration,
};

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tracing::instrument::WithSubscriber;
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

use crate::{
    cli::{Cli, Command},
    config::Config,
    emit::Output,
    error::{Error, Fault},
    files::read_json,
    graph::{Credentials, Endpoints, GraphClient},
    log::Forward,
    protocol::airbyte::{self, AirbyteEmitter, Message},
    streams::Stream,
    sync::{self, Summary},
};

/// How a command ended, for the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// All done.
    Done,
    /// Something failed or is incomplete.
    Failed,
    /// Told to stop before the end.
    Stopped,
}

/// Does what was asked and writes to `out`; ends early when `stop` says so.
///
/// # Errors
/// If the output cannot be written.
pub fn run(cli: &Cli, mut out: impl Write + Send + 'static, stop: CancellationToken) -> io::Result<Exit> {
    match &cli.command {
        Command::Spec => {
            airbyte::write(&mut out, &Message::Spec { spec: airbyte::spec() })?;
            out.flush()?;
            Ok(Exit::Done)
        }
        Command::Discover(files) => {
            let (message, exit) = match read_config(&files.config) {
                Ok(_) => (Message::Catalog { catalog: airbyte::catalog() }, Exit::Done),
                Err(error) => (Message::error(&error), Exit::Failed),
            };
            airbyte::write(&mut out, &message)?;
            out.flush()?;
            Ok(exit)
        }
        Command::Check(files) => check(&files.config, &mut out),
        Command::Read { config, catalog, state: _ } => read(&config.config, catalog, level(cli.debug), out, stop),
    }
}

fn check(config: &Path, out: &mut impl Write) -> io::Result<Exit> {
    let result = read_config(config).and_then(|config| {
        let client = client(&config)?;
        runtime()?.block_on(sync::check(&client, &config))
    });
    // The user's fault is a verdict; ours, or an outage, is none.
    let (message, exit) = match result {
        Ok(message) => (Message::succeeded(message), Exit::Done),
        Err(error) if error.fault() == Fault::User => (Message::failed(error.to_string()), Exit::Done),
        Err(error) => (Message::error(&error), Exit::Failed),
    };
    airbyte::write(out, &message)?;
    out.flush()?;
    Ok(exit)
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
        Err(error) => {
            airbyte::write(&mut out, &Message::error(&error))?;
            out.flush()?;
            return Ok(Exit::Failed);
        }
    };
    let all_known = unknown.is_empty();
    let (output, writer) = Output::start(Box::new(AirbyteEmitter::new(out, unknown)))?;
    let log = output.clone();
    let log = tracing_subscriber::registry().with(level).with(Forward(move |level, sentence| log.log(level, sentence)));
    let summary = runtime.block_on(sync::run(client, &config, selected, output, stop).with_subscriber(log));
    // Whatever still runs holds the way to the writer.
    drop(runtime);
    writer.join()?;
    Ok(match summary {
        Summary { stopped: true, .. } => Exit::Stopped,
        summary if summary.is_complete() && all_known => Exit::Done,
        _ => Exit::Failed,
    })
}

fn read_config(path: &Path) -> Result<Config, Error> {
    Ok(Config::new(&read_json(path, "configuration")?, &Stream::names())?)
}

fn client(config: &Config) -> Result<GraphClient, Error> {
    let invalid = |url: url::ParseError| Error::Internal(format!("a host is no URL: {url}"));
    let endpoints = Endpoints {
        graph: config.graph_host().parse().map_err(invalid)?,
        login: config.login_host().parse().map_err(invalid)?,
        resource: config.cloud.graph_host().to_owned(),
    };
    let credentials = Credentials {
        tenant_id: config.tenant_id.clone(),
        client_id: config.client_id.clone(),
        client_secret: config.client_secret.clone(),
    };
    GraphClient::new(&endpoints, &credentials, first_wait(config.pace)).map_err(Error::Internal)
}

/// The first wait before another attempt: a second in Graph's time, which `pace` multiplies.
fn first_wait(pace: f64) -> Duration {
    let scaled = if pace > 0.0 { 1.0 / pace } else { 0.0 };
    Duration::from_secs_f64(scaled.clamp(0.01, 10.0))
}

fn runtime() -> Result<Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Internal(format!("cannot start threads: {error}")))
}

/// `--debug`, or `LOG_LEVEL` in the environment, as Airbyte sets it.
fn level(debug: bool) -> LevelFilter {
    let named = std::env::var("LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    if debug { LevelFilter::DEBUG } else { named.unwrap_or(LevelFilter::INFO) }
}
