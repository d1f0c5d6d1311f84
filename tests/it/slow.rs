//! Slow readers: their output is complete, even when the run is stopped.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, PipeReader, PipeWriter, Read, Write},
    process::Stdio,
    sync::{Arc, Condvar, Mutex, mpsc},
    thread,
    time::Duration,
};

use clap::Parser;
use graph_sim::{Class, GraphSim, Post};
use rustix::{
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
    pipe::fcntl_setpipe_size,
};
use serde_json::{Value, json};
use tap_microsoft_teams::{
    cli::Cli,
    command::{self, Exit},
    emit::StopSignal,
};

use crate::support::{
    ALL, Finished, Output, Protocol, Tap, config, everything, incremental,
    incremental::{configured, state},
    tenant,
};

/// The maximum size of the buffer, the unfinished line and the final states: far less than the waiting records.
const MAX_BYTES_AFTER_SIGNAL: usize = 100_000;

const RUNS: [(Protocol, &[&str]); 2] = [
    (Protocol::Airbyte, &["read", "--config", "config.json", "--catalog", "catalog.json"]),
    (Protocol::Singer, &["--config", "config.json"]),
];

/// Text for a long message.
fn post(length: usize) -> Post {
    let text = "x".repeat(length);
    Post::template(format!(
        r#"{{"id":"$ID$","lastModifiedDateTime":"$TIME$","createdDateTime":"$TIME$","body":{{"contentType":"text","content":"{text}"}}}}"#
    ))
}

/// A tenant of few but long messages and replies: about five megabytes.
fn long_messages() -> GraphSim {
    let sim = tenant(2, 2, 0);
    sim.with_tenant(|tenant| {
        for channel in tenant.all_channel_ids() {
            for _ in 0..20 {
                let root = tenant.post(&channel, post(30_000)).unwrap();
                tenant.reply(&root, post(30_000)).unwrap();
            }
        }
    });
    sim
}

fn tap(sim: &GraphSim) -> Tap {
    let mut settings = everything();
    settings["top"] = 2.into();
    let tap = Tap::new(&config(sim, settings));
    tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
    tap
}

/// An output whose reader reads only the permitted number of bytes.
#[derive(Clone, Default)]
struct PacedOutput(Arc<(Mutex<Received>, Condvar)>);

#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    may_be: usize,
}

impl PacedOutput {
    /// Permits this many more bytes, and waits until they have been read.
    fn take(&self, bytes: usize) {
        let (taken, changed) = &*self.0;
        taken.lock().unwrap().may_be += bytes;
        changed.notify_all();
        let is_less = |taken: &mut Received| taken.bytes.len() < taken.may_be;
        let waited = changed.wait_timeout_while(taken.lock().unwrap(), Duration::from_secs(10), is_less).unwrap();
        assert!(!waited.1.timed_out());
    }

    fn take_all(&self) {
        self.0.0.lock().unwrap().may_be = usize::MAX;
        self.0.1.notify_all();
    }

    fn text(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.0.lock().unwrap().bytes)).unwrap()
    }
}

impl Write for PacedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (taken, changed) = &*self.0;
        let mut taken = changed.wait_while(taken.lock().unwrap(), |taken| taken.bytes.len() == taken.may_be).unwrap();
        let count = bytes.len().min(taken.may_be - taken.bytes.len());
        taken.bytes.extend_from_slice(&bytes[..count]);
        changed.notify_all();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs the program; the reader reads this many bytes, and no more until `pages` pages of messages were requested and the run was stopped.
/// Returns the output.
fn run_and_stop(sim: &GraphSim, arguments: &[&str], taken: usize, pages: usize) -> String {
    let (tap, out, stop) = (tap(sim), PacedOutput::default(), StopSignal::default());
    let path = |name: &&str| if name.ends_with(".json") { tap.folder().join(name).display().to_string() } else { (*name).to_owned() };
    let arguments = ["tap-microsoft-teams"].iter().chain(arguments).chain(&["--log-level", "error"]).map(path);
    let cli = Cli::try_parse_from(arguments).unwrap();
    let (sender, receiver) = mpsc::channel();
    sim.on_request(move |request, _| {
        let _ = sender.send(request.class);
        None
    });
    let run = thread::spawn({
        let (out, stop) = (out.clone(), stop.clone());
        move || command::run(&cli, out, stop).unwrap()
    });
    out.take(taken);
    let requested = std::iter::from_fn(|| receiver.recv_timeout(Duration::from_secs(10)).ok());
    assert_eq!(requested.filter(|class| *class == Class::Messages).take(pages).count(), pages);
    sim.clear_hook();
    stop.stop_writing();
    out.take_all();
    let exit = run.join().unwrap();
    assert!(exit == Exit::Stopped || pages == 1, "of one page all may have been written");
    out.text()
}

