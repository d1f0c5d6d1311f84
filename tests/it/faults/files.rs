//! Configuration files that are not regular files.

use std::{
    fs::{self, File},
    process::Stdio,
};

use crate::support::{Finished, Output, Protocol, Tap, config, everything, tenant};

#[test]
fn files_may_be_pipes() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    let mut command = tap.command();
    // The shell passes a pipe, which keeps the secret off the disk.
    command.args(["check", "--config", "/dev/stdin"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::copy(&mut File::open(tap.folder().join("config.json")).unwrap(), &mut stdin).unwrap();
    drop(stdin);
    let output = Output::new(Protocol::Airbyte, Finished::from(child.wait_with_output().unwrap()));
    assert_eq!(output.verdict().0, "SUCCEEDED", "{:?}", output.verdict());
}

#[test]
fn unreadable_and_endless_files_are_reported() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    fs::write(tap.folder().join("catalog.json"), r#"{"streams": []}"#).unwrap();
    // Reading one's own memory from offset 0 fails for every user.
    for (file, reason) in [("/dev/zero", "it is larger than 64 MiB"), ("/proc/self/mem", "Input/output error")] {
        for (what, arguments) in [
            ("configuration", ["read", "--config", file, "--catalog", "catalog.json"].as_slice()),
            ("catalog", &["read", "--config", "config.json", "--catalog", file]),
        ] {
            let output = tap.run(arguments);
            let (kind, _, reported) = output.errors()[0];
            assert_eq!((output.status, kind), (Some(1), "config_error"));
            assert!(reported.starts_with(&format!("cannot use the {what} file {file}: {reason}")), "{reported}");
        }
    }
    assert_eq!(sim.journal().total(), 0);
}
