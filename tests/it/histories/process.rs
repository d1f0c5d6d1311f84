//! One run of the executable: it ends by itself, is killed, told to end, or its reader goes.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use crate::support::Tap;

/// How long a run may take in real time.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a run ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    Own,
    /// SIGKILL before so many requests are answered.
    Killed(u64),
    /// SIGTERM there.
    Told(u64),
    /// Its output is closed behind so many lines.
    Left(usize),
}

/// What a run wrote and how it ended.
pub struct Ran {
    /// Whole lines only.
    pub lines: Vec<String>,
    pub status: Option<i32>,
    pub stderr: String,
}

/// A process that may be ended from another thread.
#[derive(Clone)]
pub struct Process(Arc<Mutex<Child>>);

impl Process {
    pub fn start(tap: &Tap, arguments: &[&str]) -> Self {
        let mut command = tap.command();
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Arc::new(Mutex::new(command.spawn().unwrap())))
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn kill(&self) {
        let _ = self.child().kill();
    }

    pub fn terminate(&self) {
        // It has not been waited for: the number is still its own.
        let process = self.child().id().to_string();
        let _ = Command::new("sh").args(["-c", "kill -s TERM \"$0\"", &process]).stderr(Stdio::null()).status();
    }

    /// Reads what it writes until it ends, or so many lines of it.
    pub fn end(&self, lines: usize) -> Result<Ran, String> {
        let (stdout, mut stderr) = {
            let mut child = self.child();
            (child.stdout.take().unwrap(), child.stderr.take().unwrap())
        };
        let (sender, receiver) = mpsc::channel();
        let out = sender.clone();
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            let mut read = Vec::new();
            let mut line = String::new();
            while read.len() < lines && reader.read_line(&mut line).unwrap_or(0) > 0 {
                // A process that is killed may leave half a line.
                if line.pop() == Some('\n') {
                    read.push(std::mem::take(&mut line));
                }
            }
            let _ = out.send((read, None));
        });
        thread::spawn(move || {
            let mut text = String::new();
            let _ = stderr.read_to_string(&mut text);
            let _ = sender.send((Vec::new(), Some(text)));
        });
        let mut ran = Ran { lines: Vec::new(), status: None, stderr: String::new() };
        for _ in 0..2 {
            match receiver.recv_timeout(PATIENCE) {
                Ok((_, Some(text))) => ran.stderr = text,
                Ok((lines, None)) => ran.lines = lines,
                Err(_) => {
                    self.kill();
                    return Err(format!("a run does not end within {PATIENCE:?}"));
                }
            }
        }
        ran.status = self.child().wait().unwrap().code();
        Ok(ran)
    }
}
