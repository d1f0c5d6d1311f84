//! Process failures: signals during waits, no file descriptors, no threads, closed standard streams.

use std::{
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use graph_sim::{Class, Fault, GraphSim, RetryAfter, Rule};
use serde_json::{Value, json};

use crate::support::{ALL, Finished, Output, Protocol, Running, Tap, config, configured, everything, tenant};

const RUNS: [(Protocol, &[&str]); 2] = [
    (Protocol::Airbyte, &["read", "--config", "config.json", "--catalog", "catalog.json"]),
    (Protocol::Singer, &["--config", "config.json"]),
];

fn tap(sim: &GraphSim, more: Value) -> Tap {
    let mut settings = everything();
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let tap = Tap::new(&config(sim, settings));
    tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
    tap
}

/// A run in which a page of messages has just hit this fault.
fn waiting(sim: &GraphSim, tap: Tap, arguments: &[&str], fault: &Fault) -> Running {
    let (sender, receiver) = mpsc::channel();
    let fault = fault.clone();
    sim.on_request(move |request, _| {
        (request.class == Class::Messages).then(|| {
            let _ = sender.send(());
            fault.clone()
        })
    });
    let running = tap.start(arguments, Stdio::piped());
    receiver.recv_timeout(Duration::from_secs(10)).unwrap();
    running
}

#[test]
fn a_signal_ends_every_wait() {
    let sim = tenant(1, 2, 10);
    let throttled = |seconds| Fault::throttled(RetryAfter::Seconds(seconds));
    let waits = [
        ("for Retry-After", throttled(600), json!({})),
        ("for Retry-After of a server that is down", Fault::status(503).retry_after(RetryAfter::Seconds(600)), json!({})),
        ("for the headers", Fault::Stall, json!({})),
        ("for the body", Fault::StallInBody, json!({})),
        ("for a turn", throttled(600), json!({"max_concurrent_threads": 1, "pace": 1})),
    ];
    for (protocol, arguments) in RUNS {
        for (what, fault, settings) in &waits {
            let running = waiting(&sim, tap(&sim, settings.clone()), arguments, fault);
            running.signal("TERM");
            let output = Output::new(protocol, running.end());
            assert_eq!((output.status, output.signal), (None, Some(15)), "{what}, {protocol:?}: {}", output.stderr);
        }
    }
}

#[test]
fn a_signal_ends_the_wait_for_a_token() {
    let sim = tenant(1, 1, 1);
    sim.inject(Rule::new(Fault::status(503).retry_after(RetryAfter::Seconds(600))).class(Class::Token));
    for (protocol, arguments) in RUNS {
        let before = sim.journal().total();
        let running = tap(&sim, json!({})).start(arguments, Stdio::piped());
        while sim.journal().total() == before {
            std::thread::yield_now();
        }
        running.signal("TERM");
        let output = Output::new(protocol, running.end());
        assert_eq!((output.status, output.signal), (None, Some(15)), "{protocol:?}: {}", output.stderr);
    }
}

#[test]
fn a_second_signal_exits_immediately() {
    let sim = tenant(1, 2, 10);
    for (_, arguments) in RUNS {
        let running = waiting(&sim, tap(&sim, json!({})), arguments, &Fault::Stall);
        running.signal("TERM");
        running.signal("INT");
        let finished = running.end();
        // Two simultaneous signals may be handled in any order.
        assert!(finished.status.is_none() && [Some(15), Some(2)].contains(&finished.signal), "{:?} {}", finished.signal, finished.stderr);
    }
}

#[test]
fn missing_file_descriptors_are_reported() {
    let sim = tenant(1, 1, 2);
    let mut failed = 0;
    for (protocol, arguments) in RUNS {
        for limit in 3..=20 {
            let tap = tap(&sim, json!({}));
            let script = format!(r#"ulimit -n {limit} || exit 77; exec "$@""#);
            let mut command = Command::new("sh");
            command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_tap-microsoft-teams")]).args(arguments).current_dir(tap.folder());
            let finished = Finished::from(command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null").output().unwrap());
            // If even the program or its files cannot be opened, the system reports it.
            if finished.stderr.contains("error while loading shared libraries") || finished.status == Some(127) {
                continue;
            }
            let output = Output::new(protocol, finished);
            let reported = format!("{:?} {}", output.lines, output.stderr);
            assert!(!reported.contains("panicked") && !reported.contains("a bug of"), "{limit}: {reported}");
            if output.status != Some(0) {
                assert_eq!(output.status, Some(1), "{limit}: {reported}");
                assert!(reported.contains("Too many open files") || reported.contains("os error 24"), "{limit}: {reported}");
                failed += 1;
            }
        }
    }
    assert!(failed > 2, "{failed}");
}

/// A thread cannot start without memory for its stack; this works for every user.
#[test]
fn missing_threads_are_reported() {
    let sim = tenant(1, 1, 2);
    let mut said_so = 0;
    for (protocol, arguments) in RUNS {
        for megabytes in 12..=48 {
            let tap = tap(&sim, json!({}));
            let script = format!(r#"ulimit -v {} || exit 77; exec timeout -s KILL 20 "$@""#, megabytes * 1024);
            let mut command = Command::new("sh");
            command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_tap-microsoft-teams")]).args(arguments).current_dir(tap.folder());
            let finished = Finished::from(command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null").output().unwrap());
            let reported = format!("{} {}", finished.stdout, finished.stderr);
            assert!(finished.status != Some(137), "{megabytes} MB: it waits forever: {reported}");
            assert!(!reported.contains("panicked") && !reported.contains("a bug of"), "{megabytes} MB: {reported}");
            if reported.contains("cannot start threads") {
                let output = Output::new(protocol, finished);
                assert!(
                    output.status == Some(1) && reported.contains("; hint: check the limits of this machine"),
                    "{megabytes} MB: {reported}"
                );
                said_so += 1;
            }
        }
    }
    assert!(said_so > 2, "{said_so}");
}

/// Runs it in a shell with this redirection of its standard streams.
fn redirected(tap: &Tap, arguments: &[&str], redirection: &str) -> Finished {
    let mut command = Command::new("sh");
    command.args(["-c", &format!(r#"exec "$@" {redirection}"#), "sh", env!("CARGO_BIN_EXE_tap-microsoft-teams")]).args(arguments);
    let command = command.current_dir(tap.folder()).env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
    Finished::from(command.output().unwrap())
}

#[test]
fn a_run_without_stdout_fails_before_any_request() {
    let sim = tenant(1, 1, 2);
    let extract: &[&str] = &["extract", "--stream", "teams", "--config", "config.json"];
    for arguments in RUNS.map(|(_, arguments)| arguments).into_iter().chain([extract]) {
        let tap = tap(&sim, json!({}));
        for redirection in [">&-", "<&- >&-", "1<config.json", "1<>/dev/null"] {
            let finished = redirected(&tap, arguments, redirection);
            assert_eq!((finished.status, sim.journal().total()), (Some(1), 0), "{arguments:?} {redirection}: {}", finished.stderr);
            let last = finished.stderr.lines().last().unwrap();
            assert!(last.contains("cannot write the output: stdout is closed"), "{last}");
        }
        // There is no stream to report it to.
        assert_eq!((redirected(&tap, arguments, ">&- 2>&-").status, sim.journal().total()), (Some(1), 0));
        assert_eq!(redirected(&tap, arguments, ">/dev/null").status, Some(0), "{arguments:?}");
        sim.clear_journal();
    }
}

#[test]
fn the_descriptor_of_a_closed_standard_stream_is_not_reused() {
    let sim = tenant(1, 1, 2);
    for (protocol, arguments) in RUNS {
        let tap = tap(&sim, json!({}));
        let whole = Output::new(protocol, redirected(&tap, arguments, ""));
        for redirection in ["<&-", "2>&-", "<&- 2>&-"] {
            let output = Output::new(protocol, redirected(&tap, arguments, redirection));
            assert_eq!((output.status, output.counts()), (Some(0), whole.counts()), "{protocol:?} {redirection}");
        }
    }
}
