//! The reading part as a library: the messages of a tenant, one after the other, in the program that wants them.
//!
//! `cargo run --example library` reads a simulated tenant; with a configuration of your own (`-- config.json`) it reads yours.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fs,
    io::{self, Write},
    sync::mpsc,
};

use graph_sim::{GraphSim, Options, TenantSpec};
use serde_json::Value;
use tap_microsoft_teams::{
    config::Config,
    emit::{Batch, Emitter, Output, StopSignal},
    graph::Limits,
    read,
    secrets::Secrets,
    state::{StoredStates, StreamState},
    streams::{MESSAGES, Message, Mode, Stream},
    sync,
};
use tokio::runtime::Runtime;

/// Hands over what is read. A full channel slows the requests down.
struct HandOver {
    messages: mpsc::SyncSender<Message>,
}

impl Emitter for HandOver {
    fn records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
        for record in batch {
            let message = serde_json::from_slice(record)?;
            self.messages.send(message).map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(())
    }

    /// A program that reads again later keeps it, when it has kept what came before.
    fn state(&mut self, _: &'static Stream, state: &StreamState) -> io::Result<usize> {
        Ok(serde_json::to_vec(state)?.len())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let sim = GraphSim::start(Options::new(TenantSpec::uniform(2, 3, 60)))?;
    let written: Value = match env::args().nth(1) {
        Some(path) => serde_json::from_str(&fs::read_to_string(path)?)?,
        None => sim.config_for_everything(),
    };

    let config = Config::new(&written)?;
    let selected = vec![MESSAGES.whole(Mode::Incremental)];
    // What the run before left, by stream; nothing at first.
    let states = read::states(&StoredStates::new(), &selected, &config)?;
    let client = read::client(&config, Limits::default(), Secrets::default())?;

    let (messages, arriving) = mpsc::sync_channel(1000);
    // A clone of the last argument ends the run early, with a state that covers what was handed over.
    let (output, writer) = Output::start(Box::new(HandOver { messages }), states.selected.clone(), StopSignal::default())?;
    let runtime = Runtime::new()?;
    let run = runtime.spawn(async move { sync::run(client, &config, selected, states, output).await });

    let mut by_day: BTreeMap<String, usize> = BTreeMap::new();
    for message in arriving {
        let day = message.created_date_time.map_or_else(|| "unknown".to_owned(), |time| time.date_naive().to_string());
        *by_day.entry(day).or_default() += 1;
    }
    let summary = runtime.block_on(run)?;
    writer.join()?;
    for (stream, records, outcome) in &summary.streams {
        writeln!(io::stdout(), "{}: {records} records, {outcome:?}, written on {} days", stream.name, by_day.len())?;
    }
    if summary.is_complete() { Ok(()) } else { Err("not everything could be read".into()) }
}
