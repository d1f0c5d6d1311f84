//! The commands: each wires the layers for what was asked and says how the process shall end.

mod airbyte;
mod check;
mod config;
mod extract;
mod logging;
mod plan;
mod prose;
mod singer;

use std::{
    io::{self, ErrorKind, Write},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Mutex, PoisonError},
    thread,
};

use tokio::runtime::Runtime;
use tracing::{Level, instrument::WithSubscriber, warn};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    cli::{Airbyte, Cli, Command, SampleFormat},
    config::{Config, sample_environment, sample_json},
    emit::{Emitter, Output, StopSignal},
    error::Error,
    graph::{GraphClient, Limits},
    secrets::Secrets,
    stdio::check_stdout,
    streams::Selected,
    sync::{self, States, Summary, client, states},
    watch::Screen,
};
use logging::Wanted;

/// Threads that read, beside the one that writes. Two keep up with far more than Graph lets through; more would only hold more memory.
const WORKERS: usize = 2;

/// Threads beside those: the one that writes, and one that looks names up.
const OTHERS: usize = 2;

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
        Some(Command::SampleConfig { format }) => tell(&mut out, &sample(*format)),
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

/// Writes a text, and that is all.
fn tell(out: &mut impl Write, text: &str) -> io::Result<Exit> {
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Exit::Done)
}

fn sample(format: SampleFormat) -> String {
    match format {
        SampleFormat::Json => sample_json(),
        SampleFormat::Env => sample_environment(),
    }
}

/// What a sync is made of, all of it known to be usable.
struct Ready {
    client: GraphClient,
    config: Config,
    selected: Vec<Selected>,
    /// The states that they begin with.
    states: States,
    /// What people should know before it begins.
    remarks: Vec<String>,
    runtime: Runtime,
}

impl Ready {
    /// `remarks` are of the catalog and the state.
    fn new(config: Config, selected: Vec<Selected>, states: States, remarks: Vec<String>, secrets: &Secrets) -> Result<Self, Error> {
        let remarks = [config.remarks.clone(), remarks].concat();
        let client = client(&config, Limits::default(), secrets.clone())?;
        Ok(Self { client, config, selected, states, remarks, runtime: runtime()? })
    }

    /// Runs the sync, and the thread that writes, to the end of both. `say` takes what is said to people meanwhile, and the screen shows them
    /// how far it is.
    fn sync<S: Fn(Level, String) + Send + Sync + 'static>(
        self,
        emitter: Box<dyn Emitter>,
        level: LevelFilter,
        screen: &Screen,
        say: impl FnOnce(&Output) -> S,
        stop: StopSignal,
    ) -> io::Result<Summary> {
        let Self { client, config, selected, states, remarks, runtime } = self;
        let (output, writer) = Output::start(emitter, states.of_selected.clone(), stop)?;
        let log = logging::subscriber(level, say(&output));
        let (progress, counting, spacing) = (output.progress().clone(), client.clone(), client.channel_spacing());
        let figures = move || progress.figures(counting.counts());
        let mut watch = screen.watch(&figures, spacing);
        let sync = async {
            say_all(&remarks);
            sync::run(client, &config, selected, states, output).await
        };
        let summary = catch_unwind(AssertUnwindSafe(|| runtime.block_on(watch.during(sync).with_subscriber(log))));
        drop(watch);
        // Whatever still runs holds the way to the writer, which must have ended before anything else is said.
        drop(runtime);
        let written = writer.join()?;
        let mut summary = summary.unwrap_or_else(|panic| resume_unwind(panic));
        // All may have been read when the run was stopped, and not have been written.
        summary.stopped |= !written.cut.is_empty();
        if summary.figures.is_some() {
            screen.end(&figures());
        }
        Ok(summary)
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

/// What people should know, in the log.
fn say_all(remarks: &[String]) {
    remarks.iter().for_each(|remark| warn!("{remark}"));
}

fn runtime() -> Result<Runtime, Error> {
    let machine = |error: io::Error| Error::Machine(format!("cannot start threads: {error}"));
    try_threads().map_err(machine)?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().map_err(machine)
}

/// Whether the machine gives as many threads as a run takes. Without one of them the runtime would panic, or wait for ever.
fn try_threads() -> io::Result<()> {
    let gate = Mutex::new(());
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        let pass = || drop(gate.lock());
        let started: io::Result<Vec<_>> = (0..WORKERS + OTHERS).map(|_| thread::Builder::new().spawn_scoped(scope, pass)).collect();
        drop(closed);
        started.map(drop)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_form_of_a_configuration_or_a_client_shows_the_secret() {
        let written = json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "hidden-5ecret"});
        let config = config::parse(written.as_object().unwrap().clone()).unwrap();
        let client = client(&config, Limits::default(), Secrets::default()).unwrap();
        let shown = format!("{config:?}{config:#?}{client:?}{client:#?}");
        assert!(shown.contains("GraphClient") && !shown.contains("hidden-5ecret"), "{shown}");
    }
}
