//! Runs that are ended: by a closed stdout, a signal, or a panic.

use std::{
    env, fs,
    fs::File,
    io::{self, ErrorKind, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use clap::Parser;
use graph_sim::{Class, Fault, GraphSim};
use serde_json::json;
use tap_microsoft_teams::{
    cli::Cli,
    command::{self, Exit},
    emit::StopSignal,
    error::panic,
};

use crate::support::{ALL, Finished, Output, Protocol, Running, Tap, config, configured, everything, tenant};

/// The arguments of a complete run in each protocol.
const RUNS: [(Protocol, &[&str]); 2] = [
    (Protocol::Airbyte, &["read", "--config", "config.json", "--catalog", "catalog.json"]),
    (Protocol::Singer, &["--config", "config.json"]),
];

/// A tap that reads the whole tenant in either protocol.
fn tap(sim: &GraphSim) -> Tap {
    let tap = Tap::new(&config(sim, everything()));
    // Without Singer's `--catalog`, this file is only used by Airbyte.
    let all = ALL.map(configured);
    tap.file("catalog.json", json!({"streams": all}).to_string());
    tap
}

#[test]
fn a_closed_stdout_ends_the_run_quietly() {
    let sim = tenant(1, 2, 100);
    for (_, arguments) in RUNS {
        // In the middle of the output, because a pipe holds far less.
        let mut running = tap(&sim).start(arguments, Stdio::piped());
        running.stop_reading();
        assert_quiet(&running.end(), arguments);
    }
    let others: [&[&str]; 5] =
        [&["spec"], &["discover", "--config", "config.json"], &["check", "--config", "config.json"], &["--discover"], &["--about"]];
    for arguments in RUNS.map(|(_, arguments)| arguments).into_iter().chain(others) {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        assert_quiet(&tap(&sim).start(arguments, writer).end(), arguments);
    }
}

fn assert_quiet(finished: &Finished, arguments: &[&str]) {
    assert_eq!((finished.status, finished.signal), (Some(1), None), "{arguments:?}: {}", finished.stderr);
    // Figures and warnings may be logged before; nothing about the reader, and no panic.
    let is_log = |line: &str| ["INFO ", "WARNING "].iter().any(|level| line.starts_with(level));
    assert!(finished.stderr.lines().all(is_log), "{arguments:?}: {}", finished.stderr);
}

/// A run that waits for a channel that never responds.
fn stalled(sim: &GraphSim, arguments: &[&str], stdout: impl Into<Stdio>) -> Running {
    let (sender, receiver) = mpsc::channel();
    let mut channels = Vec::new();
    sim.on_request(move |request, _| {
        if request.class != Class::Messages {
            return None;
        }
        let channel = request.channel().map(str::to_owned);
        if !channels.contains(&channel) {
            channels.push(channel);
        }
        (channels.len() == 2).then(|| {
            let _ = sender.send(());
            Fault::Stall
        })
    });
    let running = tap(sim).start(arguments, stdout);
    receiver.recv_timeout(Duration::from_secs(10)).unwrap();
    running
}

/// Whether SIGHUP is ignored (`nohup`), which child processes inherit.
fn are_hangups_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 != 0
}

#[test]
fn a_signal_ends_the_run_with_valid_lines_and_by_that_signal() {
    let sim = tenant(1, 2, 10);
    for (protocol, arguments) in RUNS {
        let ends_by = |(name, _): &(&str, i32)| *name != "HUP" || !are_hangups_ignored();
        for (name, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)].into_iter().filter(ends_by) {
            let mut running = stalled(&sim, arguments, Stdio::piped());
            let records =
                |emitted: &str, stream: &str| emitted.lines().filter(|line| line.contains("RECORD") && line.contains(stream)).count();
            running.read_until(|emitted| {
                let is_teams_complete = protocol != Protocol::Airbyte || emitted.contains("COMPLETE");
                is_teams_complete && records(emitted, r#""stream":"messages""#) == 10 && records(emitted, r#""stream":"teams""#) == 1
            });
            running.signal(name);
            let output = Output::new(protocol, running.end());
            assert_eq!((output.status, output.signal), (None, Some(number)), "{protocol:?}: {}", output.stderr);
            assert_eq!(output.records("teams").count(), 1, "complete records were emitted");
            assert_eq!(output.records("messages").count(), 10, "the first channel was emitted");
            match protocol {
                Protocol::Airbyte => {
                    assert_eq!(output.statuses("messages"), ["STARTED", "RUNNING"]);
                }
                _ => assert_eq!(output.messages.last().unwrap()["type"], "STATE"),
            }
        }
    }
}

#[test]
fn a_signal_stops_a_check_immediately() {
    let sim = tenant(1, 1, 1);
    let (sender, receiver) = mpsc::channel();
    sim.on_request(move |request, _| {
        (request.class != Class::Token).then(|| {
            let _ = sender.send(());
            Fault::Stall
        })
    });
    let (tap, stop) = (tap(&sim), StopSignal::default());
    let cli =
        Cli::try_parse_from(["tap-microsoft-teams", "check", "--config", tap.folder().join("config.json").to_str().unwrap()]).unwrap();
    let run = thread::spawn({
        let stop = stop.clone();
        move || command::run(&cli, PanickingOutput::default(), stop).unwrap()
    });
    receiver.recv_timeout(Duration::from_secs(10)).unwrap();
    stop.stop_requests();
    assert_eq!(run.join().unwrap(), Exit::Stopped, "and nothing was written");
}

#[test]
fn an_ignored_hangup_does_not_end_a_run() {
    let sim = tenant(1, 2, 10);
    let tap = tap(&sim);
    let mut requested = false;
    let (sender, receiver) = mpsc::channel();
    let hung_up = Arc::new(Mutex::new(()));
    let (waits, before) = (hung_up.clone(), hung_up.lock().unwrap());
    sim.on_request(move |request, _| {
        if request.class == Class::Messages && !std::mem::replace(&mut requested, true) {
            let _ = sender.send(());
            drop(waits.lock().unwrap());
        }
        None
    });
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" HUP; exec "$@""#, "sh", env!("CARGO_BIN_EXE_tap-microsoft-teams")]).args(RUNS[1].1);
    let child = command.current_dir(tap.folder()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    receiver.recv_timeout(Duration::from_secs(10)).unwrap();
    let process = child.id().to_string();
    assert!(Command::new("sh").args(["-c", "kill -s HUP \"$0\"", &process]).status().unwrap().success());
    drop(before);
    let finished = Finished::from(child.wait_with_output().unwrap());
    assert_eq!((finished.status, finished.signal), (Some(0), None), "{}", finished.stderr);
}

/// A full output and its unread other end. A socket, because a pipe cannot be filled without blocking.
fn full_output() -> (OwnedFd, UnixStream) {
    let (mut writer, reader) = UnixStream::pair().unwrap();
    writer.set_nonblocking(true).unwrap();
    loop {
        match writer.write(&[b'\n'; 4096]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    writer.set_nonblocking(false).unwrap();
    (writer.into(), reader)
}

#[test]
fn a_signal_ends_the_run_even_if_nobody_reads() {
    let sim = tenant(1, 2, 10);
    for (protocol, arguments) in RUNS {
        let (writer, reader) = full_output();
        let running = stalled(&sim, arguments, File::from(writer));
        running.signal("TERM");
        let finished = running.end();
        assert_eq!((finished.status, finished.signal), (None, Some(15)), "{protocol:?}: {}", finished.stderr);
        drop(reader);
    }
}

/// An output whose first write panics, like a bug of ours.
#[derive(Clone, Default)]
struct PanickingOutput {
    is_broken: Arc<AtomicBool>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for PanickingOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(self.is_broken.swap(true, Ordering::SeqCst), "a text that may quote what was read");
        self.written.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs the program with these arguments and a panicking output.
fn run_with_panic(arguments: &[&str]) -> (Exit, String) {
    let out = PanickingOutput::default();
    let cli = Cli::try_parse_from([&["tap-microsoft-teams"], arguments].concat()).unwrap();
    let exit = command::run(&cli, out.clone(), Default::default()).unwrap();
    let written = out.written.lock().unwrap().clone();
    (exit, String::from_utf8(written).unwrap())
}

#[test]
fn a_panic_is_reported_as_a_system_error() {
    let sim = tenant(1, 1, 2);
    let tap = tap(&sim);
    let path = |name: &str| tap.folder().join(name).to_str().unwrap().to_owned();
    let (config, catalog) = (path("config.json"), path("catalog.json"));
    // In the writer thread, and in the thread that reads from Graph.
    for arguments in [&["read", "--config", &config, "--catalog", &catalog][..], &["check", "--config", &config], &["spec"]] {
        let (exit, stdout) = run_with_panic(arguments);
        assert_eq!(exit, Exit::Failure, "{arguments:?}");
        let output = Output::new(Protocol::Airbyte, Finished { status: Some(1), signal: None, stdout, stderr: String::new() });
        let [(kind, _, sentence)] = output.errors()[..] else { panic!("{:?}", output.messages) };
        assert_eq!(kind, "system_error");
        assert!(sentence.starts_with("the program panicked at ") && sentence.ends_with("please report it"), "{sentence}");
        assert_eq!(output.messages.len(), 1);
    }
}

/// The folder for the files of the test below, which runs in its own process so that its stderr can be read.
const FOLDER: &str = "TEST_FOLDER_OF_A_PANIC";

#[test]
#[ignore = "started by the test below, as a process of its own"]
fn a_sync_that_panics() {
    let Ok(folder) = env::var(FOLDER) else { return };
    panic::install_hook();
    let (exit, stdout) = run_with_panic(&["--config", &format!("{folder}/config.json")]);
    assert_eq!((exit, stdout.as_str()), (Exit::Failure, ""));
}

#[test]
fn a_panic_of_a_sync_is_one_critical_line() {
    let sim = tenant(1, 1, 2);
    let tap = tap(&sim);
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "ends::a_sync_that_panics", "--nocapture"]).env(FOLDER, tap.folder());
    let finished = Finished::from(command.output().unwrap());
    assert_eq!(finished.status, Some(0), "{} {}", finished.stdout, finished.stderr);
    let critical: Vec<_> = finished.stderr.lines().filter(|line| line.starts_with("CRITICAL ")).collect();
    assert_eq!((critical.len(), finished.stderr.lines().last()), (1, Some(critical[0])), "{}", finished.stderr);
    assert!(critical[0].starts_with("CRITICAL the program panicked at tests/it/ends.rs:"), "{}", critical[0]);
    assert!(!finished.stderr.contains("may quote"), "the text of a panic is not shown: {}", finished.stderr);
}
