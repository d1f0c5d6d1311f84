//! `extract`: writes the records of one stream as lines of JSON, for users who want to look at them.

use std::{
    io::{self, Write},
    sync::Arc,
};

use serde_json::Map;

use super::{
    config::{self, Trust},
    exit::Exit,
    logging::{self, LogOptions},
    prepared::PreparedSync,
    stream_name,
};
use crate::{
    cli::Extract,
    config::{Config, set_stream_options},
    console::Log,
    emit::{Output, StopSignal},
    error::Error,
    level::{LEVELS, Level},
    protocol::lines::LineEmitter,
    read::states,
    secrets::Secrets,
    state::StoredStates,
    streams::{Mode, Stream},
};

pub(super) fn run(args: &Extract, options: &LogOptions, out: impl Write + Send + 'static, stop: StopSignal) -> io::Result<Exit> {
    let level = options.level([]);
    let screen = options.screen(level);
    let log = Arc::new(Log::new(logging::plain_format(&screen), level, options.secrets.clone(), screen.log()));
    let prepared = match prepare(args, &options.secrets) {
        Ok(prepared) => prepared,
        Err(error) => {
            log.critical(&error.to_string());
            return Ok(Exit::Failure);
        }
    };
    let emitter = Box::new(LineEmitter::new(out, log.clone()));
    let write_log = |_: &Output| move |level, message: String| log.line(level, &message);
    Ok(Exit::from(&prepared.sync(emitter, level, &screen, write_log, stop)?))
}

fn prepare(args: &Extract, secrets: &Secrets) -> Result<PreparedSync, Error> {
    let stream = stream_name::parse(&args.stream)?;
    let (config, warnings) = configuration(args, stream, secrets)?;
    let selected = vec![stream.whole(Mode::FullRefresh)];
    let states = states(&StoredStates::new(), &selected, &config)?;
    PreparedSync::new(config, selected, states, warnings, secrets)
}

/// The flags that do not select parents, with the options that they set.
const OTHER_FLAGS: [(&str, &str); 2] = [("--exclude", "exclude"), ("--since", "start_date")];

/// Merges the configuration with the flags, which override it. If neither selects the parents of a level, all are read.
/// Also returns warnings about flags without effect.
fn configuration(args: &Extract, stream: &'static Stream, secrets: &Secrets) -> Result<(Config, Vec<String>), Error> {
    let paths = &args.config.config;
    let mut settings = config::read_settings(paths, Trust::Operator, secrets)?;
    // The flags could hide invalid options.
    config::parse(settings.clone()).map_err(|error| config::suggest_environment(error, paths))?;
    let (mut options, mut warnings) = (Map::new(), Vec::new());
    let no_effect = |flag: &str| format!("`{flag}` has no effect: the stream {} does not support it", stream.name);
    match &args.since {
        Some(_) if stream.cursor.is_none() => warnings.push(no_effect("--since")),
        since => options.extend(since.iter().map(|since| ("start_date".to_owned(), since.as_str().into()))),
    }
    options.extend(args.exclude.iter().map(|ids| ("exclude".to_owned(), ids.as_str().into())));
    for (level, ids) in &args.parents.0 {
        if stream.is_below(level) {
            options.insert(level.id.to_owned(), ids.as_str().into());
            options.insert(level.all.to_owned(), false.into());
        } else {
            warnings.push(no_effect(&flag(level)));
        }
    }
    set_stream_options(&mut settings, stream.name, options);
    let config = config::parse(settings.clone()).map_err(|error| with_flag_names(error, stream))?;
    let open = stream.path().into_iter().filter(|level| !config.stream(stream).parents(level).are_known());
    set_stream_options(&mut settings, stream.name, open.map(|level| (level.all.to_owned(), true.into())).collect());
    Ok((config::parse(settings)?, warnings))
}

/// The flag that selects parents of a level.
fn flag(level: &Level) -> String {
    format!("--{}", level.name)
}

/// Replaces option names by flags. The configuration without the flags is valid, so that the flags cause the error.
fn with_flag_names(mut error: Error, stream: &Stream) -> Error {
    if let Error::Config(config) = &mut error {
        for problem in &mut config.problems {
            let option = problem.option.strip_prefix(&format!("stream_options.{}.", stream.name)).unwrap_or_default();
            let level_flags = LEVELS.iter().map(|level| (flag(level), level.id));
            let other_flags = OTHER_FLAGS.map(|(flag, name)| (flag.to_owned(), name));
            if let Some((flag, _)) = level_flags.chain(other_flags).find(|(_, name)| *name == option) {
                problem.option = flag;
            }
        }
    }
    error
}
