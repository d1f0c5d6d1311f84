//! The simulator as a child process, and what its control door tells.

use std::{
    collections::BTreeMap,
    io::BufReader,
    process::{Child, Command, Stdio},
};

use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use crate::{
    Bench, Result, http,
    least::{Paging, Team, Tenant},
};

/// Makes a simulator enforce Graph's limits, those of the long run as well.
pub(crate) const LIMITS: &str = "--limits --sustained";

/// A running simulator; it ends with its handle.
#[derive(Debug)]
pub(crate) struct Simulator {
    child: Child,
    /// What a client needs, and `control_url`.
    pub(crate) config: Value,
}

/// What was asked since the journal was cleared.
#[derive(Debug, Deserialize)]
pub(crate) struct Journal {
    /// Answers by class and status.
    counts: BTreeMap<String, BTreeMap<u16, u64>>,
    /// Requests.
    pub(crate) total: u64,
    /// Of all bodies, before compression.
    pub(crate) bytes: u64,
}

impl Journal {
    /// How many were refused with 429.
    pub(crate) fn throttled(&self) -> u64 {
        self.counts.values().filter_map(|statuses| statuses.get(&429)).sum()
    }

    /// Requests for messages, replies and delta.
    pub(crate) fn of_channels(&self) -> u64 {
        ["messages", "replies", "delta"].iter().filter_map(|class| self.counts.get(*class)).flat_map(BTreeMap::values).sum()
    }
}

impl Simulator {
    /// Starts one with these arguments.
    pub(crate) fn start(bench: &Bench, arguments: &str) -> Result<Self> {
        Self::spawn(Command::new(&bench.programs.simulator).args(arguments.split_whitespace()))
    }

    /// Starts one on the first core.
    pub(crate) fn start_pinned(bench: &Bench, arguments: &str) -> Result<Self> {
        Self::spawn(Command::new("taskset").args(["-c", "0"]).arg(&bench.programs.simulator).args(arguments.split_whitespace()))
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("a simulator without stdout")?;
        let config = serde_json::Deserializer::from_reader(BufReader::new(stdout)).into_iter().next();
        let mut simulator = Self { child, config: Value::Null };
        simulator.config = config.ok_or("the simulator has not started")??;
        Ok(simulator)
    }

    fn text(&self, key: &str) -> &str {
        self.config[key].as_str().unwrap_or_default()
    }

    fn control<T: serde::de::DeserializeOwned>(&self, method: &str, path: &str, body: &str) -> Result<T> {
        http::ask(method, &format!("{}{path}", self.text("control_url")), "application/json", body)
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

    /// Enforces Graph's limits from now on.
    pub(crate) fn enforce_limits(&self) -> Result<()> {
        self.control::<Value>("POST", "/limits", r#"{"sustained": {}}"#).map(drop)
    }

    /// The URL of each request to Graph that the journal has kept.
    pub(crate) fn urls(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Kept {
            entries: Vec<Entry>,
        }
        #[derive(Deserialize)]
        struct Entry {
            door: String,
            path: String,
            query: String,
            status: Option<u16>,
        }
        let Kept { entries } = self.control("GET", "/journal", "")?;
        let host = self.text("graph_url");
        let asked = entries.iter().filter(|entry| entry.door == "graph" && entry.status == Some(200));
        Ok(asked
            .map(|Entry { path, query, .. }| if query.is_empty() { format!("{host}{path}") } else { format!("{host}{path}?{query}") })
            .collect())
    }

    /// A token, for the download.
    pub(crate) fn token(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").append_pair("scope", "https://graph.microsoft.com/.default");
        ["client_id", "client_secret"].iter().for_each(|key| _ = form.append_pair(key, self.text(key)));
        let url = format!("{}/{}/oauth2/v2.0/token", self.text("login_url"), self.text("tenant_id"));
        let Token { access_token } = http::ask("POST", &url, "application/x-www-form-urlencoded", &form.finish())?;
        Ok(access_token)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
