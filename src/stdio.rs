//! Writers for stdout and stderr that handle slow and non-blocking readers, and a check whether stdout is still being read.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    os::fd::{AsFd, BorrowedFd},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::{FileType, OFlags, fcntl_getfl, fstat, stat},
    io::{Errno, ioctl_fionread},
};

/// Maximum size of a write, in bytes: one page of a pipe. With small writes, a slow reader makes visible progress with each page.
const MAX_WRITE: usize = 4096;

/// A reader that reads nothing for this long is considered gone.
const READER_TIMEOUT: Duration = Duration::from_secs(2);

/// The stdout of the process. Clones share it.
#[derive(Clone, Debug)]
pub struct Stdout {
    // Not std's stdout, which would search all output for line ends.
    file: Arc<File>,
    written: Arc<AtomicU64>,
    is_pipe: bool,
}

/// The progress of the reader. It changes whenever something is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct ReaderProgress {
    written: u64,
    /// Unread bytes in the pipe.
    unread: Option<u64>,
}

/// Detects whether stdout is still being read.
#[derive(Debug)]
pub struct ReaderWatch {
    stdout: Stdout,
    progress: ReaderProgress,
    since: Instant,
}

impl Stdout {
    /// # Errors
    /// If the process has no file descriptor left.
    pub fn of_process() -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let is_pipe = fstat(&file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
        Ok(Self { file: Arc::new(file), written: Arc::default(), is_pipe })
    }

    pub fn watch_reader(&self) -> ReaderWatch {
        ReaderWatch { stdout: self.clone(), progress: self.reader_progress(), since: Instant::now() }
    }

    fn reader_progress(&self) -> ReaderProgress {
        let unread = if self.is_pipe { ioctl_fionread(&self.file).ok() } else { None };
        ReaderProgress { written: self.written.load(Ordering::Relaxed), unread }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = &bytes[..bytes.len().min(MAX_WRITE)];
        let written = blocking_write(self.file.as_fd(), || (&*self.file).write(chunk))?;
        self.written.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ReaderWatch {
    /// Whether nothing was read for `READER_TIMEOUT`.
    pub fn is_gone(&mut self) -> bool {
        self.has_timed_out(self.stdout.reader_progress(), Instant::now())
    }

    fn has_timed_out(&mut self, progress: ReaderProgress, now: Instant) -> bool {
        if progress != self.progress {
            (self.progress, self.since) = (progress, now);
        }
        now.duration_since(self.since) >= READER_TIMEOUT
    }
}

/// The stderr of the process.
#[derive(Clone, Copy, Debug)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr();
        blocking_write(io::stderr().as_fd(), || stderr.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits until a write is possible. Another process that shares the terminal or the pipe may have made it non-blocking.
fn blocking_write(to: BorrowedFd<'_>, mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if let Err(error) = poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], None)
                    && error != Errno::INTR
                {
                    return Err(error.into());
                }
            }
            result => return result,
        }
    }
}

/// Checks that output to stdout can reach a reader.
///
/// # Errors
/// If stdout was closed when the process started, or is not writable.
pub fn check_stdout() -> io::Result<()> {
    let stdout = io::stdout();
    let mode = fcntl_getfl(&stdout)? & OFlags::RWMODE;
    // If stdout is closed, the Rust runtime opens /dev/null in its place, for reading and writing. A redirection opens it for writing only.
    if mode == OFlags::RDONLY || mode == OFlags::RDWR && is_null(stdout.as_fd()) {
        return Err(io::Error::new(
            ErrorKind::NotConnected,
            "stdout is closed, or is /dev/null opened for reading and writing, so all records would be lost; \
            hint: connect stdout to the program that reads the records; to discard them, redirect stdout with `>/dev/null`, or in Python pass \
            `open(os.devnull, \"w\")` instead of `subprocess.DEVNULL`",
        ));
    }
    Ok(())
}

fn is_null(file: BorrowedFd<'_>) -> bool {
    let device = |stat: rustix::fs::Stat| (FileType::from_raw_mode(stat.st_mode), stat.st_rdev);
    match (fstat(file).map(device), stat(Path::new("/dev/null")).map(device)) {
        (Ok(file), Ok(null)) => file == null && null.0 == FileType::CharacterDevice,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, thread};

    use super::*;

    #[test]
    fn reading_a_page_from_a_full_pipe_is_detected() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut stdout = Stdout { file: Arc::new(File::from(std::os::fd::OwnedFd::from(writer))), written: Arc::default(), is_pipe: true };
        let (out, started) = (stdout.clone(), Instant::now());
        let is_over = || started.elapsed() > Duration::from_secs(10);
        let writing = thread::spawn(move || stdout.write_all(&[b'x'; 1 << 20]));
        for _ in 0..20 {
            let mut full = out.reader_progress();
            while full.unread < Some(60_000) {
                assert!(!is_over(), "the pipe does not fill");
                thread::yield_now();
                full = out.reader_progress();
            }
            reader.read_exact(&mut [0; 4096]).unwrap();
            while out.reader_progress() == full {
                assert!(!is_over(), "the read is not detected");
                thread::yield_now();
            }
        }
        io::copy(&mut reader.take((1 << 20) - 20 * 4096), &mut io::sink()).unwrap();
        writing.join().unwrap().unwrap();
    }

    #[test]
    fn a_reader_is_gone_after_two_seconds_without_a_read() {
        let (stdout, start) = (Stdout::of_process().unwrap(), Instant::now());
        let progress = |written, unread| ReaderProgress { written, unread: Some(unread) };
        let mut watch = ReaderWatch { stdout, progress: progress(0, 65_536), since: start };
        let mut is_gone = |progress, milliseconds| watch.has_timed_out(progress, start + Duration::from_millis(milliseconds));
        // The reader reads from a full pipe; then it is refilled; then nothing happens.
        let observations = [
            (progress(0, 65_536), 1999),
            (progress(0, 65_535), 3998),
            (progress(4096, 65_535), 5997),
            (progress(4096, 65_535), 7996),
            (progress(4096, 65_535), 7997),
        ];
        assert_eq!(observations.map(|(progress, at)| is_gone(progress, at)), [false, false, false, false, true]);
    }
}
