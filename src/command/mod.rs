//! The commands: each wires the layers for what was asked and says how the process shall end.

mod airbyte;
mod singer;

use std::{
    io::{self, Write},
    time::Duration,
};

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::Cli,
    config::Config,
    error::Error,
    graph::{Credentials, Endpoints, GraphClient},
    streams::Stream,
    sync::Summary,
};

/// How a command ended, for the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// All done.
    Done,
    /// Something failed or is incomplete.
    Failed,
    /// Wrong usage.
    Usage,
    /// Told to stop before the end.
    Stopped,
}

/// Does what was asked and writes to `out`; ends early when `stop` says so.
///
/// # Errors
/// If the output cannot be written.
pub fn run(cli: &Cli, out: impl Write + Send + 'static, stop: CancellationToken) -> io::Result<Exit> {
    match &cli.command {
        Some(command) => airbyte::run(command, cli.debug, out, stop),
        None => singer::run(&cli.singer, cli.debug, out, stop),
    }
}

impl From<&Summary> for Exit {
    fn from(summary: &Summary) -> Self {
        match summary {
            Summary { stopped: true, .. } => Self::Stopped,
            summary if summary.is_complete() => Self::Done,
            _ => Self::Failed,
        }
    }
}

fn config(written: &Value) -> Result<Config, Error> {
    Ok(Config::new(written, &Stream::names())?)
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

/// The first wait before another attempt: a second of Graph's time, which `pace` speeds up.
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
