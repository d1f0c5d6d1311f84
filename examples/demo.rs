//! The demo: a simulated tenant, read in full. Messages on stdout, a summary on stderr.
//!
//! `cargo run --release --example demo` speaks Airbyte, with `-- --singer` Singer.

mod folder;

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Instant,
};

use clap::Parser;
use folder::Folder;
use graph_sim::{GraphSim, Options, TenantSpec};
use serde_json::{Value, json};
use tap_microsoft_teams::{
    cli::Cli,
    command::{Exit, run},
    streams::Stream,
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let singer = std::env::args().any(|argument| argument == "--singer");
    let sim = GraphSim::start(Options::new(TenantSpec::uniform(4, 4, 100)))?;
    let folder = Folder::new("demo")?;
    let mut config = sim.config();
    for (name, value) in
        [("fetch_all_teams", json!(true)), ("fetch_all_channels", json!(true)), ("fetch_all_messages", json!(true)), ("pace", json!(0))]
    {
        config[name] = value;
    }
    let config = file(&folder, "config.json", &config)?;
    let configured = |name| json!({"stream": {"name": name}, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"});
    let streams: Vec<_> = Stream::defaults().map(|stream| stream.name).map(configured).collect();
    let catalog = file(&folder, "catalog.json", &json!({"streams": streams}))?;
    let arguments = match (singer, config.to_str(), catalog.to_str()) {
        (true, Some(config), _) => vec!["tap-microsoft-teams", "--config", config],
        (false, Some(config), Some(catalog)) => vec!["tap-microsoft-teams", "read", "--config", config, "--catalog", catalog],
        _ => return Err("the folder for temporary files has a name that is no text".into()),
    };

    let began = Instant::now();
    let count = Count::default();
    // The code path of the executable, from its arguments on.
    let exit = run(&Cli::try_parse_from(arguments)?, count.clone(), Default::default())?;
    let seconds = began.elapsed().as_secs_f64();

    let mut summary = String::from("\nstream            records\n");
    for (stream, records) in count.records() {
        summary += &format!("{stream:<16} {records:>8}\n");
    }
    let requests = sim.journal().total();
    writeln!(
        io::stderr(),
        "{summary}{requests} requests in {seconds:.2} s (the simulator waits for nothing; Graph allows a channel one a second)"
    )?;
    Ok(if exit == Exit::Done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn file(folder: &Folder, name: &str, content: &Value) -> io::Result<PathBuf> {
    let path = folder.path().join(name);
    fs::write(&path, content.to_string())?;
    Ok(path)
}

/// Stdout, with a count of the records that pass.
#[derive(Clone, Default)]
struct Count(Arc<Mutex<Counted>>);

#[derive(Default)]
struct Counted {
    line: Vec<u8>,
    records: BTreeMap<String, u64>,
}

impl Count {
    fn records(&self) -> BTreeMap<String, u64> {
        self.0.lock().map(|counted| counted.records.clone()).unwrap_or_default()
    }
}

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write_all(bytes)?;
        let mut counted = self.0.lock().map_err(|_| io::Error::other("a thread panicked"))?;
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            counted.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut counted.line);
                if let Some(stream) = stream_of_record(&line) {
                    *counted.records.entry(stream).or_default() += 1;
                }
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// The stream of a RECORD, in either protocol.
fn stream_of_record(line: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(line).ok()?;
    let stream = message["stream"].as_str().or_else(|| message["record"]["stream"].as_str());
    stream.filter(|_| message["type"] == "RECORD").map(str::to_owned)
}
