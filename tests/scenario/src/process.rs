//! One run of the executable: it ends by itself, is killed, told to end, or its reader goes.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

/// How long a run may take in real time.
const PATIENCE: Duration = Duration::from_secs(120);

/// The executable, run in a folder with its files.
#[derive(Clone, Debug)]
pub struct Program {
    executable: PathBuf,
    folder: PathBuf,
}

impl Program {
    pub fn new(executable: impl Into<PathBuf>, folder: impl Into<PathBuf>) -> Self {
        Self { executable: executable.into(), folder: folder.into() }
    }

    /// Writes a file; gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The folder in which it runs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The executable, to be run in its folder with an empty environment, but for the certificates of the system: there are none, since
    /// to read them takes longer than most runs.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.folder).env_clear().envs([("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")]);
        command
    }
}

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
#[derive(Debug)]
pub struct Ran {
    /// Whole lines only.
    pub lines: Vec<String>,
    /// [`None`] if a signal ended it.
    pub status: Option<i32>,
    pub signal: Option<i32>,
    pub stderr: String,
}

/// A process that may be ended from another thread.
#[derive(Clone, Debug)]
pub struct Process(Arc<Mutex<Child>>);

impl Process {
    pub fn start(program: &Program, arguments: &[&str]) -> Self {
        let mut command = program.command();
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Arc::new(Mutex::new(command.spawn().unwrap())))
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// SIGKILL.
    pub fn kill(&self) {
        let _ = self.child().kill();
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        // It has not been waited for: the number is still its own.
        let process = self.child().id().to_string();
        let _ = Command::new("sh").args(["-c", "kill -s TERM \"$0\"", &process]).stderr(Stdio::null()).status();
    }

    /// The most memory that was resident so far, in bytes, where the system tells.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child().id())).ok()?;
        let (_, peak) = status.split_once("VmHWM:")?;
        Some(peak.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
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
        let mut ran = Ran { lines: Vec::new(), status: None, signal: None, stderr: String::new() };
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
        let status = self.child().wait().unwrap();
        (ran.status, ran.signal) = (status.code(), status.signal());
        Ok(ran)
    }
}
