//! The commands. Each connects the layers below and decides how the process exits.

mod airbyte;
mod check;
mod config;
mod exit;
mod extract;
mod files;
mod logging;
mod plan;
mod prepared;
mod schema;
mod singer;
mod stream_name;
mod terminal_text;

use std::{
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    cli::{Airbyte, Cli, Command},
    config::sample_json,
    emit::StopSignal,
    error::Error,
    stdio::check_stdout,
};
pub use exit::Exit;
use exit::print;
use logging::LogOptions;

/// Runs the command and writes its output to `out`, until `stop` is set. A panic is reported as an error of the protocol.
///
/// # Errors
/// If the output cannot be written.
pub fn run(cli: &Cli, out: impl Write + Clone + Send + 'static, stop: StopSignal) -> io::Result<Exit> {
    let mut spare = out.clone();
    let (mut out, options) = (out, LogOptions::new(cli));
    let log = options.clone();
    let work = || match &cli.command {
        _ if writes_records(cli)
            && let Err(error) = check_stdout() =>
        {
            Err(error)
        }
        Some(Command::Airbyte(command)) => airbyte::run(command, log, out, stop),
        Some(Command::SampleConfig) => print(&mut out, &sample_json()),
        Some(Command::Extract(args)) => extract::run(args, &log, out, stop),
        Some(Command::Plan(args)) => plan::run(args, &log, out, &stop),
        Some(Command::Schema(args)) => schema::run(args, &log, out),
        None => singer::run(&cli.singer, &log, out, stop),
    };
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| match &cli.command {
        Some(Command::Airbyte(_)) => airbyte::fail(&mut spare, &options.secrets, &Error::panicked()),
        _ => Ok(singer::fail(&cli.singer, &options, &Error::panicked())),
    });
    match result {
        // stdout, which carries Airbyte's errors, cannot be written; the log of the other commands is on stderr. A reader that closed the
        // pipe needs no message.
        Err(error) if !matches!(cli.command, Some(Command::Airbyte(_))) && error.kind() != ErrorKind::BrokenPipe => {
            Ok(singer::fail(&cli.singer, &options, &error.into()))
        }
        result => result,
    }
}

fn writes_records(cli: &Cli) -> bool {
    match &cli.command {
        Some(command) => matches!(command, Command::Airbyte(Airbyte::Read { .. }) | Command::Extract(_)),
        None => !cli.singer.about && !cli.singer.discover && cli.singer.test.is_none(),
    }
}
