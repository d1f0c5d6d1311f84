//! One run of the executable, which ends by itself, is killed or terminated, or loses its reader.

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

/// The maximum duration of a run in real time.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The executable, and the folder in which it runs.
#[derive(Clone, Debug)]
pub struct Program {
    executable: PathBuf,
    folder: PathBuf,
}

impl Program {
    pub fn new(executable: impl Into<PathBuf>, folder: impl Into<PathBuf>) -> Self {
        Self { executable: executable.into(), folder: folder.into() }
    }

    /// Writes a file and returns its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command that runs the executable in its folder. The environment is empty except for the variables that disable the system's
    /// certificates: reading those takes longer than most runs.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.folder).env_clear().envs([("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")]);
        command
    }
}

/// How a run ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// The run ends by itself.
    Natural,
    /// SIGKILL before this request is answered.
    Killed(u64),
    /// SIGTERM before this request is answered.
    Terminated(u64),
    /// The reader closes the pipe after this number of lines.
    ReaderClosed(usize),
}

/// The output and the exit status of a run.
#[derive(Debug)]
pub struct RunOutput {
    /// Complete lines only.
    pub lines: Vec<String>,
    /// [`None`] if a signal ended it.
    pub status: Option<i32>,
    pub signal: Option<i32>,
    pub stderr: String,
}

/// A process that can be killed from another thread.
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
        // The process has not been waited for, so its id is still valid.
        let process = self.child().id().to_string();
        let _ = Command::new("sh").args(["-c", "kill -s TERM \"$0\"", &process]).stderr(Stdio::null()).status();
    }

    /// The peak resident memory so far in bytes, if the system reports it.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child().id())).ok()?;
        let (_, peak) = status.split_once("VmHWM:")?;
        Some(peak.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    }

    /// Reads the output until the process ends, or at most `max_lines` of it.
    pub fn finish(&self, max_lines: usize) -> Result<RunOutput, String> {
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
            while read.len() < max_lines && reader.read_line(&mut line).unwrap_or(0) > 0 {
                // A killed process may leave an incomplete line.
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
        let mut output = RunOutput { lines: Vec::new(), status: None, signal: None, stderr: String::new() };
        for _ in 0..2 {
            match receiver.recv_timeout(TIMEOUT) {
                Ok((_, Some(text))) => output.stderr = text,
                Ok((lines, None)) => output.lines = lines,
                Err(_) => {
                    self.kill();
                    return Err(format!("the run did not end within {TIMEOUT:?}"));
                }
            }
        }
        let status = self.child().wait().unwrap();
        (output.status, output.signal) = (status.code(), status.signal());
        Ok(output)
    }
}
