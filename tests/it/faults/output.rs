//! Failures to write the output.

use std::{fs, fs::File, process::Stdio};

use serde_json::{Value, json};

use crate::support::{ALL, Tap, config, configured, everything, tenant};

const READ: [&str; 5] = ["read", "--config", "config.json", "--catalog", "catalog.json"];
const SYNC: [&str; 2] = ["--config", "config.json"];

#[test]
fn a_full_disk_is_reported_and_no_state_follows() {
    let sim = tenant(2, 2, 200);
    let tap = || {
        let tap = Tap::new(&config(&sim, everything()));
        tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
        tap
    };
    let others =
        [&["spec"][..], &["discover", "--config", "config.json"], &["check", "--config", "config.json"], &["--discover"], &["--about"]];
    for arguments in [&READ[..], &SYNC].into_iter().chain(others) {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let finished = tap().start(arguments, Stdio::from(full)).end();
        assert_eq!((finished.status, finished.signal), (Some(1), None), "{arguments:?}");
        let last = finished.stderr.lines().last().unwrap();
        assert!(last.contains("cannot write the output: No space left on device"), "{arguments:?}: {last}");
        let is_singer = arguments[0].starts_with("--");
        assert!(last.starts_with(if is_singer { "CRITICAL " } else { "tap-microsoft-teams: " }), "{arguments:?}: {last}");
    }
    // In the middle of the output: a file with a size limit.
    for arguments in [&READ[..], &SYNC] {
        let tap = tap();
        let script = r#"ulimit -f 200; exec "$@" >output"#;
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_tap-microsoft-teams")]).args(arguments).current_dir(tap.folder());
        let finished = command.env("SSL_CERT_FILE", "/dev/null").output().unwrap();
        let reported = String::from_utf8_lossy(&finished.stderr);
        assert!(finished.status.code() == Some(1) && reported.contains("File too large"), "{:?} {reported}", finished.status);
        // The limit may cut a character in half.
        let written = fs::read(tap.folder().join("output")).unwrap();
        let written = String::from_utf8_lossy(&written);
        let (lines, rest) = written.rsplit_once('\n').unwrap();
        assert!(!rest.is_empty(), "it ends in the midst of a line, where the limit is");
        let messages: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(messages.iter().any(|message| message["type"] == "RECORD"));
    }
}
