//! A sync that is ready to run: what it is made of, all of it known to be usable.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Mutex, PoisonError},
    thread,
};

use tokio::runtime::Runtime;
use tracing::{Level, instrument::WithSubscriber, warn};
use tracing_subscriber::filter::LevelFilter;

use super::logging;
use crate::{
    config::Config,
    console::Screen,
    emit::{Emitter, Output, StopSignal},
    error::Error,
    graph::{GraphClient, Limits},
    level::CHANNEL,
    read::{States, client},
    secrets::Secrets,
    streams::Selected,
    sync::{self, Summary},
};

/// Threads that read, beside the one that writes. Two keep up with far more than Graph lets through; more would only hold more memory.
const WORKERS: usize = 2;

/// Threads beside those: the one that writes, and one that looks names up.
const OTHERS: usize = 2;

/// Bytes of stack for each trial thread: half again as much as a real one has, to leave room for what a run allocates before it starts those.
const TRIED_STACK: usize = 3 * 1024 * 1024;

/// What a sync is made of, all of it known to be usable.
pub(super) struct Ready {
    pub(super) client: GraphClient,
    pub(super) config: Config,
    pub(super) selected: Vec<Selected>,
    /// The states that they begin with.
    pub(super) states: States,
    /// What people should know before it begins.
    pub(super) remarks: Vec<String>,
    pub(super) runtime: Runtime,
}

impl Ready {
    /// `remarks` are of the catalog and the state.
    pub(super) fn new(
        config: Config,
        selected: Vec<Selected>,
        states: States,
        remarks: Vec<String>,
        secrets: &Secrets,
    ) -> Result<Self, Error> {
        let remarks = [config.remarks.clone(), remarks].concat();
        let client = client(&config, Limits::default(), secrets.clone())?;
        Ok(Self { client, config, selected, states, remarks, runtime: runtime()? })
    }

    /// Runs the sync, and the thread that writes, to the end of both. `say` takes what is said to people meanwhile, and the screen shows them
    /// how far it is.
    pub(super) fn sync<S: Fn(Level, String) + Send + Sync + 'static>(
        self,
        emitter: Box<dyn Emitter>,
        level: LevelFilter,
        screen: &Screen,
        say: impl FnOnce(&Output) -> S,
        stop: StopSignal,
    ) -> io::Result<Summary> {
        let Self { client, config, selected, states, remarks, runtime } = self;
        let (output, writer) = Output::start(emitter, states.selected.clone(), stop)?;
        let log = logging::subscriber(level, say(&output));
        let (progress, counting, spacing) = (output.progress().clone(), client.clone(), client.spacing(&CHANNEL));
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

/// What people should know, in the log.
pub(super) fn say_all(remarks: &[String]) {
    remarks.iter().for_each(|remark| warn!("{remark}"));
}

pub(super) fn runtime() -> Result<Runtime, Error> {
    let machine = |error: io::Error| Error::Machine(format!("cannot start threads: {error}"));
    try_threads().map_err(machine)?;
    let build = || tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    // Tokio panics if the machine refuses a thread after all.
    catch_unwind(build).unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into())).map_err(machine)
}

/// Whether the machine gives as many threads as a run takes. Without one of them the runtime would panic, or wait for ever.
fn try_threads() -> io::Result<()> {
    let gate = Mutex::new(());
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        let pass = || drop(gate.lock());
        let started: io::Result<Vec<_>> =
            (0..WORKERS + OTHERS).map(|_| thread::Builder::new().stack_size(TRIED_STACK).spawn_scoped(scope, pass)).collect();
        drop(closed);
        started.map(drop)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::command::config;

    #[test]
    fn no_form_of_a_configuration_or_a_client_shows_the_secret() {
        let written = json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "hidden-5ecret"});
        let config = config::parse(written.as_object().unwrap().clone()).unwrap();
        let client = client(&config, Limits::default(), Secrets::default()).unwrap();
        let shown = format!("{config:?}{config:#?}{client:?}{client:#?}");
        assert!(shown.contains("GraphClient") && !shown.contains("hidden-5ecret"), "{shown}");
    }
}
