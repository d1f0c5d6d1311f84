//! Incremental reads: a reader that runs repeatedly and keeps what a destination would keep.

mod apart;
mod deletions;
mod delta;
mod expansion;
mod fallbacks;
mod full_refresh;
mod gone;
mod idle;
mod imported;
mod interrupted;
mod links;
mod moves;
mod once;
mod settings;
mod size;
mod states;
mod threads;
mod times;
mod unlisted;

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{OnceLock, mpsc},
    time::Duration,
};

use graph_sim::{Class, Entry, Fault, GraphSim, Journal, MessageRef, Options, Post, RequestInfo, RetryAfter, Rule, TenantSpec};
use scenario::states::entry;
use serde_json::{Map, Value, json};

use crate::support::{
    Output, Protocol, Tap, config, configured, everything, incremental, singer,
    truth::{self, Table},
};

pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(24 * 3600);
pub const MESSAGES: &str = "messages";
pub const REPLIES: &str = "message_replies";
pub const BOTH: [Protocol; 2] = [Protocol::Airbyte, Protocol::Singer];

/// A tenant, the configuration for reading it, and the result of the runs so far.
pub struct Reader {
    pub sim: GraphSim,
    pub protocol: Protocol,
    pub settings: Value,
    pub streams: Vec<&'static str>,
    pub full_refresh: bool,
    pub states: Map<String, Value>,
    /// The last record for each key.
    pub rows: BTreeMap<&'static str, Table>,
}

/// The output and the requests of a run.
pub struct Run {
    pub output: Output,
    pub journal: Journal,
}

/// A reader of messages and replies in one channel with this many old root messages, and a manual clock.
pub fn reader(messages: usize) -> Reader {
    Reader::new(Options::new(spec(1, messages)).manual_clock())
}

/// One team with this many channels and root messages in each.
pub fn spec(channels: usize, messages: usize) -> TenantSpec {
    TenantSpec { groups_without_team: 0, ..TenantSpec::uniform(1, channels, messages).replies(1, 0) }
}

impl Reader {
    pub fn new(options: Options) -> Self {
        let is_manual = options.clock_speed == 0.0;
        // In a debug build, compression would take most of the time.
        let sim = GraphSim::start(Options { gzip: false, ..options }).unwrap();
        if is_manual {
            // The initial messages are older than any lookback.
            sim.clock().advance(HOUR);
        }
        let (states, rows) = (Map::new(), BTreeMap::new());
        let streams = vec![MESSAGES, REPLIES];
        Self { sim, protocol: Protocol::Airbyte, settings: everything(), streams, full_refresh: false, states, rows }
    }

