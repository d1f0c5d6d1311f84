//! stdout and stderr of the process: what is written gets out whole, however slowly it is taken, and it can be seen whether somebody takes it.

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

/// So many bytes are handed over at once: a page of a pipe. A reader that takes one makes room for the next, and so it is seen that it reads,
/// however slowly; of a larger piece that waits nothing would be seen until all of it has gone.
const PIECE: usize = 4096;

/// A reader that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// The stdout of the process. Clones write to the same.
#[derive(Clone, Debug)]
pub struct Stdout {
    // Not std's, which would look for line ends in everything once more.
    file: Arc<File>,
    written: Arc<AtomicU64>,
    is_pipe: bool,
}

/// How far a reader has come; different when it has taken something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Taken {
    written: u64,
    /// Bytes in the pipe.
    waiting: Option<u64>,
}

/// Looks whether somebody reads stdout.
#[derive(Debug)]
pub struct Reader {
    stdout: Stdout,
    taken: Taken,
    since: Instant,
}

impl Stdout {
    /// That of the process.
    ///
    /// # Errors
    /// If the process has no file descriptor left.
    pub fn of_process() -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let is_pipe = fstat(&file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
        Ok(Self { file: Arc::new(file), written: Arc::default(), is_pipe })
    }

    /// Whether somebody reads it, from now on.
    pub fn reader(&self) -> Reader {
        Reader { stdout: self.clone(), taken: self.taken(), since: Instant::now() }
    }

    fn taken(&self) -> Taken {
        let waiting = if self.is_pipe { ioctl_fionread(&self.file).ok() } else { None };
        Taken { written: self.written.load(Ordering::Relaxed), waiting }
    }
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(PIECE)];
        let written = write_when_possible(self.file.as_fd(), || (&*self.file).write(piece))?;
        self.written.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader {
    /// Whether nothing was taken for so long that nobody will.
    pub fn is_gone(&mut self) -> bool {
        self.has_rested(self.stdout.taken(), Instant::now())
    }

    fn has_rested(&mut self, taken: Taken, now: Instant) -> bool {
        if taken != self.taken {
            (self.taken, self.since) = (taken, now);
        }
        now.duration_since(self.since) >= PATIENCE
    }
}

/// The stderr of the process.
#[derive(Clone, Copy, Debug)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr();
        write_when_possible(io::stderr().as_fd(), || stderr.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whoever shares a terminal or a pipe with us may have set it not to block: then we wait by ourselves.
fn write_when_possible(to: BorrowedFd<'_>, mut write: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
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

/// An error if nothing that is written to stdout would reach anybody.
///
/// # Errors
/// If stdout was closed when the process began, or cannot be written.
pub fn check_stdout() -> io::Result<()> {
    let stdout = io::stdout();
    let mode = fcntl_getfl(&stdout)? & OFlags::RWMODE;
    // Where stdout is closed, the runtime opens /dev/null in its place, for reading too, before a file or a socket could get its number.
    // A redirection opens it for writing.
    if mode == OFlags::RDONLY || mode == OFlags::RDWR && is_null(stdout.as_fd()) {
        return Err(io::Error::new(
            ErrorKind::NotConnected,
            "stdout is closed, or is /dev/null opened for reading as well: every record would be lost; \
            hint: connect stdout to the program that takes the records; to discard them, redirect stdout with `>/dev/null`, or in Python pass \
            `open(os.devnull, \"w\")` instead of `subprocess.DEVNULL`",
        ));
    }
    Ok(())
}

fn is_null(file: BorrowedFd<'_>) -> bool {
    let device = |stat: rustix::fs::Stat| (FileType::from_raw_mode(stat.st_mode), stat.st_rdev);
    match (fstat(file).map(device), stat(Path::new("/dev/null")).map(device)) {
        (Ok(of_file), Ok(of_null)) => of_file == of_null && of_null.0 == FileType::CharacterDevice,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, thread};

    use super::*;

    #[test]
    fn it_is_seen_that_a_reader_takes_a_page_from_a_full_pipe() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut stdout = Stdout { file: Arc::new(File::from(std::os::fd::OwnedFd::from(writer))), written: Arc::default(), is_pipe: true };
        let (out, began) = (stdout.clone(), Instant::now());
        let is_over = || began.elapsed() > Duration::from_secs(10);
        let writing = thread::spawn(move || stdout.write_all(&[b'x'; 1 << 20]));
        for _ in 0..20 {
            let mut full = out.taken();
            while full.waiting < Some(60_000) {
                assert!(!is_over(), "it does not fill");
                thread::yield_now();
                full = out.taken();
            }
            reader.read_exact(&mut [0; 4096]).unwrap();
            while out.taken() == full {
                assert!(!is_over(), "nothing is seen of it");
                thread::yield_now();
            }
        }
        io::copy(&mut reader.take((1 << 20) - 20 * 4096), &mut io::sink()).unwrap();
        writing.join().unwrap().unwrap();
    }

    #[test]
    fn a_reader_is_gone_when_it_has_taken_nothing_for_two_seconds_however_slow_it_was_before() {
        let (stdout, at) = (Stdout::of_process().unwrap(), Instant::now());
        let taken = |written, waiting| Taken { written, waiting: Some(waiting) };
        let mut reader = Reader { stdout, taken: taken(0, 65_536), since: at };
        let mut is_gone = |taken, milliseconds| reader.has_rested(taken, at + Duration::from_millis(milliseconds));
        // It takes from the pipe, into which nothing more fits yet; then we write; then nothing.
        let seen = [
            (taken(0, 65_536), 1999),
            (taken(0, 65_535), 3998),
            (taken(4096, 65_535), 5997),
            (taken(4096, 65_535), 7996),
            (taken(4096, 65_535), 7997),
        ];
        assert_eq!(seen.map(|(taken, at)| is_gone(taken, at)), [false, false, false, false, true]);
    }
}
