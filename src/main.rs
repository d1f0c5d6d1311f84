//! The executable: arguments in, exit code or signal out.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    os::fd::AsFd,
    process::ExitCode,
    sync::{Arc, mpsc},
    time::Duration,
};

use clap::Parser;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
    low_level::emulate_default_handler,
};
use tap_microsoft_teams::{
    cli::Cli,
    command::{Exit, run},
    panic,
};
use tokio_util::sync::CancellationToken;

/// How long a run that is told to stop may take to write what is complete.
const GRACE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    panic::remember();
    let cli = Cli::parse();
    let stop = CancellationToken::new();
    let (end, ended) = mpsc::channel();
    if let Err(error) = watch_signals(stop.clone(), ended) {
        complain(&format!("cannot watch signals: {error}"));
    }
    // Not std's stdout, which would look for line ends in everything once more.
    let result = io::stdout().as_fd().try_clone_to_owned().and_then(|stdout| run(&cli, Arc::new(File::from(stdout)), stop));
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

/// Stops the run on the first signal, and the process by that signal when the run has ended, at a second signal, or after [`GRACE`].
fn watch_signals(stop: CancellationToken, ended: mpsc::Receiver<()>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let Some(signal) = signals.forever().next() else { return };
        stop.cancel();
        let until = std::time::Instant::now() + GRACE;
        let step = Duration::from_millis(20);
        while std::time::Instant::now() < until
            && ended.recv_timeout(step) == Err(mpsc::RecvTimeoutError::Timeout)
            && signals.pending().next().is_none()
        {}
        end_by(signal);
    })?;
    Ok(())
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
    let _ = writeln!(io::stderr(), "tap-microsoft-teams: {sentence}");
}
