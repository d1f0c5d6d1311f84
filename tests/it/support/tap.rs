//! The executable under test, with its files in a folder of its own.

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
};

use scenario::process::Program;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Output, Protocol};

/// How a token of the simulator begins: `{"typ":"JWT"`.
const TOKEN: &str = "eyJ0eXAi";

/// The executable with a folder for its files.
pub struct Tap {
    program: Program,
    _folder: TempDir,
}

/// How the process ended, and what it wrote.
pub struct Finished {
    /// [`None`] if a signal ended it.
    pub status: Option<i32>,
    pub signal: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<process::Output> for Finished {
    fn from(output: process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { status: output.status.code(), signal: output.status.signal(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Tap {
    /// With this configuration in `config.json`.
    pub fn new(config: &Value) -> Self {
        let folder = TempDir::new().unwrap();
        let tap = Self { program: Program::new(env!("CARGO_BIN_EXE_tap-microsoft-teams"), folder.path()), _folder: folder };
        tap.file("config.json", config.to_string());
        tap
    }

    /// Writes a file; gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.program.file(name, content)
    }

    /// The folder in which it runs.
    pub fn folder(&self) -> &Path {
        self.program.folder()
    }

    pub fn program(&self) -> &Program {
        &self.program
    }

    pub fn spec(&self) -> Output {
        self.run(&["spec"])
    }

    pub fn check(&self) -> Output {
        self.run(&["check", "--config", "config.json"])
    }

    pub fn discover(&self) -> Output {
        self.run(&["discover", "--config", "config.json"])
    }

    /// Reads these streams in full.
    pub fn read(&self, streams: &[&str]) -> Output {
        let streams: Vec<_> = streams.iter().map(|name| configured(name)).collect();
        self.file("catalog.json", json!({"streams": streams}).to_string());
        self.run(&["read", "--config", "config.json", "--catalog", "catalog.json"])
    }

    /// Runs it as an Airbyte source, with nothing of ours in the environment.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    /// Runs it as an Airbyte source, with these variables in the environment.
    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        Output::new(Protocol::Airbyte, self.execute(arguments, environment))
    }

    /// Runs it as a Singer tap with `config.json` and these arguments.
    pub fn sync(&self, arguments: &[&str]) -> Output {
        self.sync_with(&[&["--config", "config.json"], arguments].concat(), &[])
    }

    /// Runs it as a Singer tap with these arguments, and these variables in the environment.
    pub fn sync_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let protocol = if arguments.contains(&"--test=schema") { Protocol::SingerSchemas } else { Protocol::Singer };
        Output::new(protocol, self.execute(arguments, environment))
    }

    /// Runs it in its folder, whatever it writes.
    pub fn execute(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
        let finished = self.command().args(arguments).envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap().into();
        self.assert_no_secret(&finished);
        finished
    }

    /// Neither the client secret nor a token, in any form in which they could be written, is in what the process wrote.
    pub(super) fn assert_no_secret(&self, finished: &Finished) {
        let config: Value =
            fs::read(self.folder().join("config.json")).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let secret = config["client_secret"].as_str().filter(|secret| secret.len() >= 8);
        let secrets: Vec<_> = [TOKEN].into_iter().chain(secret).flat_map(forms).collect();
        for (name, text) in [("stdout", &finished.stdout), ("stderr", &finished.stderr)] {
            // The name of a host loses its capitals.
            let lower = text.to_ascii_lowercase();
            for secret in &secrets {
                assert!(!lower.contains(secret), "{name} has {secret}: {text}");
            }
            // What an `Authorization` header holds, whatever kind of token it is.
            for (at, bearer) in lower.match_indices("bearer ") {
                assert!(text[at + bearer.len()..].starts_with("***"), "{name} has an authorization: {text}");
            }
        }
    }

    /// The executable, to be run in its folder with nothing of ours in the environment.
    pub fn command(&self) -> Command {
        self.program.command()
    }
}

/// What a secret may look like, in small letters.
fn forms(secret: &str) -> [String; 7] {
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let every = |written: fn(u32) -> String| secret.chars().map(|char| written(u32::from(char))).collect::<String>();
    let percent = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
    [
        secret.to_owned(),
        json!(secret).to_string().trim_matches('"').to_owned(),
        form.replace('+', "%20"),
        form,
        percent,
        every(|char| format!("\\u{char:04x}")),
        every(|char| format!("\\\\u{char:04x}")),
    ]
    .map(|form| form.to_ascii_lowercase())
}

/// A stream of a configured catalog, as a platform writes it.
pub fn configured(name: &str) -> Value {
    json!({"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"})
}
