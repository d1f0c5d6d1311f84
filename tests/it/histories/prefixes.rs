//! A destination may have kept any prefix of a run's output: after a cut at every line, the next run emits the rest.

use std::time::Duration;

use graph_sim::{GraphSim, Options, Post, Tenant, Time};
use scenario::{
    Protocol, STREAMS,
    catalog::{arguments, catalog},
    compare::compare,
    destination::{Destination, Habits},
    dice::Dice,
    ledger::Ledger,
    lines::{self, Line},
    plan::Plan,
    process::Process,
};
use serde_json::Value;

use super::in_parallel;
use crate::support::Tap;

/// The maximum number of lines of a run; each line is one cut, and each cut one run.
const LINES: usize = 120;

struct Reading {
    plan: Plan,
    sim: GraphSim,
    ledger: Ledger,
}

impl Reading {
    /// Two channels with pages of three threads, with a checkpoint after each page.
    fn new(protocol: Protocol) -> Self {
        let mut plan = Plan::new(0);
        plan.protocol = protocol;
        (plan.full_refresh, plan.use_delta, plan.concurrency) = (false, true, 1);
        (plan.top, plan.pages_per_batch, plan.lookback) = (Some(3), 1, 30);
        (plan.tenant.teams, plan.tenant.channels, plan.tenant.messages, plan.tenant.replies) = (1, 2, 10, 1);
        (plan.tenant.skew, plan.tenant.long_threads) = (false, 0);
        plan.streams = STREAMS.to_vec();
        plan.switches = graph_sim::Switches { inline_replies: 2, ..graph_sim::Switches::default() };
        let sim = GraphSim::start(Options { workers: 2, ..plan.options() }).unwrap();
        Self { plan, sim, ledger: Ledger::default() }
    }

    /// Runs with a state; returns the lines.
    fn run(&self, state: Option<&Value>) -> Vec<Line> {
        let tap = Tap::new(&self.plan.config(&self.sim));
        tap.file("catalog.json", catalog(self.plan.protocol, &self.plan.streams, false).to_string());
        if let Some(state) = state {
            tap.file("state.json", state.to_string());
        }
        let ran = Process::start(tap.program(), &arguments(self.plan.protocol, state.is_some())).finish(usize::MAX).unwrap();
        assert_eq!(ran.status, Some(0), "{}", ran.stderr);
        lines::read(self.plan.protocol, &ran.lines).unwrap()
    }

    fn read(destination: &mut Destination, lines: &[Line]) {
        destination.read(lines, Habits::default(), &mut Dice::new(0));
    }

    /// Runs once, and once more for each prefix of the first run's output.
    fn cut(&self, destination: &Destination) -> Destination {
        let lines = self.run(destination.state().as_ref());
        assert!((20..=LINES).contains(&lines.len()), "{} lines", lines.len());
        let truth = self.sim.truth();
        let failures = in_parallel(0..lines.len() as u64 + 1, |cut| {
            let mut destination = destination.clone();
            Self::read(&mut destination, &lines[..cut as usize]);
            let state = destination.state();
            Self::read(&mut destination, &self.run(state.as_ref()));
            let differences = compare(&self.plan, &self.ledger, &destination, &truth).differences;
            if differences.is_empty() { Ok(()) } else { Err(format!("with the state {state:?}:\n{}", differences.join("\n"))) }
        });
        let cuts: Vec<_> = failures.iter().map(|(cut, _)| cut).collect();
        assert!(failures.is_empty(), "cut after lines {cuts:?}, first {}\n{lines:#?}", failures[0].1);
        let mut whole = destination.clone();
        Self::read(&mut whole, &lines);
        whole
    }
}

/// The changes of a day: new threads, replies to old ones, edits, deletions, more than fit on a page.
fn a_day(tenant: &mut Tenant) {
    for channel in tenant.all_channel_ids() {
        let roots = tenant.roots(&channel);
        for (index, root) in roots.iter().enumerate().step_by(2) {
            tenant.clock().advance(Duration::from_secs(3600));
            tenant.reply(root, Post::text("late")).unwrap();
            match index % 3 {
                0 => tenant.edit(root, "edited").unwrap(),
                1 => tenant.delete(root).unwrap(),
                _ => tenant.react(root, "like").unwrap(),
            }
            let at: Time = tenant.now();
            tenant.at(at, |tenant| tenant.post(&channel, Post::text("one"))).unwrap();
            tenant.at(at, |tenant| tenant.post(&channel, Post::text("another in the same millisecond"))).unwrap();
        }
    }
}

fn every_cut(protocol: Protocol) {
    let reading = Reading::new(protocol);
    let first = reading.cut(&Destination::new(protocol));
    reading.sim.with_tenant(a_day);
    reading.sim.clock().advance(Duration::from_secs(60));
    reading.cut(&first);
}

#[test]
fn every_prefix_of_an_airbyte_read_can_be_continued() {
    every_cut(Protocol::Airbyte);
}

#[test]
fn every_prefix_of_a_singer_sync_can_be_continued() {
    every_cut(Protocol::Singer);
}
