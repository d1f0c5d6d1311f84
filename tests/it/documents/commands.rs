//! Commands in code blocks and in sentences: commands of the executable run on a simulated tenant; the others have a known runner.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use graph_sim::GraphSim;
use serde_json::json;

use super::documents;
use crate::support::{ALL, Tap, config, configured, everything, root, tenant};

const EXECUTABLE: &str = "tap-microsoft-teams";

/// What runs a command that is not of the executable.
enum Runner {
    /// A script of the repository that contains this word.
    Script(&'static str, &'static str),
    /// Nothing, for this reason.
    Nobody(&'static str),
}
use Runner::{Nobody, Script};

/// Commands by their beginning; the first match counts.
const OTHERS: &[(&str, Runner)] = &[
    ("az", Nobody("needs a tenant of Microsoft Entra, and changes it")),
    ("cargo build", Nobody("part of the tests")),
    ("cargo run --release --example demo", Script("examples/demo/main.rs", "#[test]")),
    ("cargo run --release --package graph-sim", Script("tests/graph-sim/tests/it/program.rs", "CARGO_BIN_EXE_graph-sim")),
    ("cargo test --workspace", Script(".ci/run", "README.md")),
    ("cargo test -p tap-microsoft-teams --test it", Nobody("part of the tests")),
    ("cp", Nobody("a copy for the following commands; tests/consumers/meltano creates its own")),
    ("curl -s", Script("tests/graph-sim/tests/it/readme.rs", "curl ")),
    ("docker", Nobody("needs Docker; tests/consumers/image builds and tests the image")),
    ("kind", Nobody("needs an Airbyte cluster")),
    ("meltano", Script("tests/consumers/meltano/project.py", "meltano")),
    ("psql", Script("tests/consumers/support/postgres.py", "postgres")),
    ("python3 -m venv", Script("tests/consumers/support/environments.py", "venv")),
    ("check/bin/pip", Script("tests/consumers/requirements/singer-tools.in", "singer-tools")),
    ("check/bin/singer-check-tap", Script("tests/consumers/singer/check_tap.py", "singer-check-tap")),
    ("csv/bin/pip", Script("tests/consumers/requirements/target-csv.in", "target-csv")),
    ("csv/bin/target-csv", Script("tests/consumers/singer/csv.py", "target-csv")),
    ("jsonl/bin/pip", Script("tests/consumers/requirements/target-jsonl.in", "target-jsonl")),
    ("jsonl/bin/target-jsonl", Script("tests/consumers/singer/jsonl.py", "target-jsonl")),
    ("target-jsonl", Script("tests/consumers/singer/jsonl.py", "target-jsonl")),
    ("postgres/bin/", Script("tests/consumers/requirements/target-postgres-meltanolabs.in", "target-postgres")),
    ("elasticsearch/bin/", Script("tests/consumers/requirements/target-elasticsearch.in", "target-elasticsearch")),
    ("pipelinewise/bin/", Script("tests/consumers/requirements/target-postgres-pipelinewise.in", "target-postgres")),
    ("target ", Nobody("a placeholder for any target")),
    ("cd", Nobody("a shell builtin")),
    ("echo", Nobody("writes a file for the following command")),
    ("gh ", Nobody("needs a release and a GitHub account")),
    ("git clone", Nobody("needs the network")),
    ("git diff", Nobody("for humans to read")),
    ("git push", Nobody("creates a release")),
    ("git tag", Nobody("creates a release with a maintainer's key")),
    ("printf", Nobody("writes a file for the following command")),
    ("sha256sum", Nobody("needs the files of a release")),
    ("./fleet", Script("tests/consumers/meltano/fleet.py", "./fleet")),
    ("./tenant", Script("examples/fleet/fleet", "./tenant")),
    ("export", Nobody("a shell builtin")),
    ("mkdir", Nobody("creates a folder for the following command")),
    ("set", Nobody("a shell builtin")),
    ("head", Nobody("shortens the output of the command before it")),
    ("jq ", Nobody("creates a state for the following command, as a platform does")),
    ("tail", Nobody("keeps a state for the following command")),
];

/// A program with its arguments, its own environment variables, and the file for its output.
#[derive(Debug, PartialEq)]
struct Command {
    environment: Vec<(String, String)>,
    words: Vec<String>,
    output: Option<String>,
}

/// The commands of a block with their line numbers.
fn commands(block: &str) -> Vec<(usize, Command)> {
    let mut found = Vec::new();
    let joined = block.replace("\\\n", " \u{0}");
    for (number, line) in joined.lines().enumerate() {
        let continued = joined.lines().take(number).map(|line| line.matches('\u{0}').count()).sum::<usize>();
        let words = shlex::split(&line.replace('\u{0}', "")).unwrap_or_else(|| panic!("no shell would take {line}"));
        for words in words.split(|word| matches!(word.as_str(), "|" | "&&" | "||" | ";")).filter(|words| !words.is_empty()) {
            let mut command = Command { environment: Vec::new(), words: Vec::new(), output: None };
            let mut words = words.iter();
            while let Some(word) = words.next() {
                match word.as_str() {
                    ">" => command.output = words.next().cloned(),
                    ">>" | "2>" | "<" => drop(words.next()),
                    word if command.words.is_empty() && word.contains('=') => {
                        command.environment.extend(word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())));
                    }
                    _ => command.words.push(word.clone()),
                }
            }
            found.push((number + continued, command));
        }
    }
    found
}

