//! The simulator as a child process, with its control port.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use crate::{
    Bench, Result, http,
    minimum::{Paging, Team, Tenant},
};

/// Arguments that make the simulator enforce Graph's limits, the sustained ones too.
pub(crate) const LIMITS: &str = "--limits --sustained";

/// A running simulator; it is killed on drop.
#[derive(Debug)]
pub(crate) struct Simulator {
    child: Child,
    /// The configuration that it prints for the tap.
    pub(crate) config: Value,
    control_url: String,
}

/// The line that `graph-sim --json` prints.
#[derive(Debug, Deserialize)]
struct Started {
    config: Value,
    control_url: String,
}

/// The requests since the journal was cleared.
#[derive(Debug, Deserialize)]
pub(crate) struct Journal {
    /// Responses by class and status.
    counts: BTreeMap<String, BTreeMap<u16, u64>>,
    pub(crate) total: u64,
    /// Size of all bodies before compression.
    pub(crate) bytes: u64,
}

impl Journal {
    /// The number of 429 responses.
    pub(crate) fn throttled(&self) -> u64 {
        self.counts.values().filter_map(|statuses| statuses.get(&429)).sum()
    }

    /// The number of requests for messages, replies and delta.
    pub(crate) fn channel_requests(&self) -> u64 {
        ["messages", "replies", "delta"].iter().filter_map(|class| self.counts.get(*class)).flat_map(BTreeMap::values).sum()
    }
}

impl Simulator {
    pub(crate) fn start(bench: &Bench, arguments: &str) -> Result<Self> {
        Self::spawn(Command::new(&bench.programs.simulator).args(arguments.split_whitespace()))
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        let mut child = command.arg("--json").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("a simulator without stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let mut simulator = Self { child, config: Value::Null, control_url: String::new() };
        let Started { config, control_url } = serde_json::from_str(&line)?;
        (simulator.config, simulator.control_url) = (config, control_url);
        Ok(simulator)
    }

    fn text(&self, key: &str) -> &str {
        self.config[key].as_str().unwrap_or_default()
    }

    fn control<T: serde::de::DeserializeOwned>(&self, method: &str, path: &str, body: &str) -> Result<T> {
        http::request(method, &format!("{}{path}", self.control_url), "application/json", body)
    }

    pub(crate) fn tenant(&self) -> Result<Tenant> {
        let teams: Vec<Team> = self.control("GET", "/tree", "")?;
        let paging: Paging = self.control("GET", "/switches", "")?;
        Ok(Tenant { teams, paging })
    }

    pub(crate) fn journal(&self) -> Result<Journal> {
        self.control("GET", "/journal", "")
    }

    pub(crate) fn clear_journal(&self) -> Result<()> {
        self.control::<Value>("DELETE", "/journal", "").map(drop)
    }

    pub(crate) fn enforce_limits(&self) -> Result<()> {
        self.control::<Value>("POST", "/limits", r#"{"sustained": {}}"#).map(drop)
    }

    /// The URL of each successful request in the journal.
    pub(crate) fn urls(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Kept {
            entries: Vec<Entry>,
        }
        #[derive(Deserialize)]
        struct Entry {
            host: String,
            path: String,
            query: String,
            status: Option<u16>,
        }
        let Kept { entries } = self.control("GET", "/journal", "")?;
        let host = self.text("graph_url");
        let successful = entries.iter().filter(|entry| entry.host == "graph" && entry.status == Some(200));
        Ok(successful
            .map(|Entry { path, query, .. }| if query.is_empty() { format!("{host}{path}") } else { format!("{host}{path}?{query}") })
            .collect())
    }

    pub(crate) fn token(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").append_pair("scope", "https://graph.microsoft.com/.default");
        ["client_id", "client_secret"].iter().for_each(|key| _ = form.append_pair(key, self.text(key)));
        let url = format!("{}/{}/oauth2/v2.0/token", self.text("login_url"), self.text("tenant_id"));
        let Token { access_token } = http::request("POST", &url, "application/x-www-form-urlencoded", &form.finish())?;
        Ok(access_token)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
