//! Uses the tap as a library: receives the messages of a tenant, one at a time, in a Rust program.
//!
//! `cargo run --example library` reads a simulated tenant. Add `-- config.json` to read your own.

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

/// Sends the messages to the main thread. A full channel slows down the requests.
struct MessageSender {
    messages: mpsc::SyncSender<Message>,
}

impl Emitter for MessageSender {
    fn write_records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
        for record in batch {
            let message = serde_json::from_slice(record)?;
            self.messages.send(message).map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(())
    }

    /// A program that reads again later stores the state after it has stored the records before it. Returns the size of the state.
    fn write_state(&mut self, _: &'static Stream, state: &StreamState) -> io::Result<usize> {
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

    let (messages, received) = mpsc::sync_channel(1000);
    // A clone of the stop signal can end the run early, with a state that covers the emitted records.
    let (output, writer) = Output::start(Box::new(MessageSender { messages }), states.selected.clone(), StopSignal::default())?;
    let runtime = Runtime::new()?;
    let run = runtime.spawn(async move { sync::run(client, &config, selected, states, output).await });

    let mut by_day: BTreeMap<String, usize> = BTreeMap::new();
    for message in received {
        let day = message.created_date_time.map_or_else(|| "unknown".to_owned(), |time| time.date_naive().to_string());
        *by_day.entry(day).or_default() += 1;
    }
    let summary = runtime.block_on(run)?;
    writer.join()?;
    for (stream, records, outcome) in &summary.streams {
        writeln!(io::stdout(), "{}: {records} records, {outcome:?}, messages from {} days", stream.name, by_day.len())?;
    }
    if summary.is_complete() { Ok(()) } else { Err("the run is incomplete".into()) }
}
