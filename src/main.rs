//! The executable: parses the arguments, runs the command, and handles signals and exit codes.

use std::{
    fs,
    io::{self, ErrorKind, Write},
    process::ExitCode,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use clap::Parser;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    flag,
    iterator::Signals,
    low_level::emulate_default_handler,
};
use tap_microsoft_teams::{
    cli::Cli,
    command::{Exit, run},
    emit::StopSignal,
    error::panic,
    stdio::{Stderr, Stdout},
};

/// How long a stopped run may write what was read. A slow reader does not receive all of it.
const GRACE_PERIOD: Duration = Duration::from_secs(1);

/// Interval of the checks whether a stopped run has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    panic::install_hook();
    let cli = Cli::parse();
    let stop = StopSignal::default();
    let (end, ended) = mpsc::channel();
    let result = Stdout::of_process().and_then(|stdout| {
        if let Err(error) = handle_signals(stop.clone(), stdout.clone(), ended) {
            print_error(&format!("cannot handle signals: {error}"));
        }
        run(&cli, stdout, stop)
    });
    match result {
        Ok(Exit::Success) => ExitCode::SUCCESS,
        Ok(Exit::Failure) => ExitCode::FAILURE,
        Ok(Exit::Usage) => ExitCode::from(2),
        Ok(Exit::Stopped) => {
            // The signal thread ends the process with the signal.
            drop(end);
            std::thread::sleep(GRACE_PERIOD);
            ExitCode::FAILURE
        }
        // The reader closed the pipe; exit quietly.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            print_error(&format!("cannot write the output: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Stops the run on the first signal. Ends the process with that signal when the run has ended, when the reader of stdout is gone, or on a
/// second signal.
fn handle_signals(stop: StopSignal, stdout: Stdout, ended: mpsc::Receiver<()>) -> io::Result<()> {
    // A write beyond the limit of the file size then fails with an error, instead of ending the process.
    flag::register(SIGXFSZ, Arc::default())?;
    let hangup = Some(SIGHUP).filter(|_| hangup_has_default_action());
    let mut signals = Signals::new([SIGTERM, SIGINT].into_iter().chain(hangup))?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let Some(signal) = signals.forever().next() else { return };
        stop.stop_requests();
        let (stopped_at, mut reader) = (Instant::now(), stdout.watch_reader());
        while ended.recv_timeout(POLL_INTERVAL) == Err(mpsc::RecvTimeoutError::Timeout)
            && signals.pending().next().is_none()
            && !reader.is_gone()
        {
            if stopped_at.elapsed() >= GRACE_PERIOD {
                stop.stop_writing();
            }
        }
        exit_with_signal(signal);
    })?;
    Ok(())
}

/// Whether SIGHUP is not ignored, as `nohup` does. False if the system does not provide this information.
fn hangup_has_default_action() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored & (1 << (SIGHUP - 1)) == 0)
}

/// Ends the process with a signal. As PID 1 of a container a signal has no default action, and emulating it would abort; there the exit code
/// contains the signal.
#[expect(clippy::exit, reason = "the process ends here, even if threads are still running")]
fn exit_with_signal(signal: i32) {
    if std::process::id() != 1 {
        let _ = emulate_default_handler(signal);
    }
    std::process::exit(128 + signal);
}

fn print_error(message: &str) {
    let _ = writeln!(Stderr, "tap-microsoft-teams: {message}");
}
