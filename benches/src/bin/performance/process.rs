//! Runs a process and measures it.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use wait4::Wait4;

use crate::Result;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) wall: Duration,
    /// User and kernel time of all threads.
    pub(crate) cpu: Duration,
    /// Peak resident memory in bytes.
    pub(crate) peak: u64,
}

/// The size of what was written to stdout.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Output {
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
}

/// Runs a command and discards its output.
pub(crate) fn run(command: &mut Command) -> Result<Usage> {
    let (began, child) = start(command.stdout(Stdio::null()))?;
    end(child, began)
}

/// Like `run` for a command that may fail; also returns whether it failed.
pub(crate) fn attempt(command: &mut Command) -> Result<(Usage, bool)> {
    let (began, child) = start(command.stdout(Stdio::null()))?;
    let (usage, status) = wait(child, began)?;
    Ok((usage, !status.success()))
}

/// Runs a command and counts its output.
pub(crate) fn count(command: &mut Command) -> Result<(Usage, Output)> {
    let (began, mut child) = start(command.stdout(Stdio::piped()))?;
    let mut stdout = stdout(&mut child)?;
    let mut block = vec![0; 1 << 18];
    let mut output = Output::default();
    loop {
        let length = stdout.read(&mut block)?;
        if length == 0 {
            return Ok((end(child, began)?, output));
        }
        output.bytes += length as u64;
        output.lines += block.iter().take(length).filter(|byte| **byte == b'\n').count() as u64;
    }
}

/// Runs a command and calls `keep` with each line of its output that starts with `beginning`.
pub(crate) fn lines(command: &mut Command, beginning: &[u8], mut keep: impl FnMut(&[u8]) -> Result<()>) -> Result<Usage> {
    let (began, mut child) = start(command.stdout(Stdio::piped()))?;
    let mut stdout = BufReader::with_capacity(1 << 18, stdout(&mut child)?);
    let mut line = Vec::new();
    while stdout.read_until(b'\n', &mut line)? > 0 {
        if line.starts_with(beginning) {
            keep(&line)?;
        }
        line.clear();
    }
    end(child, began)
}

/// Runs a command, reads its output at this rate, and kills it after `time`. Also returns the number of bytes read.
pub(crate) fn slowly(command: &mut Command, bytes_per_second: usize, time: Duration) -> Result<(Usage, u64)> {
    let (began, mut child) = start(command.stdout(Stdio::piped()))?;
    let mut stdout = stdout(&mut child)?;
    let mut part = vec![0; bytes_per_second / 10];
    let mut taken = 0;
    while began.elapsed() < time {
        stdout.read_exact(&mut part)?;
        taken += part.len() as u64;
        let due = Duration::from_secs_f64(taken as f64 / bytes_per_second as f64);
        thread::sleep(due.saturating_sub(began.elapsed()));
    }
    child.kill()?;
    let (usage, _) = wait(child, began)?;
    Ok((usage, taken))
}

pub(crate) fn file(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    Ok(File::create(path)?.write_all(content.as_ref())?)
}

fn start(command: &mut Command) -> Result<(Instant, Child)> {
    let began = Instant::now();
    let child = command.stdin(Stdio::null()).spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    Ok((began, child))
}

fn stdout(child: &mut Child) -> Result<ChildStdout> {
    Ok(child.stdout.take().ok_or("a process without stdout")?)
}

fn end(child: Child, began: Instant) -> Result<Usage> {
    let (usage, status) = wait(child, began)?;
    if status.success() { Ok(usage) } else { Err(format!("a measured process ended with {status}").into()) }
}

fn wait(child: Child, began: Instant) -> Result<(Usage, ExitStatus)> {
    let ended = child.wait4()?;
    let used = ended.rusage;
    Ok((Usage { wall: began.elapsed(), cpu: used.utime + used.stime, peak: used.maxrss }, ended.status))
}
