//! `check`: a report on a terminal, Airbyte messages elsewhere.

mod terminal;

use std::io::{self, IsTerminal, Write};

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::{
    config::{self, Trust},
    exit::Exit,
    prepared::runtime,
    stream_name,
};
use crate::{
    check::{Checkup, Problem, Report, Status},
    cli::Check,
    emit::StopSignal,
    error::{Error, Fault},
    graph::Limits,
    protocol::airbyte::{self, Message},
    read::client,
    secrets::Secrets,
    streams::{Stream, StreamSet},
};

/// The form of the output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Form {
    Terminal,
    Messages,
}

impl Form {
    pub(super) fn for_stdout() -> Self {
        if io::stdout().is_terminal() { Self::Terminal } else { Self::Messages }
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
    let config = config::read(&asked.config.config, Trust::Untrusted, secrets);
    let remarks = config.as_ref().map(|config| config.warnings.clone()).unwrap_or_default();
    let checked = config.and_then(|config| {
        let streams = streams(&asked.streams)?;
        let client = client(&config, Limits::interactive(), secrets.clone())?;
        runtime()?.block_on(stop.run_until_stopped(crate::check::check(&client, &config, streams))).transpose()
    });
    let result = match checked {
        Ok(None) => return Ok(Exit::Stopped),
        Ok(Some(checkup)) => Ok(checkup),
        Err(error) => Err(error),
    };
    match form {
        Form::Terminal => terminal::write(&report(&result, remarks), level, secrets, out)?,
        Form::Messages => write_messages(&result, &remarks, level, secrets, out)?,
    }
    out.flush()?;
    Ok(match result {
        Ok(checkup) if asked.strict && !checkup.is_flawless() => Exit::Failure,
        Ok(_) => Exit::Success,
        // An error that the user can fix is a verdict on the configuration; any other is a failure of the check itself.
        Err(error) if error.fault() == Fault::User && !asked.strict => Exit::Success,
        Err(_) => Exit::Failure,
    })
}

/// The streams to check: those that are selected by default, and those named on the command line.
fn streams(named: &[String]) -> Result<StreamSet, Error> {
    let named = named.iter().map(|name| stream_name::parse(name.trim())).collect::<Result<StreamSet, _>>()?;
    Ok(Stream::defaults().collect::<StreamSet>().union(named))
}

fn report(result: &Result<Checkup, Error>, remarks: Vec<String>) -> Report {
    let mut report = match result {
        Ok(checkup) => checkup.report(),
        Err(error) => Report { streams: Vec::new(), problems: vec![Problem::from_error(error)] },
    };
    report.problems.extend(remarks.iter().map(|remark| Problem::from_message(Status::Partly, remark)));
    report
}

fn write_messages(
    result: &Result<Checkup, Error>,
    remarks: &[String],
    level: LevelFilter,
    secrets: &Secrets,
    out: &mut impl Write,
) -> io::Result<()> {
    let (lines, is_good, sentence) = match result {
        Ok(checkup) => (checkup.lines(), checkup.is_good(), checkup.sentence()),
        Err(error) if error.fault() == Fault::User => {
            let (short, full) = (error.for_dialog(), error.to_string());
            (if short == full { Vec::new() } else { vec![(Level::ERROR, full)] }, false, short)
        }
        Err(error) => return airbyte::write_error(out, secrets, error),
    };
    // Remarks come first: they may explain what follows.
    let lines = remarks.iter().map(|remark| (Level::WARN, remark.clone())).chain(lines);
    for (line_level, line) in lines.filter(|(line_level, _)| *line_level <= level) {
        airbyte::write(out, secrets, Message::log(line_level, &line))?;
    }
    let status = if is_good { Message::succeeded } else { Message::failed };
    airbyte::write(out, secrets, status(crate::check::with_remarks(sentence, remarks)))
}
