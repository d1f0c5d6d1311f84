//! The demo: reads all of a simulated tenant. The messages go to stdout, a summary to stderr.
//!
//! `cargo run --release --example demo` emits Airbyte messages; add `-- --singer` for Singer messages. On a terminal it prints two records of
//! each stream instead, unless `-- --all` is set.

#[path = "../folder.rs"]
mod folder;
mod output;

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    io::{self, ErrorKind, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use folder::Folder;
use graph_sim::{GraphSim, Options, TenantSpec};
use output::{Mode, Output};
use serde_json::{Value, json};
use tap_microsoft_teams::{
    cli::Cli,
    command::{Exit, run},
    streams::Stream,
};
use terminal_size::{Width, terminal_size_of};

/// Used where the terminal does not report its width.
const DEFAULT_WIDTH: usize = 80;

/// Reads a simulated tenant. In a pipe or a file it writes all messages to stdout; on a terminal, two records of each stream.
#[derive(Clone, Copy, Debug, Default, Parser)]
struct Arguments {
    /// Emit Singer messages instead of Airbyte messages
    #[arg(long)]
    singer: bool,
    /// Print all messages on a terminal too (11 MB)
    #[arg(long)]
    all: bool,
}

/// What a run did.
#[derive(Debug)]
struct Summary {
    is_complete: bool,
    records: BTreeMap<String, u64>,
    requests: u64,
    time: Duration,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mode = mode(io::stdout().is_terminal(), arguments.all);
    let mut output = Output::new(mode, io::stdout());
    let summary = match read(arguments, &output) {
        // The reader closed the pipe, as `head` does.
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) => {
            return Ok(ExitCode::SUCCESS);
        }
        summary => summary?,
    };
    if mode == Mode::Preview {
        let width = terminal_size_of(io::stdout()).map_or(DEFAULT_WIDTH, |(Width(width), _)| width.into());
        output.write_preview(streams(), width)?;
    }
    io::stderr().write_all(report(&summary, mode).as_bytes())?;
    Ok(if summary.is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A terminal gets a preview, since 11 MB of JSON would hide the summary.
fn mode(is_terminal: bool, all: bool) -> Mode {
    if is_terminal && !all { Mode::Preview } else { Mode::Everything }
}

/// Reads the simulated tenant through the same code as the executable, from its command line on.
fn read<W: Write + Send + 'static>(arguments: Arguments, output: &Output<W>) -> Result<Summary, Box<dyn Error>> {
    let sim = GraphSim::start(Options::new(TenantSpec::uniform(4, 4, 100)))?;
    let folder = Folder::new("demo")?;
    let config = file(&folder, "config.json", &sim.config_for_everything())?;
    let configured = |name| json!({"stream": {"name": name}, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"});
    let streams: Vec<_> = streams().map(configured).collect();
    let catalog = file(&folder, "catalog.json", &json!({"streams": streams}))?;
    let (Some(config), Some(catalog)) = (config.to_str(), catalog.to_str()) else {
        return Err("the path of the folder for temporary files is not valid UTF-8".into());
    };
    let mut command_line = vec!["tap-microsoft-teams"];
    if !arguments.singer {
        command_line.extend(["read", "--catalog", catalog]);
    }
    command_line.extend(["--config", config]);
    if output.mode() == Mode::Preview {
        // Only the preview and the summary are shown.
        command_line.extend(["--no-progress", "--log-level", "error"]);
    }

    let began = Instant::now();
    let exit = run(&Cli::try_parse_from(command_line)?, output.clone(), Default::default())?;
    let time = began.elapsed();
    Ok(Summary { is_complete: exit == Exit::Success, records: output.records(), requests: sim.journal().total(), time })
}

/// The streams that the demo reads, in the order of the documentation.
fn streams() -> impl Iterator<Item = &'static str> {
    Stream::defaults().map(|stream| stream.name)
}

fn file(folder: &Folder, name: &str, content: &Value) -> io::Result<PathBuf> {
    let path = folder.path().join(name);
    fs::write(&path, content.to_string())?;
    Ok(path)
}

fn report(summary: &Summary, mode: Mode) -> String {
    let mut report = String::from("\nstream            records\n");
    for stream in streams() {
        report += &format!("{stream:<16} {:>8}\n", summary.records.get(stream).unwrap_or(&0));
    }
    let (requests, seconds) = (summary.requests, summary.time.as_secs_f64());
    report += &format!(
        "{requests} requests in {seconds:.2} s (the simulator does not throttle; Graph allows one request per second per channel)\n"
    );
    if !summary.is_complete {
        report += "The run failed; run with `-- --all` to see its error messages.\n";
    }
    if mode == Mode::Preview {
        report += NEXT_STEPS;
    }
    report
}

const NEXT_STEPS: &str = "
Next steps
  See the Airbyte messages:    cargo run --release --example demo | head
  See all of them (11 MB):     cargo run --release --example demo -- --all
  See Singer messages:         cargo run --release --example demo -- --singer | head
  Try check, plan and others:  cargo run --release --package graph-sim > config.json
  Read your own tenant:        follow \"Set up\" in README.md, then run
                               tap-microsoft-teams check --config config.json
";

#[cfg(test)]
mod tests {
    use super::*;

    /// The stream of each record that a preview has.
    fn streams_of(preview: &str) -> Vec<&str> {
        preview.lines().filter_map(|line| line.split_whitespace().next()).collect()
    }

    const STREAMS: [&str; 5] = ["teams", "channels", "members", "messages", "message_replies"];

    #[test]
    fn a_terminal_gets_a_preview_unless_all_is_set() {
        assert_eq!(mode(true, false), Mode::Preview);
        assert_eq!(mode(true, true), Mode::Everything);
        assert_eq!(mode(false, false), Mode::Everything);
        assert_eq!(mode(false, true), Mode::Everything);
    }

    #[test]
    fn all_messages_of_both_protocols_go_to_a_pipe() {
        for singer in [false, true] {
            let output = Output::new(Mode::Everything, Vec::new());
            let summary = read(Arguments { singer, ..Arguments::default() }, &output).unwrap();
            let written = output.into_written();
            let messages: Vec<Value> =
                String::from_utf8(written).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let records = messages.iter().filter(|message| message["type"] == "RECORD").count() as u64;
            assert!(summary.is_complete);
            assert_eq!(summary.records.len(), STREAMS.len());
            assert_eq!(summary.records.values().sum::<u64>(), records);
            assert_eq!(summary.records["messages"], 1600);
            assert!(messages.iter().any(|message| message["type"] == "STATE"));
        }
    }

    #[test]
    fn a_preview_has_two_records_of_each_stream_and_fits_the_terminal() {
        for singer in [false, true] {
            let mut output = Output::new(Mode::Preview, Vec::new());
            let summary = read(Arguments { singer, ..Arguments::default() }, &output).unwrap();
            output.write_preview(streams(), 60).unwrap();
            let preview = String::from_utf8(output.into_written()).unwrap();
            assert_eq!(streams_of(&preview), STREAMS.map(|stream| [stream; 2]).concat());
            assert!(preview.lines().all(|line| line.chars().count() <= 60 && line.ends_with('…')), "{preview}");
            assert_eq!(summary.records["messages"], 1600);
            assert!(report(&summary, Mode::Preview).contains("-- --all"));
        }
    }
}
