//! A sync that is ready to run: its validated inputs, its client and its threads.

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
    console::Terminal,
    emit::{Emitter, Output, StopSignal},
    error::Error,
    graph::{GraphClient, Limits},
    level::CHANNEL,
    read::{States, client},
    secrets::Secrets,
    streams::Selected,
    sync::{self, Summary},
};

/// Threads that read. Two can handle far more than Graph's rate limits allow; more would only need more memory.
const WORKERS: usize = 2;

/// Additional threads: the writer, and one for DNS lookups.
const OTHER_THREADS: usize = 2;

/// Stack size of a trial thread, in bytes: 1.5 times the usual size, to reserve memory for what a run allocates before it starts threads.
const TRIAL_STACK: usize = 3 * 1024 * 1024;

pub(super) struct PreparedSync {
    pub(super) client: GraphClient,
    pub(super) config: Config,
    pub(super) selected: Vec<Selected>,
    pub(super) states: States,
    /// Logged when the sync starts.
    pub(super) warnings: Vec<String>,
    pub(super) runtime: Runtime,
}

impl PreparedSync {
    /// `warnings` are about the catalog and the state; those about the configuration are added.
    pub(super) fn new(
        config: Config,
        selected: Vec<Selected>,
        states: States,
        warnings: Vec<String>,
        secrets: &Secrets,
    ) -> Result<Self, Error> {
        let warnings = [config.warnings.clone(), warnings].concat();
        let client = client(&config, Limits::default(), secrets.clone())?;
        Ok(Self { client, config, selected, states, warnings, runtime: runtime()? })
    }

    /// Runs the sync until the writer thread has ended, too. `log` creates the function that receives log messages.
    pub(super) fn sync<S: Fn(Level, String) + Send + Sync + 'static>(
        self,
        emitter: Box<dyn Emitter>,
        level: LevelFilter,
        screen: &Terminal,
        log: impl FnOnce(&Output) -> S,
        stop: StopSignal,
    ) -> io::Result<Summary> {
        let Self { client, config, selected, states, warnings, runtime } = self;
        let (output, writer) = Output::start(emitter, states.selected.clone(), stop)?;
        let subscriber = logging::subscriber(level, log(&output));
        let (progress, counting, spacing) = (output.progress().clone(), client.clone(), client.spacing(&CHANNEL));
        let stats = move || progress.stats(counting.counts());
        let mut watch = screen.watch(&stats, spacing);
        let sync = async {
            log_warnings(&warnings);
            sync::run(client, &config, selected, states, output).await
        };
        let summary = catch_unwind(AssertUnwindSafe(|| runtime.block_on(watch.during(sync).with_subscriber(subscriber))));
        drop(watch);
        // Tasks that are still running keep the writer open, which must end before anything else is written.
        drop(runtime);
        let written = writer.join()?;
        let mut summary = summary.unwrap_or_else(|panic| resume_unwind(panic));
        // When the run was stopped, everything may have been read but not written.
        summary.stopped |= !written.truncated.is_empty();
        if summary.stats.is_some() {
            screen.end(&stats());
        }
        Ok(summary)
    }
}

pub(super) fn log_warnings(warnings: &[String]) {
    warnings.iter().for_each(|warning| warn!("{warning}"));
}

pub(super) fn runtime() -> Result<Runtime, Error> {
    let machine = |error: io::Error| Error::Machine(format!("cannot start threads: {error}"));
    try_threads().map_err(machine)?;
    let build = || tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    // Tokio panics if the machine refuses a thread after all.
    catch_unwind(build).unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into())).map_err(machine)
}

/// Checks that the machine can start all threads of a run. If one of them were missing, the runtime would panic or wait forever.
fn try_threads() -> io::Result<()> {
    let gate = Mutex::new(());
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        let wait = || drop(gate.lock());
        let started: io::Result<Vec<_>> =
            (0..WORKERS + OTHER_THREADS).map(|_| thread::Builder::new().stack_size(TRIAL_STACK).spawn_scoped(scope, wait)).collect();
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
    fn debug_output_does_not_show_the_secret() {
        let settings = json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "hidden-5ecret"});
        let config = config::parse(settings.as_object().unwrap().clone()).unwrap();
        let client = client(&config, Limits::default(), Secrets::default()).unwrap();
        let shown = format!("{config:?}{config:#?}{client:?}{client:#?}");
        assert!(shown.contains("GraphClient") && !shown.contains("hidden-5ecret"), "{shown}");
    }
}
