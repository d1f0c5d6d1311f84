//! `check`: what it found, in Airbyte's messages; in plain lines for people whose terminal is stdout.

use std::{
    io::{self, IsTerminal, Write},
    mem,
};

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::{
    config::{self, Author},
    exit::Exit,
    named::stream,
    prose::{lines, width},
    ready::runtime,
};
use crate::{
    cli::Check,
    emit::StopSignal,
    error::{Error, Fault},
    graph::Limits,
    protocol::airbyte::{self, Message},
    read::client,
    secrets::Secrets,
    streams::{Stream, StreamSet},
};

/// How a check is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    /// As sentences, for people.
    Sentences,
    /// As messages of the protocol.
    Messages,
}

impl Form {
    /// Sentences on a terminal.
    pub(super) fn of_stdout() -> Self {
        if io::stdout().is_terminal() { Self::Sentences } else { Self::Messages }
    }
}

/// What a check came to.
struct Found {
    lines: Vec<(Level, String)>,
    is_good: bool,
    sentence: String,
}

impl Found {
    /// Adds what else people should know: all of it in front, where it may be why, and what there is room for in the sentence.
    fn add(&mut self, remarks: Vec<String>) {
        self.sentence = crate::check::with_remarks(mem::take(&mut self.sentence), &remarks);
        self.lines.splice(..0, remarks.into_iter().map(|remark| (Level::WARN, remark)));
    }
}

pub(super) fn check(
    asked: &Check,
    level: LevelFilter,
    form: Form,
    secrets: &Secrets,
    out: &mut impl Write,
    stop: &StopSignal,
) -> io::Result<Exit> {
    let config = config::read(&asked.settings.config, Author::Anybody, secrets);
    let remarks = config.as_ref().map(|config| config.remarks.clone()).unwrap_or_default();
    let checked = config.and_then(|config| {
        let streams = streams(&asked.streams)?;
        let client = client(&config, Limits::brief(), secrets.clone())?;
        runtime()?.block_on(stop.unless_ended(crate::check::check(&client, &config, streams))).transpose()
    });
    let mut found = match checked {
        Ok(None) => return Ok(Exit::Stopped),
        Ok(Some(checkup)) => Found { lines: checkup.lines(), is_good: checkup.is_good(), sentence: checkup.sentence() },
        // The user's fault is a verdict; ours, or an outage, is none.
        Err(error) if error.fault() == Fault::User => failed(&error),
        Err(error) => {
            match form {
                Form::Sentences => writeln!(out, "{}", paragraph(&secrets.hide(&format!("no verdict: {error}"))))?,
                Form::Messages => airbyte::write_error(out, secrets, &error)?,
            }
            return Ok(Exit::Failed);
        }
    };
    found.add(remarks);
    found.lines.retain(|(of_line, _)| *of_line <= level);
    match form {
        Form::Sentences => tell(&found, secrets, out)?,
        Form::Messages => send(&found, secrets, out)?,
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// The streams that are checked: those that are selected by default, and those that are named.
fn streams(named: &[String]) -> Result<StreamSet, Error> {
    let named = named.iter().map(|name| stream(name.trim())).collect::<Result<StreamSet, _>>()?;
    Ok(Stream::defaults().collect::<StreamSet>().union(named))
}

fn failed(error: &Error) -> Found {
    let (sentence, whole) = (error.in_short(), error.to_string());
    let lines = if sentence == whole { Vec::new() } else { vec![(Level::ERROR, whole)] };
    Found { lines, is_good: false, sentence }
}

fn send(found: &Found, secrets: &Secrets, out: &mut impl Write) -> io::Result<()> {
    for (level, line) in &found.lines {
        airbyte::write(out, secrets, Message::log(*level, line))?;
    }
    let status = if found.is_good { Message::succeeded } else { Message::failed };
    airbyte::write(out, secrets, status(found.sentence.clone()))
}

fn tell(found: &Found, secrets: &Secrets, out: &mut impl Write) -> io::Result<()> {
    for (_, line) in &found.lines {
        writeln!(out, "{}", paragraph(&secrets.hide(line)))?;
    }
    let verdict = if found.is_good { "SUCCEEDED" } else { "FAILED" };
    writeln!(out, "\n{}", paragraph(&secrets.hide(&format!("{verdict}: {}", found.sentence))))
}

/// A text in lines as wide as the terminal.
fn paragraph(text: &str) -> String {
    lines(text, "", "  ", width())
}
