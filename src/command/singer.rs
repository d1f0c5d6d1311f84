//! The modes of a Singer tap.

use std::{
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use tracing::instrument::WithSubscriber;
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt};

use super::{Exit, client, config, runtime};
use crate::{
    cli::{AboutFormat, LogFormat, Singer, Test},
    config::Config,
    emit::Output,
    error::Error,
    files::read_json,
    log::Forward,
    protocol::singer::{self, About, Format, Log, SingerEmitter},
    streams::{Selected, StreamSet},
    sync,
};

/// What Meltano says about logs: a file with the configuration of Python's loggers.
const LOG_CONFIG: &str = "SINGER_SDK_LOG_CONFIG";

pub(super) fn run(asked: &Singer, debug: bool, mut out: impl Write + Send + 'static, stop: CancellationToken) -> io::Result<Exit> {
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
    let meltano = env::var_os(LOG_CONFIG).and_then(|path| read_json(Path::new(&path), "logging configuration").ok());
    let log = Arc::new(Log::new(format(asked.log_format, meltano.as_ref())));
    if asked.config.is_empty() {
        log.critical("--config is missing; see --help");
        return Ok(Exit::Usage);
    }
    match prepare(asked, &log) {
        Ok(prepared) => sync(prepared, asked.test, level(debug, meltano.as_ref()), log, out, stop),
        Err(error) => {
            log.critical(&error.to_string());
            Ok(Exit::Failed)
        }
    }
}

fn tell(out: &mut impl Write, text: &str) -> io::Result<Exit> {
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Exit::Done)
}

struct Prepared {
    config: Config,
    selected: Vec<Selected>,
    bookmarks: Map<String, Value>,
}

fn prepare(asked: &Singer, log: &Log) -> Result<Prepared, Error> {
    let config = config(&written_config(&asked.config)?)?;
    let selected = match asked.catalog.as_ref().or(asked.properties.as_ref()) {
        Some(path) if asked.test.is_none() => {
            let (selected, remarks) = singer::read_catalog(&read_json(path, "catalog")?)?;
            remarks.iter().for_each(|remark| log.line(tracing::Level::WARN, remark));
            selected
        }
        // Nothing is asked for: everything that the configuration allows.
        _ => {
            let all: StreamSet = singer::everything().map(|selected| selected.stream).collect();
            let lacking = sync::unconfigured(&config, all).map(|(streams, _)| streams).unwrap_or_default();
            singer::everything().filter(|selected| !lacking.contains(selected.stream)).collect()
        }
    };
    let bookmarks = match &asked.state {
        Some(path) => singer::read_state(&read_json(path, "state")?).map_err(|error| match error {
            Error::State(reason) => Error::File { what: "state", path: path.display().to_string(), reason },
            error => error,
        })?,
        None => Map::new(),
    };
    Ok(Prepared { config, selected, bookmarks })
}

/// The settings of all files; a later one wins. `ENV` stands for the environment, which wins over files.
fn written_config(paths: &[PathBuf]) -> Result<Value, Error> {
    let mut settings = Map::new();
    let mut from_environment = false;
    for path in paths {
        if path.as_os_str() == "ENV" {
            from_environment = true;
            continue;
        }
        match read_json(path, "configuration")? {
            Value::Object(written) => settings.extend(written),
            _ => {
                return Err(Error::File {
                    what: "configuration",
                    path: path.display().to_string(),
                    reason: "it is not a JSON object".to_owned(),
                });
            }
        }
    }
    if from_environment {
        settings.extend(singer::settings_of_environment(|name| env::var(name).ok()));
    }
    Ok(Value::Object(settings))
}

fn sync(
    prepared: Prepared,
    test: Option<Test>,
    level: LevelFilter,
    log: Arc<Log>,
    out: impl Write + Send + 'static,
    stop: CancellationToken,
) -> io::Result<Exit> {
    let Prepared { config, selected, bookmarks } = prepared;
    let mut emitter = SingerEmitter::new(out, log.clone(), &selected, bookmarks);
    if test == Some(Test::Schema) {
        emitter.schemas()?;
        return Ok(Exit::Done);
    }
    let enough = stop.child_token();
    if test.is_some() {
        emitter = emitter.sampling(enough.clone());
    }
    // Signed in before the first line: where that fails, nothing is said to the target.
    let signed_in = client(&config).and_then(|client| {
        let runtime = runtime()?;
        runtime.block_on(client.sign_in()).map_err(|error| Error::graph("sign in", error, &[]))?;
        Ok((client, runtime))
    });
    let (client, runtime) = match signed_in {
        Ok(ready) => ready,
        Err(error) => {
            log.critical(&error.to_string());
            return Ok(Exit::Failed);
        }
    };
    let (output, writer) = Output::start(Box::new(emitter))?;
    let lines = log.clone();
    let subscriber = tracing_subscriber::registry().with(level).with(Forward(move |level, sentence: String| lines.line(level, &sentence)));
    let summary = runtime.block_on(sync::run(client, &config, selected, output, enough).with_subscriber(subscriber));
    drop(runtime);
    writer.join()?;
    let sampled = test.is_some() && summary.stopped && !stop.is_cancelled();
    Ok(if sampled { Exit::Done } else { Exit::from(&summary) })
}

/// JSON where it is asked for, or where Meltano's configuration names its structured formatter.
fn format(asked: Option<LogFormat>, meltano: Option<&Value>) -> Format {
    match asked {
        Some(LogFormat::Json) => Format::Json,
        Some(LogFormat::Text) => Format::Text,
        None if meltano.is_some_and(|config| config.to_string().contains("StructuredFormatter")) => Format::Json,
        None => Format::Text,
    }
}

/// `--debug`, else Meltano's root level, else the variables of the SDK.
fn level(debug: bool, meltano: Option<&Value>) -> LevelFilter {
    if debug {
        return LevelFilter::DEBUG;
    }
    let named = meltano.and_then(|config| config["root"]["level"].as_str().map(str::to_owned));
    let named = named.or_else(|| env::var("TAP_MICROSOFT_TEAMS_LOGLEVEL").ok()).or_else(|| env::var("LOGLEVEL").ok());
    match named.unwrap_or_default().to_uppercase().as_str() {
        "DEBUG" => LevelFilter::DEBUG,
        "WARNING" | "WARN" => LevelFilter::WARN,
        "ERROR" | "CRITICAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}
