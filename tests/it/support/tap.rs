//! The executable under test: its files in a folder of its own, its output validated line by line.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tap_microsoft_teams::streams::Stream;
use tempfile::TempDir;

use super::{
    expect::{self, Fields},
    validate,
};

/// The executable with a folder for its files.
pub struct Tap {
    folder: TempDir,
}

/// What a run of the executable came to. Every line on stdout is a valid message.
pub struct Output {
    pub status: Option<i32>,
    pub messages: Vec<Value>,
    pub lines: Vec<String>,
    pub stderr: String,
}

impl Tap {
    /// With this configuration in `config.json`.
    pub fn new(config: &Value) -> Self {
        let tap = Self { folder: TempDir::new().unwrap() };
        tap.file("config.json", &config.to_string());
        tap
    }

    /// Writes a file; gives its path.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
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
        self.file("catalog.json", &json!({"streams": streams}).to_string());
        self.run(&["read", "--config", "config.json", "--catalog", "catalog.json"])
    }

    /// Runs the executable in its folder, with nothing of ours in the environment.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[])
    }

    /// Runs the executable in its folder, with these variables in the environment.
    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let output = self.command().args(arguments).envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<String> = stdout.lines().map(str::to_owned).collect();
        let messages: Vec<Value> = lines.iter().map(|line| parse(line)).collect();
        validate::messages(&messages);
        Output { status: output.status.code(), messages, lines, stderr: String::from_utf8(output.stderr).unwrap() }
    }

    /// The executable, to be run in its folder.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tap-microsoft-teams"));
        command.current_dir(self.folder.path()).env_clear();
        command
    }
}

/// A line as JSON. The one number of the simulator's corpus that no float holds is read as a text.
fn parse(line: &str) -> Value {
    serde_json::from_str(&line.replace(":1e400", ":\"1e400\"")).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// A stream of a configured catalog, as a platform writes it.
pub fn configured(name: &str) -> Value {
    json!({"stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"})
}

impl Output {
    /// The only message of a type, such as `SPEC`.
    pub fn only(&self, kind: &str) -> &Value {
        let found: Vec<_> = self.messages.iter().filter(|message| message["type"] == kind).collect();
        assert_eq!(found.len(), 1, "{kind}: {:?}\n{}", self.messages, self.stderr);
        found[0]
    }

    /// The records of a stream, in order.
    pub fn records(&self, stream: &'static str) -> impl Iterator<Item = &Value> {
        let is_record = move |message: &&Value| message["type"] == "RECORD" && message["record"]["stream"] == stream;
        self.messages.iter().filter(is_record).map(|message| &message["record"]["data"])
    }

    /// The records of a stream as a destination keeps them, the last of each primary key: columns as JSON text.
    pub fn table(&self, stream: &'static str) -> BTreeMap<Vec<String>, Fields> {
        #[derive(Deserialize)]
        struct Line<'a> {
            #[serde(borrow)]
            record: Record<'a>,
        }
        #[derive(Deserialize)]
        struct Record<'a> {
            #[serde(borrow)]
            data: &'a RawValue,
        }
        let key = Stream::named(stream).unwrap().primary_key;
        let of_stream = self.lines.iter().zip(&self.messages).filter(|(_, message)| message["record"]["stream"] == stream);
        let rows = of_stream.map(|(line, message)| {
            let values =
                key.iter().map(|column| message["record"]["data"][column].as_str().filter(|value| !value.is_empty()).unwrap().to_owned());
            let mut fields = expect::fields(serde_json::from_str::<Line<'_>>(line).unwrap().record.data.get());
            if let Some(additional) = fields.get_mut("_additional_properties").filter(|text| *text != "null") {
                *additional = expect::sorted(additional);
            }
            (values.collect(), fields)
        });
        rows.collect()
    }

    /// The statuses of a stream, in order.
    pub fn statuses(&self, stream: &str) -> Vec<&str> {
        self.messages
            .iter()
            .map(|message| &message["trace"]["stream_status"])
            .filter(|status| status["stream_descriptor"]["name"] == stream)
            .map(|status| status["status"].as_str().unwrap())
            .collect()
    }

    /// The errors: failure type, stream, message.
    pub fn errors(&self) -> Vec<(&str, &str, &str)> {
        let errors = self.messages.iter().map(|message| &message["trace"]["error"]).filter(|error| error.is_object());
        errors.map(|error| (text(&error["failure_type"]), text(&error["stream_descriptor"]["name"]), text(&error["message"]))).collect()
    }

    /// What was logged at a level.
    pub fn logs(&self, level: &str) -> Vec<&str> {
        self.messages.iter().map(|message| &message["log"]).filter(|log| log["level"] == level).map(|log| text(&log["message"])).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
