//! The commands: each wires the layers for what was asked and says how the process shall end.

mod airbyte;
mod check;
mod config;
mod exit;
mod extract;
mod files;
mod logging;
mod named;
mod plan;
mod prose;
mod ready;
mod singer;

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
use exit::tell;
use logging::Wanted;

/// Does what was asked and writes to `out`; ends early when `stop` says so. A panic is told as an error of the protocol.
///
/// # Errors
/// If the output cannot be written.
pub fn run(cli: &Cli, out: impl Write + Clone + Send + 'static, stop: StopSignal) -> io::Result<Exit> {
    let mut spare = out.clone();
    let (mut out, wanted) = (out, Wanted::of(cli));
    let log = wanted.clone();
    let work = || match &cli.command {
        _ if writes_records(cli)
            && let Err(error) = check_stdout() =>
        {
            Err(error)
        }
        Some(Command::Airbyte(verb)) => airbyte::run(verb, log, out, stop),
        Some(Command::SampleConfig) => tell(&mut out, &sample_json()),
        Some(Command::Extract(asked)) => extract::run(asked, &log, out, stop),
        Some(Command::Plan(asked)) => plan::run(asked, &log, out, &stop),
        None => singer::run(&cli.singer, &log, out, stop),
    };
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| match &cli.command {
        Some(Command::Airbyte(_)) => airbyte::fail(&mut spare, &wanted.secrets, &Error::panicked()),
        _ => Ok(singer::fail(&cli.singer, &wanted, &Error::panicked())),
    });
    match result {
        // Airbyte's errors go the way that is not open any more; the log has one of its own. A reader that has gone needs no words.
        Err(error) if !matches!(cli.command, Some(Command::Airbyte(_))) && error.kind() != ErrorKind::BrokenPipe => {
            Ok(singer::fail(&cli.singer, &wanted, &error.into()))
        }
        result => result,
    }
}

/// Whether records are what the command is for.
fn writes_records(cli: &Cli) -> bool {
    match &cli.command {
        Some(command) => matches!(command, Command::Airbyte(Airbyte::Read { .. }) | Command::Extract(_)),
        None => !cli.singer.about && !cli.singer.discover && cli.singer.test.is_none(),
    }
}