fn is_executable(program: &str) -> bool {
    Path::new(program).file_name().is_some_and(|name| name == EXECUTABLE)
}

/// A folder to run the commands of a document, with the files that they mention.
struct Sandbox {
    tap: Tap,
    _sim: GraphSim,
}

impl Sandbox {
    fn new() -> Self {
        let sim = tenant(1, 2, 3);
        Self { tap: Tap::new(&config(&sim, everything())), _sim: sim }
    }

    /// Runs a command of the executable; returns an error, if any.
    fn run(&self, command: &Command) -> Option<String> {
        let arguments: Vec<_> = command.words[1..].iter().map(String::as_str).collect();
        let is_source = arguments.first() == Some(&"read");
        for (at, argument) in arguments.iter().enumerate() {
            let Some(file) = arguments.get(at + 1).filter(|file| !self.tap.folder().join(file).exists()) else { continue };
            match *argument {
                "--catalog" | "--properties" => drop(self.tap.file(file, self.catalog(is_source))),
                "--state" => drop(self.tap.file(file, self.state(is_source))),
                _ => {}
            }
        }
        let environment: Vec<_> = command.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let finished = self.tap.execute(&arguments, &environment);
        // Commands do not overwrite the configuration for the simulator.
        if let Some(file) = command.output.as_deref().filter(|file| *file != "config.json") {
            self.tap.file(file, &finished.stdout);
        }
        (finished.status != Some(0)).then(|| format!("exit {:?}\n{}\n{}", finished.status, finished.stdout, finished.stderr))
    }

    /// A catalog of all streams, for Airbyte or for Singer.
    fn catalog(&self, is_source: bool) -> String {
        let streams: Vec<_> = ALL.iter().map(|name| configured(name)).collect();
        if is_source { json!({"streams": streams}).to_string() } else { self.tap.catalog().to_string() }
    }

    /// The state of an earlier run.
    fn state(&self, is_source: bool) -> String {
        if is_source {
            let states: Vec<_> = self.tap.read(&ALL).all("STATE").map(|message| message["state"].clone()).collect();
            json!(states).to_string()
        } else {
            self.tap.sync(&[]).last_state().to_string()
        }
    }
}

/// Returns what to do if the runner of a command is unknown.
fn unknown(command: &Command) -> Option<String> {
    let line = command.words.join(" ");
    let program = root().join(&command.words[0]);
    if program.is_file() {
        let is_executable = fs::metadata(&program).unwrap().permissions().mode() & 0o100 != 0;
        return (!is_executable).then(|| format!("{} is not executable", command.words[0]));
    }
    match OTHERS.iter().find(|(begin, _)| format!("{line} ").starts_with(begin)).map(|(_, runner)| runner) {
        Some(Nobody(reason)) => reason.is_empty().then(|| "OTHERS does not say why nobody runs it".to_owned()),
        Some(Script(path, word)) => {
            let says = fs::read_to_string(root().join(path)).is_ok_and(|text| text.contains(word));
            (!says).then(|| format!("{path}, which should run it, does not say {word}: name in OTHERS who does"))
        }
        None => Some("nobody runs it: name in OTHERS the script of the repository that does, or why nobody can".to_owned()),
    }
}

#[test]
fn every_command_runs_or_has_a_known_runner() {
    let mut faults = Vec::new();
    for document in documents().values() {
        let place = Sandbox::new();
        let of_blocks = document.blocks("sh").map(|block| (block.text.as_str(), block.line + 1));
        let within_sentences =
            document.code.iter().filter(|code| is_executable(code.0.split(' ').next().unwrap_or_default()) && code.0.contains(' '));
        for (text, line) in of_blocks.chain(within_sentences.map(|code| (code.0.as_str(), code.1))) {
            for (number, command) in commands(text) {
                let Some(program) = command.words.first() else { continue };
                let fault = if is_executable(program) { place.run(&command) } else { unknown(&command) };
                faults.extend(fault.map(|fault| format!("{}: {}: {fault}", document.at(line + number), command.words.join(" "))));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn failing_and_unknown_commands_are_reported() {
    let command = |line: &str| commands(line).remove(0).1;
    assert!(Sandbox::new().run(&command("./tap-microsoft-teams read --config config.json")).is_some());
    assert!(Sandbox::new().run(&command("tap-microsoft-teams --config absent.json")).is_some());
    assert!(unknown(&command("rm -r target")).is_some());
}

#[test]
fn commands_are_split() {
    let block = "X=1 a \\\n  --b 'c d' | e > f && g # no\n\nh >> i\n";
    let of = |words: &[&str], output: Option<&str>| Command {
        environment: if words[0] == "a" { vec![("X".to_owned(), "1".to_owned())] } else { Vec::new() },
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        output: output.map(str::to_owned),
    };
    assert_eq!(
        commands(block),
        [(0, of(&["a", "--b", "c d"], None)), (0, of(&["e"], Some("f"))), (0, of(&["g"], None)), (3, of(&["h"], None))]
    );
}
