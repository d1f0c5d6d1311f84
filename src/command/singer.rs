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
    config::{self, Author},
    exit::{Exit, tell},
    files::{in_file, read_json, read_state},
    logging::{self, Wanted, variable},
    ready::{Ready, say_all},
};
use crate::{
    cli::{AboutFormat, LogFormat, Singer, Test},
    config::Config,
    console::{Format, Log, Screen},
    emit::{Output, StopSignal},
    error::Error,
    protocol::singer::{self, About, Bookmarks, SingerEmitter},
    read::{states, unconfigured},
    secrets::Secrets,
    state::StoredStates,
    streams::{Selected, StreamSet},
};

/// What Meltano says about logs: a file with the configuration of Python's loggers.
const LOG_CONFIG: &str = "SINGER_SDK_LOG_CONFIG";

pub(super) fn run(asked: &Singer, wanted: &Wanted, mut out: impl Write + Send + 'static, stop: StopSignal) -> io::Result<Exit> {
    if asked.about {
        let form = match asked.format {
            AboutFormat::Text => About::Text,
            AboutFormat::Json => About::Json,
            AboutFormat::Markdown => About::Markdown,
        };
        return tell(&mut out, &singer::about(form));
    }
    if asked.discover {
        // The schemas do not depend on the configuration: no need to read it. In lines, since readers have limits for one.
        return tell(&mut out, &format!("{:#}\n", singer::catalog()));
    }
    let (screen, log) = log(asked, wanted);
    let log = Arc::new(log);
    if asked.config.is_empty() {
        log.critical("--config is missing; see --help");
        return Ok(Exit::Usage);
    }
    match prepare(asked, &wanted.secrets) {
        Ok((bookmarks, ready)) => sync(ready, bookmarks, asked.test, (&screen, log), out, stop),
        Err(error) => {
            log.critical(&error.to_string());
            Ok(Exit::Failed)
        }
    }
}

/// Says why nothing was done, or nothing more.
pub(super) fn fail(asked: &Singer, wanted: &Wanted, error: &Error) -> Exit {
    log(asked, wanted).1.critical(&error.to_string());
    Exit::Failed
}

/// What a sync is made of, and the bookmarks that it was given.
fn prepare(asked: &Singer, secrets: &Secrets) -> Result<(Bookmarks, Ready), Error> {
    let config = config::read(&asked.config, Author::Operator, secrets)?;
    let (selected, mut remarks) = match asked.catalog.as_ref().or(asked.properties.as_ref()) {
        Some(path) if asked.test.is_none() => singer::read_catalog(&read_json(path, "catalog")?).map_err(in_file(path, "catalog"))?,
        _ => (allowed(&config), Vec::new()),
    };
    let (bookmarks, states) = match &asked.state {
        Some(path) => read_state(path, |written| {
            let (given, more) = singer::read_state(written.ok_or_else(|| Error::State("it is empty".to_owned()))?)?;
            remarks.extend(more);
            let states = states(&given, &selected, &config)?;
            Ok((Bookmarks::new(given, states.known()), states))
        })?,
        None => (Bookmarks::default(), states(&StoredStates::new(), &selected, &config)?),
    };
    Ok((bookmarks, Ready::new(config, selected, states, remarks, secrets)?))
}

/// What is read where nothing is asked for: everything that the configuration allows.
pub(super) fn allowed(config: &Config) -> Vec<Selected> {
    let all: StreamSet = singer::everything().map(|selected| selected.stream).collect();
    let lacking = unconfigured(config, all).map(|(streams, _)| streams).unwrap_or_default();
    singer::everything().filter(|selected| !lacking.contains(selected.stream)).collect()
}

fn sync(
    mut ready: Ready,
    bookmarks: Bookmarks,
    test: Option<Test>,
    (screen, log): (&Screen, Arc<Log>),
    out: impl Write + Send + 'static,
    stop: StopSignal,
) -> io::Result<Exit> {
    let mut emitter = SingerEmitter::new(out, log.clone(), &ready.selected, bookmarks);
    if test == Some(Test::Schema) {
        emitter.schemas()?;
        return Ok(Exit::Done);
    }
    let enough = stop.child();
    if test.is_some() {
        emitter = emitter.sampling(enough.clone());
    }
    // Signed in before the first line: where that fails, nothing is said to the target. What was remarked may be why.
    let remarks = mem::take(&mut ready.remarks);
    let lines = log.clone();
    let subscriber = logging::subscriber(log.level(), move |level, sentence: String| lines.line(level, &sentence));
    let sign_in = async {
        say_all(&remarks);
        ready.client.sign_in().await
    };
    let sign_in = stop.unless_ended(sign_in.with_subscriber(subscriber));
    match ready.runtime.block_on(sign_in) {
        None => return Ok(Exit::Stopped),
        Some(Err(error)) => {
            log.critical(&Error::graph("sign in", error, &[]).to_string());
            return Ok(Exit::Failed);
        }
        Some(Ok(())) => {}
    }
    let level = log.level();
    let say = |_: &Output| move |level, sentence: String| log.line(level, &sentence);
    let summary = ready.sync(Box::new(emitter), level, screen, say, enough)?;
    let sampled = test.is_some() && summary.stopped && !stop.has_ended_asking();
    Ok(if sampled { Exit::Done } else { Exit::from(&summary) })
}

/// The way to stderr, as the command line, Meltano's root level and the variables of the SDK want it.
fn log(asked: &Singer, wanted: &Wanted) -> (Screen, Log) {
    let meltano = env::var_os(LOG_CONFIG).and_then(|path| read_json(Path::new(&path), "logging configuration").ok());
    let root = meltano.as_ref().and_then(|config| config["root"]["level"].as_str().map(str::to_owned));
    let level = wanted.level([root, variable("TAP_MICROSOFT_TEAMS_LOGLEVEL"), variable("LOGLEVEL")]);
    let is_json = match asked.log_format {
        Some(format) => matches!(format, LogFormat::Json),
        // Where Meltano's configuration names its structured formatter.
        None => meltano.is_some_and(|config| config.to_string().contains("StructuredFormatter")),
    };
    // Bars would tear lines that a program reads.
    let screen = if is_json { Screen::default() } else { wanted.screen(level) };
    let format = if is_json { Format::Json } else { logging::plain(&screen) };
    let log = Log::new(format, level, wanted.secrets.clone(), screen.log());
    (screen, log)
}
