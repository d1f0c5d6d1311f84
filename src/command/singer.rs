//! The modes of a Singer tap.

use std::{
    env,
    io::{self, Write},
    mem,
    path::Path,
    sync::Arc,
};

use tracing::instrument::WithSubscriber;

use super::{
    config::{self, Trust},
    exit::{Exit, print},
    files::{in_file, read_json, read_state},
    logging::{self, LogOptions, variable},
    prepared::{PreparedSync, log_warnings},
};
use crate::{
    cli::{AboutFormat, LogFormat, Singer, Test},
    config::Config,
    console::{Format, Log, Terminal},
    emit::{Output, StopSignal},
    error::Error,
    protocol::singer::{self, About, Bookmarks, SingerEmitter},
    read::{states, unconfigured},
    secrets::Secrets,
    state::StoredStates,
    streams::{Selected, StreamSet},
};

/// The variable in which Meltano passes the path of a Python logging configuration.
const LOG_CONFIG: &str = "SINGER_SDK_LOG_CONFIG";

pub(super) fn run(args: &Singer, options: &LogOptions, mut out: impl Write + Send + 'static, stop: StopSignal) -> io::Result<Exit> {
    if args.about {
        let form = match args.format {
            AboutFormat::Text => About::Text,
            AboutFormat::Json => About::Json,
            AboutFormat::Markdown => About::Markdown,
        };
        return print(&mut out, &singer::about(form));
    }
    if args.discover {
        // The schemas do not depend on the configuration. The output is indented because some readers limit the length of a line.
        return print(&mut out, &format!("{:#}\n", singer::catalog()));
    }
    let (screen, log) = log(args, options);
    let log = Arc::new(log);
    if args.config.is_empty() {
        log.critical("--config is missing; see --help");
        return Ok(Exit::Usage);
    }
    match prepare(args, &options.secrets) {
        Ok((bookmarks, prepared)) => sync(prepared, bookmarks, args.test, (&screen, log), out, stop),
        Err(error) => {
            log.critical(&error.to_string());
            Ok(Exit::Failure)
        }
    }
}

/// Logs an error and ends the command.
pub(super) fn fail(args: &Singer, options: &LogOptions, error: &Error) -> Exit {
    log(args, options).1.critical(&error.to_string());
    Exit::Failure
}

fn prepare(args: &Singer, secrets: &Secrets) -> Result<(Bookmarks, PreparedSync), Error> {
    let config = config::read(&args.config, Trust::Operator, secrets)?;
    let (selected, mut warnings) = match args.catalog.as_ref().or(args.properties.as_ref()) {
        Some(path) if args.test.is_none() => singer::read_catalog(&read_json(path, "catalog")?).map_err(in_file(path, "catalog"))?,
        _ => (allowed(&config), Vec::new()),
    };
    let (bookmarks, states) = match &args.state {
        Some(path) => read_state(path, |written| {
            let (previous, more) = singer::read_state(written.ok_or_else(|| Error::State("it is empty".to_owned()))?)?;
            warnings.extend(more);
            let states = states(&previous, &selected, &config)?;
            Ok((Bookmarks::new(previous, states.known()), states))
        })?,
        None => (Bookmarks::default(), states(&StoredStates::new(), &selected, &config)?),
    };
    Ok((bookmarks, PreparedSync::new(config, selected, states, warnings, secrets)?))
}

/// The streams that are read without a catalog: all default streams that the configuration allows.
pub(super) fn allowed(config: &Config) -> Vec<Selected> {
    let all: StreamSet = singer::default_streams().map(|selected| selected.stream).collect();
    let unconfigured = unconfigured(config, all).map(|(streams, _)| streams).unwrap_or_default();
    singer::default_streams().filter(|selected| !unconfigured.contains(selected.stream)).collect()
}

fn sync(
    mut prepared: PreparedSync,
    bookmarks: Bookmarks,
    test: Option<Test>,
    (screen, log): (&Terminal, Arc<Log>),
    out: impl Write + Send + 'static,
    stop: StopSignal,
) -> io::Result<Exit> {
    let mut emitter = SingerEmitter::new(out, log.clone(), &prepared.selected, bookmarks);
    if test == Some(Test::Schema) {
        emitter.schemas()?;
        return Ok(Exit::Success);
    }
    let sampling_stop = stop.child();
    if test.is_some() {
        emitter = emitter.sampling(sampling_stop.clone());
    }
    // Sign in before the first message: if it fails, the target receives nothing. The warnings come first, since they may explain a failure.
    let warnings = mem::take(&mut prepared.warnings);
    let lines = log.clone();
    let subscriber = logging::subscriber(log.level(), move |level, message: String| lines.line(level, &message));
    let sign_in = async {
        log_warnings(&warnings);
        prepared.client.sign_in().await
    };
    let sign_in = stop.run_until_stopped(sign_in.with_subscriber(subscriber));
    match prepared.runtime.block_on(sign_in) {
        None => return Ok(Exit::Stopped),
        Some(Err(error)) => {
            log.critical(&Error::graph("sign in", error, &[]).to_string());
            return Ok(Exit::Failure);
        }
        Some(Ok(())) => {}
    }
    let level = log.level();
    let write_log = |_: &Output| move |level, message: String| log.line(level, &message);
    let summary = prepared.sync(Box::new(emitter), level, screen, write_log, sampling_stop)?;
    let is_sampled = test.is_some() && summary.stopped && !stop.has_stopped_requests();
    Ok(if is_sampled { Exit::Success } else { Exit::from(&summary) })
}

/// The log on stderr, configured by the command line, Meltano's logging configuration, or the environment variables of the Singer SDK.
fn log(args: &Singer, options: &LogOptions) -> (Terminal, Log) {
    let meltano = env::var_os(LOG_CONFIG).and_then(|path| read_json(Path::new(&path), "logging configuration").ok());
    let root = meltano.as_ref().and_then(|config| config["root"]["level"].as_str().map(str::to_owned));
    let level = options.level([root, variable("TAP_MICROSOFT_TEAMS_LOGLEVEL"), variable("LOGLEVEL")]);
    let is_json = match args.log_format {
        Some(format) => matches!(format, LogFormat::Json),
        // Meltano's configuration contains its structured formatter.
        None => meltano.is_some_and(|config| config.to_string().contains("StructuredFormatter")),
    };
    // Progress bars would break lines that a program reads.
    let screen = if is_json { Terminal::default() } else { options.screen(level) };
    let format = if is_json { Format::Json } else { logging::plain_format(&screen) };
    let log = Log::new(format, level, options.secrets.clone(), screen.log());
    (screen, log)
}