    pub fn with_protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    pub fn streams(mut self, streams: &[&'static str]) -> Self {
        self.streams = streams.to_vec();
        self
    }

    /// Replaces the configuration.
    pub fn with(mut self, settings: Value) -> Self {
        self.set(settings);
        self
    }

    pub fn set(&mut self, settings: Value) {
        self.settings.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    }

    /// The first channel.
    pub fn channel(&self) -> String {
        self.channels().swap_remove(0)
    }

    pub fn channels(&self) -> Vec<String> {
        self.sim.read_tenant(|tenant| tenant.all_channel_ids())
    }

    pub fn roots(&self) -> Vec<MessageRef> {
        let channel = self.channel();
        self.sim.read_tenant(|tenant| tenant.roots(&channel))
    }

    pub fn key(&self, channel: &str) -> String {
        self.sim.read_tenant(|tenant| format!("{}/{channel}", tenant.team_of(channel).unwrap().id))
    }

    /// The entry of a channel in the state of a stream.
    pub fn state(&self, stream: &str, channel: &str) -> &Value {
        entry(&self.states[stream], &self.key(channel))
    }

    pub fn post(&self, text: &str) -> MessageRef {
        let channel = self.channel();
        self.sim.with_tenant(|tenant| tenant.post(&channel, Post::text(text))).unwrap()
    }

    pub fn reply(&self, to: &MessageRef, text: &str) -> MessageRef {
        self.sim.with_tenant(|tenant| tenant.reply(to, Post::text(text))).unwrap()
    }

    pub fn edit(&self, message: &MessageRef, text: &str) {
        self.sim.with_tenant(|tenant| tenant.edit(message, text)).unwrap();
    }

    /// Advances the clock.
    pub fn later(&self, by: Duration) {
        self.sim.clock().advance(by);
    }

    /// Writes the files of a run; returns its arguments.
    pub fn prepare(&self) -> (Tap, Vec<&'static str>) {
        let tap = Tap::new(&config(&self.sim, self.settings.clone()));
        let (catalog, state) = match self.protocol {
            Protocol::Airbyte => {
                let states = self.states.iter().map(
                    |(stream, state)| json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": state}}),
                );
                (self.airbyte_catalog(), states.collect())
            }
            _ => (self.singer_catalog(&tap), json!({"bookmarks": self.states})),
        };
        tap.file("catalog.json", catalog.to_string());
        tap.file("state.json", state.to_string());
        let mut arguments = vec!["--config", "config.json", "--catalog", "catalog.json", "--state", "state.json"];
        if self.protocol == Protocol::Airbyte {
            arguments.insert(0, "read");
        }
        (tap, arguments)
    }

    pub fn airbyte_catalog(&self) -> Value {
        let entry = if self.full_refresh { configured } else { incremental::configured };
        json!({"streams": self.streams.iter().map(|name| entry(name)).collect::<Vec<_>>()})
    }

    pub fn singer_catalog(&self, tap: &Tap) -> Value {
        static DISCOVERED: OnceLock<Value> = OnceLock::new();
        let mut catalog = singer::select(DISCOVERED.get_or_init(|| tap.catalog()).clone(), &self.streams);
        if self.full_refresh {
            for stream in &self.streams {
                singer::metadata(&mut catalog, stream, &[])["replication-method"] = "FULL_TABLE".into();
            }
        }
        catalog
    }

    /// Runs once more and keeps the result.
    pub fn run(&mut self) -> Run {
        self.sim.clear_journal();
        let (tap, arguments) = self.prepare();
        let finished = tap.execute(&arguments, &[]);
        self.keep(Output::new(self.protocol, finished))
    }

    /// Runs until delta is in use: in the second run, an hour after the first one.
    pub fn start_delta(&mut self) {
        for _ in 0..2 {
            self.read();
            self.later(HOUR);
        }
        assert!(self.state(MESSAGES, &self.channel())["deltaLink"].is_string());
    }

    /// Runs once more, successfully, and keeps the result.
    pub fn read(&mut self) -> Run {
        let run = self.run();
        assert_eq!(run.output.status, Some(0), "{:?} {}", run.output.errors(), run.output.stderr);
        run
    }

    /// Runs until a matching request, and stops the run with a signal before the response.
    pub fn run_until(&mut self, fits: impl Fn(&RequestInfo) -> bool + Send + 'static, signal: &str) -> Run {
        self.sim.clear_journal();
        let (sender, receiver) = mpsc::channel();
        self.sim.on_request(move |request, _| {
            fits(request).then(|| {
                let _ = sender.send(());
                Fault::Stall
            })
        });
        let (tap, arguments) = self.prepare();
        let running = tap.start(&arguments, Stdio::piped());
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
        running.signal(signal);
        let finished = running.end();
        self.sim.clear_hook();
        self.keep(Output::new(self.protocol, finished))
    }

    /// A run that fails permanently at the n-th page of messages; neither a retry nor another link helps.
    pub fn fail_at(&mut self, page: u64) -> Run {
        let for_hours = Fault::throttled(RetryAfter::Seconds(7200));
        self.sim.inject(Rule::new(for_hours).class(Class::Messages).nth(page));
        let run = self.run();
        self.sim.clear_faults();
        assert_ne!(run.output.status, Some(0));
        run
    }

    pub fn keep(&mut self, output: Output) -> Run {
        for stream in [MESSAGES, REPLIES] {
            assert_eq!(output.records(stream).count(), output.table(stream).len(), "{stream}: a key at most once a run");
            self.rows.entry(stream).or_default().extend(output.table(stream));
        }
        for message in output.all("STATE") {
            match self.protocol {
                Protocol::Airbyte => {
                    let state = &message["state"]["stream"];
                    self.states.insert(state["stream_descriptor"]["name"].as_str().unwrap().to_owned(), state["stream_state"].clone());
                }
                _ => self.states = message["value"]["bookmarks"].as_object().unwrap().clone(),
            }
        }
        Run { output, journal: self.sim.journal() }
    }

    /// The rows of the selected streams equal the tenant.
    #[track_caller]
    pub fn assert_complete(&self) {
        let truth = self.sim.truth();
        for stream in &self.streams {
            truth::assert_equal(stream, &self.rows[stream], &truth::table(&truth, stream));
        }
    }
}

impl Run {
    /// The number of records of a stream.
    pub fn emitted(&self, stream: &'static str) -> usize {
        self.output.records(stream).count()
    }

    /// The number of messages and replies.
    pub fn emitted_total(&self) -> usize {
        self.emitted(MESSAGES) + self.emitted(REPLIES)
    }

    /// Whether a message was emitted.
    pub fn emits(&self, message: &MessageRef) -> bool {
        let stream = if message.is_root() { MESSAGES } else { REPLIES };
        self.output.records(stream).any(|record| record["id"] == message.id_text() && record["channel_id"] == message.channel)
    }

    /// The number of requests for messages and replies, including delta.
    pub fn message_requests(&self) -> u64 {
        [Class::Messages, Class::Message, Class::Replies, Class::Delta].into_iter().map(|class| self.journal.count(class)).sum()
    }

    pub fn request_count(&self, class: Class) -> u64 {
        self.journal.count(class)
    }

    pub fn requests(&self, class: Class) -> Vec<&Entry> {
        self.journal.entries_of(class).collect()
    }

    /// The warnings that contain the text.
    pub fn warnings(&self, text: &str) -> Vec<&str> {
        let warnings = match self.output.protocol {
            Protocol::Airbyte => self.output.logs("WARN"),
            _ => self.output.logged("WARNING"),
        };
        warnings.into_iter().filter(|warning| warning.contains(text)).collect()
    }
}
