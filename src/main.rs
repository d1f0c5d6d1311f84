//! The executable: arguments in, exit code or signal out.

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

/// So long a run that is stopped writes what was read. A slow reader does not get all of it.
const GRACE: Duration = Duration::from_secs(1);

/// How often it is looked whether a run that is stopped has ended.
const STEP: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    panic::remember();
    let cli = Cli::parse();
    let stop = StopSignal::default();
    let (end, ended) = mpsc::channel();
    let result = Stdout::of_process().and_then(|stdout| {
        if let Err(error) = watch_signals(stop.clone(), stdout.clone(), ended) {
            complain(&format!("cannot watch signals: {error}"));
        }
        run(&cli, stdout, stop)
    });
    match result {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Failed) => ExitCode::FAILURE,
        Ok(Exit::Usage) => ExitCode::from(2),
        Ok(Exit::Stopped) => {
            // The watcher ends the process by the signal that it got.
            drop(end);
            std::thread::sleep(GRACE);
            ExitCode::FAILURE
        }
        // Whoever read us has gone; there is nobody to tell.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("cannot write the output: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Stops the run on the first signal, and the process by that signal when the run has ended, when nobody reads what it writes, or at a
/// second signal.
fn watch_signals(stop: StopSignal, stdout: Stdout, ended: mpsc::Receiver<()>) -> io::Result<()> {
    // A file that may not grow any more is then an error of the write that does not fit.
    flag::register(SIGXFSZ, Arc::default())?;
    let hangup = Some(SIGHUP).filter(|_| hangup_ends());
    let mut signals = Signals::new([SIGTERM, SIGINT].into_iter().chain(hangup))?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let Some(signal) = signals.forever().next() else { return };
        stop.end_asking();
        let (began, mut reader) = (Instant::now(), stdout.reader());
        while ended.recv_timeout(STEP) == Err(mpsc::RecvTimeoutError::Timeout) && signals.pending().next().is_none() && !reader.is_gone() {
            if began.elapsed() >= GRACE {
                stop.end_writing();
            }
        }
        end_by(signal);
    })?;
    Ok(())
}

/// Whether a hangup, as of a terminal that is closed, ends the process: not if whoever started it has that ignored, as `nohup` does. Where the
/// system does not say so, what it does is left to it.
fn hangup_ends() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    ignored.is_some_and(|ignored| ignored & (1 << (SIGHUP - 1)) == 0)
}

/// As PID 1 of a container a signal's default action does nothing, and emulating it would end in an abort: then the exit code says it.
#[expect(clippy::exit, reason = "the process ends here, whatever its threads do")]
fn end_by(signal: i32) {
    if std::process::id() != 1 {
        let _ = emulate_default_handler(signal);
    }
    std::process::exit(128 + signal);
}

fn complain(sentence: &str) {
    let _ = writeln!(Stderr, "tap-microsoft-teams: {sentence}");
}
