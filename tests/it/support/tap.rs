//! The executable under test and its files in a temporary folder.

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

/// The start of the simulator's tokens: `{"typ":"JWT"` in base64.
const TOKEN: &str = "eyJ0eXAi";

pub struct Tap {
    program: Program,
    _folder: TempDir,
}

/// The exit status and the output of a process.
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
    /// Writes the configuration to `config.json`.
    pub fn new(config: &Value) -> Self {
        let folder = TempDir::new().unwrap();
        let tap = Self { program: Program::new(env!("CARGO_BIN_EXE_tap-microsoft-teams"), folder.path()), _folder: folder };
        tap.file("config.json", config.to_string());
        tap
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.program.file(name, content)
    }

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

    /// Reads these streams in full refresh mode.
    pub fn read(&self, streams: &[&str]) -> Output {
        let streams: Vec<_> = streams.iter().map(|name| configured(name)).collect();
        self.file("catalog.json", json!({"streams": streams}).to_string());
        self.run(&["read", "--config", "config.json", "--catalog", "catalog.json"])
    }

    /// Runs it as an Airbyte source.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    /// Runs it as an Airbyte source with environment variables.
    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        Output::new(Protocol::Airbyte, self.execute(arguments, environment))
    }

    /// Runs it as a Singer tap with `config.json`.
    pub fn sync(&self, arguments: &[&str]) -> Output {
        self.sync_with(&[&["--config", "config.json"], arguments].concat(), &[])
    }

    /// Runs it as a Singer tap with environment variables.
    pub fn sync_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let protocol = if arguments.contains(&"--test=schema") { Protocol::SingerSchemas } else { Protocol::Singer };
        Output::new(protocol, self.execute(arguments, environment))
    }

    /// Runs it without validating its output as messages.
    pub fn execute(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
        let finished = self.command().args(arguments).envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap().into();
        self.assert_no_secret(&finished);
        finished
    }

    /// The output contains neither the client secret nor a token, in any encoding.
    pub(super) fn assert_no_secret(&self, finished: &Finished) {
        let config: Value =
            fs::read(self.folder().join("config.json")).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        let secret = config["client_secret"].as_str().filter(|secret| secret.len() >= 8);
        let secrets: Vec<_> = [TOKEN].into_iter().chain(secret).flat_map(forms).collect();
        for (name, text) in [("stdout", &finished.stdout), ("stderr", &finished.stderr)] {
            // Host names are lower case, even if they contain a secret.
            let lower = text.to_ascii_lowercase();
            for secret in &secrets {
                assert!(!lower.contains(secret), "{name} contains {secret}: {text}");
            }
            // The value of an `Authorization` header, for any kind of token.
            for (at, bearer) in lower.match_indices("bearer ") {
                assert!(text[at + bearer.len()..].starts_with("***"), "{name} contains an authorization: {text}");
            }
        }
    }

    /// A command that runs the executable in its folder with a clean environment.
    pub fn command(&self) -> Command {
        self.program.command()
    }
}

/// The encodings of a secret, in lower case.
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

/// A stream of a configured catalog in full refresh mode.
pub fn configured(name: &str) -> Value {
    json!({"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"})
}
