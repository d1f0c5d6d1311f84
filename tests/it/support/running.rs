//! A running executable, to be stopped by a signal or by closing its output.

use std::{
    fs,
    io::Read,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{Tap, tap::Finished};

/// The maximum time to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running process. It is killed on drop.
pub struct Running {
    tap: Tap,
    child: Option<Child>,
    /// The output read so far.
    read: Vec<u8>,
}

impl Tap {
    pub fn start(self, arguments: &[&str], stdout: impl Into<Stdio>) -> Running {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
        Running { child: Some(command.spawn().unwrap()), tap: self, read: Vec::new() }
    }
}

impl Running {
    pub fn signal(&self, name: &str) {
        let process = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &process]).status().unwrap().success());
    }

    /// Reads lines until `is_enough` is true for the output so far.
    pub fn read_until(&mut self, is_enough: impl Fn(&str) -> bool) {
        let stdout = self.child.as_mut().unwrap().stdout.as_mut().unwrap();
        let mut byte = [0];
        while stdout.read(&mut byte).unwrap() > 0 {
            self.read.push(byte[0]);
            if byte == [b'\n'] && is_enough(str::from_utf8(&self.read).unwrap()) {
                return;
            }
        }
        panic!("the output ends early: {}", String::from_utf8_lossy(&self.read));
    }

    /// Peak memory so far, in MiB.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.as_ref().unwrap().id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
    }

    /// Closes the reading end of its stdout.
    pub fn stop_reading(&mut self) {
        drop(self.child.as_mut().unwrap().stdout.take());
    }

    /// Reads the output until the process exits, which must be soon.
    pub fn end(mut self) -> Finished {
        let child = self.child.take().unwrap();
        let process = child.id().to_string();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = receiver.recv_timeout(PATIENCE) else {
            let _ = Command::new("sh").args(["-c", "kill -s KILL \"$0\"", &process]).status();
            panic!("the process does not exit");
        };
        let mut output = output.unwrap();
        output.stdout.splice(..0, std::mem::take(&mut self.read));
        let finished = Finished::from(output);
        self.tap.assert_no_secret(&finished);
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
