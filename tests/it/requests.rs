//! Counts the requests of a run per channel, and writes them to `docs/incremental.md`.

use std::{env, fs, time::Duration};

use graph_sim::{Class, DeltaSupport, GraphSim, Options, Post, Tenant, TenantSpec};
use serde_json::{Value, json};

use crate::support::{Tap, config, incremental, root};

/// A column of the table: the selected streams, and whether delta is used.
type Column = (&'static str, &'static [&'static str], bool);

const COLUMNS: [Column; 4] = [
    ("both streams", &["messages", "message_replies"], true),
    ("both, `use_delta_api` false", &["messages", "message_replies"], false),
    ("`messages` alone", &["messages"], true),
    ("`message_replies` alone", &["message_replies"], true),
];

/// A channel that is read repeatedly.
struct Channel {
    sim: GraphSim,
    tap: Tap,
    id: String,
    state: Option<Value>,
    streams: &'static [&'static str],
}

impl Channel {
    fn new(messages: usize, (_, streams, delta): Column) -> Self {
        let mut spec = TenantSpec::uniform(1, 1, messages).replies(2, 0);
        spec.groups_without_team = 0;
        let sim = GraphSim::start(Options::new(spec).manual_clock()).unwrap();
        let (team, id) = sim.read_tenant(|tenant| (tenant.team_ids().remove(0), tenant.all_channel_ids().remove(0)));
        let settings = json!({"team_id": team, "channel_id": id, "fetch_all_messages": true, "use_delta_api": delta});
        let tap = Tap::new(&config(&sim, settings));
        Self { sim, tap, id, state: None, streams }
    }

    fn requests(&self) -> u64 {
        let journal = self.sim.journal();
        [Class::Messages, Class::Replies, Class::Delta].map(|class| journal.count(class)).iter().sum()
    }

    /// Runs once more; returns the requests for the channel, and the records.
    fn run(&mut self) -> (u64, usize) {
        let before = self.requests();
        let output = incremental::read(&self.tap, self.streams, self.state.as_ref());
        assert_eq!(output.status, Some(0), "{:?}", output.errors());
        self.state = Some(incremental::state(&output));
        (self.requests() - before, output.all("RECORD").count())
    }

    /// After two runs, the second of which starts delta, and an hour.
    fn settled(mut self) -> Self {
        for _ in 0..2 {
            self.run();
            self.sim.clock().advance(Duration::from_secs(3600));
        }
        self
    }

    fn change(&mut self, change: impl FnOnce(&mut Tenant, &str)) {
        let channel = self.id.clone();
        self.sim.with_tenant(|tenant| change(tenant, &channel));
        self.sim.clock().advance(Duration::from_secs(600));
    }
}

fn edit(count: usize) -> impl Fn(&mut Tenant, &str) {
    move |tenant, channel| {
        for root in tenant.roots(channel).iter().rev().take(count) {
            tenant.edit(root, "changed").unwrap();
            tenant.clock().advance(Duration::from_secs(1));
        }
    }
}

fn reply(count: usize) -> impl Fn(&mut Tenant, &str) {
    move |tenant, channel| {
        for root in tenant.roots(channel).iter().take(count) {
            tenant.reply(root, Post::text("a late reply")).unwrap();
            tenant.clock().advance(Duration::from_secs(1));
        }
    }
}

/// A row: the change, and the requests for each column.
fn row(what: &str, requests: impl Fn(Column) -> u64 + Sync) -> String {
    let cells = std::thread::scope(|scope| {
        let threads = COLUMNS.map(|column| {
            scope.spawn({
                let requests = &requests;
                move || requests(column).to_string()
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    format!("| {what} | {} |\n", cells.join(" | "))
}

fn after_change(change: impl Fn(&mut Tenant, &str)) -> impl Fn(Column) -> u64 {
    move |column| {
        let mut channel = Channel::new(200, column).settled();
        channel.change(&change);
        channel.run().0
    }
}

fn idle(messages: usize, support: DeltaSupport) -> impl Fn(Column) -> u64 {
    move |column| {
        let channel = Channel::new(messages, column);
        let id = channel.id.clone();
        channel.sim.with_tenant(|tenant| tenant.set_delta_support(&id, support).unwrap());
        let mut channel = channel.settled();
        let (requests, records) = channel.run();
        assert_eq!(records, 0, "an idle run emits nothing");
        requests
    }
}

/// Without changes; the newest threads have this number of replies, more than Graph expands.
fn idle_below(threads: usize, replies: usize) -> impl Fn(Column) -> u64 {
    move |column| {
        let mut channel = Channel::new(200, column);
        channel.change(|tenant, id| {
            for root in tenant.roots(id).iter().rev().take(threads) {
                (tenant.replies(root).len()..replies).for_each(|_| drop(tenant.reply(root, Post::text("one of many")).unwrap()));
                tenant.clock().advance(Duration::from_secs(1));
            }
        });
        let mut channel = channel.settled();
        let (requests, records) = channel.run();
        assert_eq!(records, 0, "an idle run emits nothing");
        requests
    }
}

#[test]
fn the_requests_of_a_run_are_as_documented() {
    let mut table = format!("| since the last run | {} |\n|---|---|---|---|---|\n", COLUMNS.map(|(name, ..)| name).join(" | "));
    table += &row("nothing", idle(200, DeltaSupport::Supported));
    table += &row("nothing, in an empty channel", idle(0, DeltaSupport::Supported));
    table += &row("nothing, in a channel that refuses delta", idle(200, DeltaSupport::NotSupported));
    for threads in [1, 3] {
        table += &row(&format!("nothing, with newest threads of 300 replies: {threads}"), idle_below(threads, 300));
    }
    for count in [1, 10, 100] {
        table += &row(&format!("messages changed: {count}"), after_change(edit(count)));
    }
    for count in [1, 10] {
        table += &row(&format!("replies in the oldest threads: {count}"), after_change(reply(count)));
    }
    table += "\n| first run, 2 replies per message | requests |\n|---|---|\n";
    for count in [100, 1000, 10_000] {
        // The first run is the same for all columns: one walk.
        let channel = Channel::new(count, COLUMNS[0]);
        let finished = channel.tap.execute(&["--config", "config.json"], &[]);
        assert_eq!(finished.status, Some(0), "{}", finished.stderr);
        table += &format!("| {count} messages | {} |\n", channel.requests());
    }
    let path = root().join("docs/incremental.md");
    let text = fs::read_to_string(&path).unwrap();
    let (head, rest) = text.split_once("<!-- requests -->\n").unwrap();
    let (written, tail) = rest.split_once("<!-- /requests -->").unwrap();
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, format!("{head}<!-- requests -->\n{table}<!-- /requests -->{tail}")).unwrap();
    } else {
        assert_eq!(written, table, "docs/incremental.md is stale: UPDATE_GENERATED=1 cargo test requests");
    }
}
