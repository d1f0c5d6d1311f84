//! `extract`: the records of one stream, for people who want to look at them.

use std::{
    io::{self, Write},
    sync::Arc,
};

use serde_json::Map;

use super::{
    config::{self, Author},
    exit::Exit,
    logging::{self, Wanted},
    named::stream,
    ready::Ready,
};
use crate::{
    cli::Extract,
    config::{Config, set_options},
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

pub(super) fn run(asked: &Extract, wanted: &Wanted, out: impl Write + Send + 'static, stop: StopSignal) -> io::Result<Exit> {
    let level = wanted.level([]);
    let screen = wanted.screen(level);
    let log = Arc::new(Log::new(logging::plain(&screen), level, wanted.secrets.clone(), screen.log()));
    let ready = match prepare(asked, &wanted.secrets) {
        Ok(ready) => ready,
        Err(error) => {
            log.critical(&error.to_string());
            return Ok(Exit::Failed);
        }
    };
    let emitter = Box::new(LineEmitter::new(out, log.clone()));
    let say = |_: &Output| move |level, sentence: String| log.line(level, &sentence);
    Ok(Exit::from(&ready.sync(emitter, level, &screen, say, stop)?))
}

fn prepare(asked: &Extract, secrets: &Secrets) -> Result<Ready, Error> {
    let stream = stream(&asked.stream)?;
    let (config, remarks) = configuration(asked, stream, secrets)?;
    let selected = vec![stream.whole(Mode::FullRefresh)];
    let states = states(&StoredStates::new(), &selected, &config)?;
    Ready::new(config, selected, states, remarks, secrets)
}

/// The flags that are none of parents, with the options that they set.
const OTHERS: [(&str, &str); 2] = [("--exclude", "exclude"), ("--since", "start_date")];

/// What is written, what the command line says before it, and all parents where neither names some; and what people should know about it.
fn configuration(asked: &Extract, stream: &'static Stream, secrets: &Secrets) -> Result<(Config, Vec<String>), Error> {
    let mut written = config::written(&asked.settings.config, Author::Operator, secrets)?;
    // What is put in front would hide what is wrong.
    config::parse(written.clone())?;
    let (mut options, mut remarks) = (Map::new(), Vec::new());
    let does_nothing = |flag: &str| format!("`{flag}` does nothing: the stream {} takes no such option", stream.name);
    match &asked.since {
        Some(_) if stream.cursor.is_none() => remarks.push(does_nothing("--since")),
        since => options.extend(since.iter().map(|since| ("start_date".to_owned(), since.as_str().into()))),
    }
    options.extend(asked.exclude.iter().map(|ids| ("exclude".to_owned(), ids.as_str().into())));
    for (level, ids) in &asked.parents.0 {
        if stream.is_below(level) {
            options.insert(level.id.to_owned(), ids.as_str().into());
            options.insert(level.all.to_owned(), false.into());
        } else {
            remarks.push(does_nothing(&flag(level)));
        }
    }
    set_options(&mut written, stream.name, options);
    let config = config::parse(written.clone()).map_err(|error| by_flags(error, stream))?;
    let open = stream.path().into_iter().filter(|level| !config.stream(stream).parents(level).are_known());
    set_options(&mut written, stream.name, open.map(|level| (level.all.to_owned(), true.into())).collect());
    Ok((config::parse(written)?, remarks))
}

/// The flag that names parents of a level.
fn flag(level: &Level) -> String {
    format!("--{}", level.name)
}

/// An error about the command line, which says its flags: what was written without them is known to be right.
fn by_flags(mut error: Error, stream: &Stream) -> Error {
    if let Error::Config(config) = &mut error {
        for problem in &mut config.problems {
            let option = problem.option.strip_prefix(&format!("stream_options.{}.", stream.name)).unwrap_or_default();
            let of_levels = LEVELS.iter().map(|level| (flag(level), level.id));
            let others = OTHERS.map(|(flag, name)| (flag.to_owned(), name));
            if let Some((flag, _)) = of_levels.chain(others).find(|(_, name)| *name == option) {
                problem.option = flag;
            }
        }
    }
    error
}
