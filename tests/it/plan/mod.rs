//! `plan`: its estimates compared with what `read` then needs, and its own requests.

mod accuracy;
mod bounds;
mod forms;
mod incremental;
mod names;
mod refusals;

use graph_sim::{Class, GraphSim, Options, TenantSpec};
use serde_json::{Value, json};

use crate::support::{Finished, Tap, config, everything, incremental as reads};

/// Without a pace, times depend on the response times.
const TIMES: [(&str, &str); 2] = [(r"(?m)^Time .*\n( .*\n)*", "Time      [depends on the response times]\n"), (r", \d+ s\n", ", [time]\n")];

const BOTH: [&str; 2] = ["messages", "message_replies"];

/// A tenant, an executable that is configured to read it, and the state of the last run.
struct Planned {
    sim: GraphSim,
    tap: Tap,
    streams: Vec<&'static str>,
    state: Option<Value>,
}

/// The requests that `read` sent, by class.
#[derive(Debug, PartialEq)]
struct Sent {
    messages: u64,
    replies: u64,
    delta: u64,
    total: u64,
}

/// A tenant whose clock stands still, read completely.
fn planned(spec: TenantSpec) -> Planned {
    Planned::with(spec, json!({}))
}

impl Planned {
    fn with(spec: TenantSpec, settings: Value) -> Self {
        // Compression is the most expensive part of a build without optimization.
        let options = Options { gzip: false, ..Options::new(TenantSpec { groups_without_team: 0, ..spec }).manual_clock() };
        Self::of(GraphSim::start(options).unwrap(), settings)
    }

    fn of(sim: GraphSim, settings: Value) -> Self {
        let mut all = everything();
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let tap = Tap::new(&config(&sim, all));
        Self { sim, tap, streams: crate::support::ALL.to_vec(), state: None }
    }

    fn streams(mut self, streams: &[&'static str]) -> Self {
        self.streams = streams.to_vec();
        self
    }

    /// Renames the channels, in their order in the tenant.
    fn name_channels(&self, names: &[&str]) {
        self.sim
            .with_tenant(|tenant| tenant.all_channel_ids().iter().zip(names).try_for_each(|(id, name)| tenant.rename_channel(id, name)))
            .unwrap();
    }

    fn execute(&self, arguments: &[&str]) -> Finished {
        let streams: Vec<_> = self.streams.iter().map(|name| reads::configured(name)).collect();
        self.tap.file("catalog.json", json!({"streams": streams}).to_string());
        let mut all = vec!["plan", "--config", "config.json", "--catalog", "catalog.json"];
        if let Some(state) = &self.state {
            self.tap.file("state.json", state.to_string());
            all.extend(["--state", "state.json"]);
        }
        self.tap.execute(&[&all, arguments].concat(), &[])
    }

    /// The plan, which must be complete.
    fn plan(&self) -> Value {
        let finished = self.execute(&["--format", "json"]);
        assert_eq!(finished.status, Some(0), "{}", finished.stderr);
        assert!(!finished.stderr.contains("WARN"), "{}", finished.stderr);
        serde_json::from_str(&finished.stdout).unwrap()
    }

    /// Reads, keeps the state, and returns the requests that were sent.
    fn read(&mut self) -> Sent {
        let before = self.sent();
        let output = reads::read(&self.tap, &self.streams, self.state.as_ref());
        assert_eq!(output.status, Some(0), "{:?}", output.errors());
        self.state = Some(reads::state(&output));
        let after = self.sent();
        Sent {
            messages: after.messages - before.messages,
            replies: after.replies - before.replies,
            delta: after.delta - before.delta,
            total: after.total - before.total,
        }
    }

    /// The requests that were sent so far.
    fn sent(&self) -> Sent {
        let journal = self.sim.journal();
        let [messages, replies, delta] = [Class::Messages, Class::Replies, Class::Delta].map(|class| journal.count(class));
        Sent { messages, replies, delta, total: journal.total() }
    }
}

/// The requests of one kind.
fn requests(plan: &Value, kind: &str) -> u64 {
    plan["requests"][kind].as_u64().unwrap_or_default()
}

/// The relative error of the estimate of all requests.
fn miss(plan: &Value, sent: &Sent) -> f64 {
    let about = requests(plan, "total") as f64;
    (about - sent.total as f64).abs() / sent.total as f64
}

/// The text on one line.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
