//! The program `graph-sim`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::{Deserializer, Value, json};

use crate::client::send;

/// A running `graph-sim`, killed when it is dropped.
struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_graph-sim"));
        command.args(["--teams", "1", "--channels", "2", "--messages", "3", "--long-threads", "0"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    fn json(&mut self) -> Value {
        Deserializer::from_reader(&mut self.stdout).into_iter().next().unwrap().unwrap()
    }

    /// The lines on stderr up to the last one.
    fn instructions(&mut self) -> String {
        let stderr = BufReader::new(self.child.stderr.take().unwrap());
        let mut text = String::new();
        for line in stderr.lines() {
            text += &line.unwrap();
            text += "\n";
            if text.contains("Ctrl-C") {
                return text;
            }
        }
        panic!("stderr ended: {text}");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const FREE_PORTS: [&str; 6] = ["--graph-port", "0", "--login-port", "0", "--control-port", "0"];

#[test]
fn stdout_is_a_complete_configuration_and_stderr_says_what_to_do_next() {
    let mut program = Program::start(&FREE_PORTS);
    let config = program.json();
    let names: Vec<_> = config.as_object().unwrap().keys().map(String::as_str).collect();
    let everything = ["fetch_all_teams", "fetch_all_channels", "fetch_all_messages", "pace"];
    assert_eq!(names, [&["tenant_id", "client_id", "client_secret", "graph_url", "login_url"][..], &everything].concat());
    assert_eq!(everything.map(|name| config[name].clone()), [json!(true), json!(true), json!(true), json!(0)]);

    let instructions = program.instructions();
    assert!(instructions.contains("1 team, 2 channels, 6 messages and "), "{instructions}");
    assert!(instructions.contains("tap-microsoft-teams check --config config.json"), "{instructions}");
    let control = instructions.lines().find_map(|line| line.trim().strip_prefix("control API  ")?.split(' ').next()).unwrap();
    let tree = send("GET", &format!("{control}/tree"), &[], "").unwrap().json();
    assert_eq!(tree[0]["channels"].as_array().unwrap().len(), 2);
}

#[test]
fn limits_set_the_pace_of_the_configuration() {
    assert_eq!(Program::start(&[&FREE_PORTS[..], &["--limits", "--speed", "10"]].concat()).json()["pace"], 10.0);
}

#[test]
fn scripts_get_one_line_with_the_configuration_and_the_control_url() {
    let mut line = String::new();
    Program::start(&["--json"]).stdout.read_line(&mut line).unwrap();
    let started: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(started["config"]["fetch_all_teams"], true);
    assert!(started["control_url"].as_str().unwrap().starts_with("http://127.0.0.1:"));
}

#[test]
fn a_default_port_in_use_is_replaced_and_a_port_that_was_set_is_not() {
    let mut first = Program::start(&[]);
    let first_url = first.json()["graph_url"].clone();
    let mut second = Program::start(&[]);
    assert_ne!(second.json()["graph_url"], first_url);
    let messages = [first.instructions(), second.instructions()].concat();
    assert!(messages.contains("graph-sim: port 8801 is in use; using a free port instead of it\n"), "{messages}");

    let taken = first_url.as_str().unwrap().rsplit(':').next().unwrap();
    let mut third = Program::start(&["--graph-port", taken]);
    let mut error = String::new();
    BufReader::new(third.child.stderr.take().unwrap()).read_line(&mut error).unwrap();
    assert_eq!(error, format!("graph-sim: cannot listen on port {taken}; set --graph-port to another port, or to 0 for a free one\n"));
    assert_eq!(third.child.wait().unwrap().code(), Some(1));
}