#[test]
fn a_stopped_run_ends_with_a_whole_line_and_the_state_of_what_was_written() {
    let sim = long_messages();
    let keys = |output: &Output, stream| output.table(stream).into_keys().collect::<BTreeSet<_>>();
    let whole = incremental::read(&tap(&sim), &ALL, None);
    let all = ["messages", "message_replies"].map(|stream| (stream, keys(&whole, stream)));
    for (protocol, arguments) in RUNS {
        for taken in [1, 3000, 600_000] {
            let stdout = run_and_stop(&sim, arguments, taken, 8);
            assert!(
                stdout.len() - taken < MAX_BYTES_AFTER_SIGNAL,
                "{protocol:?}: {} bytes, {taken} of them before the signal",
                stdout.len()
            );
            let first = Output::new(protocol, Finished { status: None, signal: Some(15), stdout, stderr: String::new() });
            let second = match protocol {
                Protocol::Airbyte => incremental::read(&tap(&sim), &ALL, Some(&state(&first))),
                _ => tap(&sim).sync_state(first.last_state()),
            };
            for (stream, all) in &all {
                let has_state = protocol != Protocol::Airbyte || state(&first).to_string().contains(&format!(r#""{stream}""#));
                assert!(has_state || first.records(stream).count() == 0, "{stream} has no state after its records");
                assert_eq!(&keys(&first, stream) | &keys(&second, stream), *all, "{protocol:?}, {taken}: nothing of {stream} is lost");
            }
        }
    }
}

#[test]
fn a_stopped_extract_ends_with_a_whole_line() {
    let stdout = run_and_stop(&long_messages(), &["extract", "--stream", "messages", "--config", "config.json"], 1, 8);
    assert!(stdout.ends_with('\n') && stdout.len() < MAX_BYTES_AFTER_SIGNAL, "{}", stdout.len());
    assert!(stdout.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
}

#[test]
fn a_stopped_run_finishes_a_long_line() {
    let (sim, length) = (tenant(1, 1, 0), 8_000_000);
    sim.with_tenant(|tenant| {
        let channel = tenant.all_channel_ids().swap_remove(0);
        tenant.post(&channel, post(length)).unwrap();
    });
    for (protocol, arguments) in RUNS {
        let stdout = run_and_stop(&sim, arguments, 200_000, 1);
        assert!(stdout.ends_with('\n') && stdout.len() > length, "{protocol:?}: {}", stdout.len());
        let lines: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = |kind| lines.iter().rposition(|line| line["type"] == kind).unwrap();
        assert!(last("RECORD") < last("STATE"), "{protocol:?}: {:?}", lines.last());
    }
}

/// A pipe of this size with a non-blocking writer.
fn non_blocking_pipe(bytes: usize) -> (PipeReader, PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    fcntl_setfl(&writer, fcntl_getfl(&writer).unwrap() | OFlags::NONBLOCK).unwrap();
    fcntl_setpipe_size(&writer, bytes).unwrap();
    (reader, writer)
}

#[test]
fn a_non_blocking_stdout_is_waited_for() {
    let sim = tenant(1, 2, 40);
    let whole = incremental::read(&tap(&sim), &ALL, None);
    for (protocol, arguments) in RUNS {
        let (mut reader, writer) = non_blocking_pipe(4096);
        let running = tap(&sim).start(arguments, writer);
        let mut stdout = String::new();
        reader.read_to_string(&mut stdout).unwrap();
        let finished = running.end();
        assert_eq!(finished.status, Some(0), "{protocol:?}: {}", finished.stderr);
        assert_eq!(Output::new(protocol, Finished { stdout, ..finished }).counts(), whole.counts(), "{protocol:?}");
    }
}

#[test]
fn a_non_blocking_stderr_is_waited_for() {
    let sim = tenant(1, 1, 1);
    let (mut reader, mut writer) = non_blocking_pipe(4096);
    let full = [b'\n'; 4096];
    writer.write_all(&full).unwrap();
    let mut child = tap(&sim).command().arg("--catalog=none").stdin(Stdio::null()).stdout(Stdio::null()).stderr(writer).spawn().unwrap();
    // It has a line to log, but the pipe is full: it sleeps until there is room.
    let status = format!("/proc/{}/status", child.id());
    let sleeps = || fs::read_to_string(&status).is_ok_and(|status| status.contains("State:\tS"));
    while !sleeps() && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
    let mut stderr = String::new();
    reader.read_to_string(&mut stderr).unwrap();
    assert_eq!(&stderr[full.len()..], "CRITICAL --config is missing; see --help\n");
    assert_eq!(child.wait().unwrap().code(), Some(2));
}
