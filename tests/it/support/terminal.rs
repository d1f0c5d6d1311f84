//! Runs the executable on a terminal.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read},
    os::fd::OwnedFd,
    process::Stdio,
    thread,
};

use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use super::{Finished, Tap};

const COLUMNS: u16 = 160;
const ROWS: u16 = 120;

/// The result of a run on a terminal.
pub struct Watched {
    pub finished: Finished,
    /// Everything that was written to the terminal.
    pub bytes: String,
    /// The final contents of the screen.
    pub screen: String,
}

impl Tap {
    /// Runs it with stderr on a terminal, and stdout there too or in a pipe.
    pub fn watch(&self, arguments: &[&str], environment: &[(&str, &str)], also_stdout: bool) -> Watched {
        self.watch_at(COLUMNS, arguments, environment, also_stdout)
    }

    /// Like `watch`, on a terminal with this many columns.
    pub fn watch_at(&self, columns: u16, arguments: &[&str], environment: &[(&str, &str)], also_stdout: bool) -> Watched {
        let (terminal, side) = open(columns);
        let mut command = self.command();
        command.args(arguments).env("TERM", "xterm").envs(environment.iter().copied()).stdin(Stdio::null());
        command.stdout(if also_stdout { side.try_clone().unwrap().into() } else { Stdio::piped() }).stderr(side);
        let child = command.spawn().unwrap();
        // The reader sees the end only when all handles of the other side are closed.
        drop(command);
        let reader = thread::spawn(move || read(terminal));
        let finished = Finished::from(child.wait_with_output().unwrap());
        let bytes = reader.join().unwrap();
        let mut parser = vt100::Parser::new(ROWS, columns, 0);
        parser.process(bytes.as_bytes());
        Watched { finished, bytes, screen: parser.screen().contents() }
    }
}

/// Opens a terminal; returns it with the side for the program.
fn open(columns: u16) -> (OwnedFd, OwnedFd) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let path = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let side = OwnedFd::from(OpenOptions::new().read(true).write(true).open(path).unwrap());
    tcsetwinsize(&side, Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    (terminal, side)
}

fn read(terminal: OwnedFd) -> String {
    let (mut terminal, mut bytes, mut part) = (File::from(terminal), Vec::new(), [0; 4096]);
    loop {
        match terminal.read(&mut part) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // On Linux, reading fails when the other side is closed.
            Err(_) => break,
        }
    }
    // If stdout and stderr share a terminal, one may interrupt a character of the other.
    String::from_utf8_lossy(&bytes).into_owned()
}
