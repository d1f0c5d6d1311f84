//! A history: a tenant that changes, a tap that is run and killed, a destination that keeps part of the output; at the end both must be
//! equal.

use std::{collections::HashMap, time::Duration};

use graph_sim::{Block, GraphSim, Paging, Time};
use scenario::{
    catalog::{arguments, catalog},
    compare::compare,
    destination::{Destination, Habits, Kept},
    dice::Dice,
    lines::{self, Line},
    plan::Plan,
    process::{Ending, RunOutput},
    states,
    world::{ChannelRequests, SharedWorld, World},
};
use serde_json::Value;

use super::{
    economy::{self, Economy},
    tally::Tally,
};
use crate::support::Tap;

/// The name of the run without changes.
const IDLE: &str = "idle run";

/// Deliberate errors that a history must notice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sabotage {
    None,
    /// The destination loses a row.
    LoseRow,
    /// The destination keeps the old version of a row.
    KeepOldRow,
    /// An interrupted run is treated as complete: its last state is stored without all of its records.
    StateWithoutRecords,
    /// The quiet runs get no state.
    ForgetState,
}

/// Plays the history of a plan. The error is the log, with the problem at its end.
pub fn play(plan: &Plan, sabotage: Sabotage) -> Result<Tally, String> {
    let mut history = History::begin(plan, sabotage);
    match history.play() {
        Ok(()) => Ok(history.tally),
        Err(wrong) => {
            let world = history.world.lock();
            Err(format!("{}\n\nHISTORY_SEED={}: {}\n", world.log.join("\n"), plan.seed, world.shorten(&wrong)))
        }
    }
}

/// A finished run.
struct Played {
    lines: Vec<Line>,
    status: Option<i32>,
    /// The requests for each channel.
    channel_requests: HashMap<String, ChannelRequests>,
    start: Time,
    /// Whether it exited by itself, successfully.
    ended: bool,
}

struct History<'p> {
    plan: &'p Plan,
    sabotage: Sabotage,
    sim: GraphSim,
    tap: Tap,
    dice: Dice,
    world: SharedWorld,
    destination: Destination,
    economy: Economy,
    tally: Tally,
    /// Whether the last run exited by itself and all its states were stored, so that no list is half read.
    is_settled: bool,
}

impl<'p> History<'p> {
    fn begin(plan: &'p Plan, sabotage: Sabotage) -> Self {
        let sim = GraphSim::start(plan.options()).unwrap();
        let mut dice = Dice::new(plan.seed);
        let mut world = World::new(plan, &mut dice);
        sim.with_tenant(|tenant| {
            world.changes.ledger.begin(tenant);
            if plan.delta_support_changes {
                for channel in tenant.all_channel_ids() {
                    let reported = world.changes.change_delta_support(tenant, &channel);
                    world.log_event(tenant, &reported);
                }
            }
            world.log_event(tenant, "the history begins");
        });
        let tap = Tap::new(&plan.config(&sim));
        Self {
            plan,
            sabotage,
            sim,
            tap,
            dice,
            world: SharedWorld::new(world),
            destination: Destination::new(plan.protocol),
            economy: Economy::default(),
            tally: Tally::of(plan),
            is_settled: true,
        }
    }

    fn say(&self, what: &str) {
        self.sim.read_tenant(|tenant| self.world.lock().log_event(tenant, what));
    }

    fn play(&mut self) -> Result<(), String> {
        for number in 1..=self.plan.runs {
            self.between();
            let ending = match self.dice.within(0..=99) {
                0..45 => Ending::Natural,
                45..65 => Ending::Killed(self.dice.within(1..=40)),
                65..75 => Ending::Terminated(self.dice.within(1..=40)),
                _ => Ending::ReaderClosed(self.dice.within(0..=150) as usize),
            };
            self.run(&format!("run {number}"), ending, false)?;
        }
        self.end()
    }

    /// Changes over seconds to days.
    fn between(&mut self) {
        let pause = self.dice.pick(&[5_u64, 60, 600, 7_200, 90_000, 400_000]);
        let changes = self.dice.within(0..=6);
        let may_remove = self.plan.switches.paging == Paging::Position || self.is_settled;
        let is_settled = self.is_settled;
        let Self { plan, sim, dice, .. } = self;
        let mut world = self.world.lock();
        sim.with_tenant(|tenant| {
            world.changes.may_remove = may_remove;
            world.changes.may_sink = is_settled;
            for _ in 0..changes {
                tenant.clock().advance(Duration::from_millis(dice.within(0..=pause * 1000) / (changes + 1)));
                world.change(tenant);
            }
            tenant.clock().advance(Duration::from_millis(dice.within(0..=pause * 1000)));
            if plan.links_expire && dice.chance(20) {
                tenant.expire_links();
                world.log_event(tenant, "all links expire");
            }
            if plan.delta_expires && dice.chance(20) {
                tenant.expire_all_delta();
                world.log_event(tenant, "all delta tokens expire");
            }
            if plan.blocks {
                let channel = dice.pick(&tenant.all_channel_ids());
                let block = dice.pick(&[None, None, Some(Block::forbidden()), Some(Block::not_found())]);
                world.log_event(tenant, &format!("{channel} answers {block:?}"));
                if block.is_some() {
                    world.blocked.insert(channel.clone())
                } else {
                    world.blocked.remove(&channel)
                };
                let _ = tenant.block_channel(&channel, block);
            }
        });
        world.changes.may_remove = self.plan.switches.paging == Paging::Position;
        world.changes.may_sink = false;
    }

    /// After two quiet runs, each with its daily walk, everything is equal. Another run soon after emits nothing.
    fn end(&mut self) -> Result<(), String> {
        self.sim.with_tenant(|tenant| {
            for channel in tenant.all_channel_ids() {
                let _ = tenant.block_channel(&channel, None);
            }
            self.world.lock().blocked.clear();
        });
        for name in ["first quiet run", "second quiet run"] {
            let before = self.destination.clone();
            self.sim.clock().advance(Duration::from_secs(self.plan.lookback + 25 * 3600));
            self.run(name, Ending::Natural, true)?;
            if self.sabotage == Sabotage::KeepOldRow {
                for (key, row) in before.rows {
                    self.destination.rows.insert(key, row);
                }
            }
        }
        if self.sabotage == Sabotage::LoseRow {
            let lost = self.destination.rows.keys().min().cloned();
            lost.map(|key| self.destination.rows.remove(&key));
        }
        let truth = self.sim.truth();
        let comparison = compare(self.plan, &self.world.lock().changes.ledger, &self.destination, &truth);
        self.tally.compared(&comparison);
        if !comparison.differences.is_empty() {
            return Err(format!(
                "{} of {} rows differ from Graph:\n{}",
                comparison.differences.len(),
                comparison.rows,
                comparison.differences.join("\n")
            ));
        }
        self.idle()
    }

    fn idle(&mut self) -> Result<(), String> {
        self.sim.clock().advance(Duration::from_secs(self.plan.lookback.max(2) + 60));
        self.run(IDLE, Ending::Natural, true)
    }

    fn run(&mut self, name: &str, ending: Ending, is_quiet: bool) -> Result<(), String> {
        let state = self.destination.state().filter(|_| !(is_quiet && self.sabotage == Sabotage::ForgetState));
        let plan = if is_quiet { self.plan.clone() } else { self.plan.for_run(&mut self.dice) };
        self.say(&format!(
            "{name}, {ending:?}, of {:?} with {}, with the state {}",
            plan.streams,
            plan.settings(),
            state.as_ref().unwrap_or(&Value::Null)
        ));
        self.tap.file("config.json", plan.config(&self.sim).to_string());
        self.tap.file("catalog.json", catalog(plan.protocol, &plan.streams, plan.full_refresh).to_string());
        let start = self.sim.clock().now();
        let (ran, channel_requests) = self.execute(state.as_ref(), ending, is_quiet)?;
        if let Some(reported) = ran.stderr.lines().find(|line| line.contains("panicked")) {
            return Err(format!("{name} panicked: {reported}"));
        }
        let ended = ending == Ending::Natural && ran.status == Some(0);
        if ending == Ending::Natural && !ended && (is_quiet || !(self.plan.loses_links() || self.plan.blocks)) {
            return Err(format!(
                "{name} ended with {:?}: {}\n{}",
                ran.status,
                ran.stderr,
                ran.lines.iter().filter(|line| line.contains("\"TRACE\"")).cloned().collect::<Vec<_>>().join("\n")
            ));
        }
        let lines = lines::read(plan.protocol, &ran.lines)?;
        self.judge(&plan, name, Played { lines, status: ran.status, channel_requests, start, ended }, is_quiet)
    }

    /// Runs the executable while the tenant changes.
    fn execute(
        &mut self,
        state: Option<&Value>,
        ending: Ending,
        is_quiet: bool,
    ) -> Result<(RunOutput, HashMap<String, ChannelRequests>), String> {
        let state = state.map(|state| self.tap.file("state.json", state.to_string()));
        let arguments = arguments(self.plan.protocol, state.is_some());
        let result = self.world.run(&self.sim, self.tap.program(), &arguments, ending, is_quiet);
        self.tally.requests(&mut self.world.lock());
        let (ran, run) = result?;
        self.tally.ran(ending, &ran);
        Ok((ran, run.channels))
    }

    /// Updates the destination and checks the repeated records.
    fn judge(&mut self, plan: &Plan, name: &str, played: Played, is_quiet: bool) -> Result<(), String> {
        let Played { lines, status, mut channel_requests, start, ended } = played;
        self.sim.read_tenant(|tenant| {
            for (channel, channel_requests) in &mut channel_requests {
                channel_requests.blocked = tenant.channel(channel).is_none() || self.world.lock().blocked.contains(channel);
            }
        });
        let habits = if is_quiet { Habits { merges: plan.habits.merges, ..Habits::default() } } else { plan.habits };
        // After a failed run, the destination may have read any prefix.
        let read = match ended && (is_quiet || self.dice.chance(80)) || self.dice.chance(50) {
            true => lines.len(),
            false => self.dice.within(0..=lines.len() as u64) as usize,
        };
        // The states of the whole run, although not all of its records were kept.
        let is_sabotaged = self.sabotage == Sabotage::StateWithoutRecords;
        let states_beyond = lines[read..].iter().filter(|line| is_sabotaged && matches!(line, Line::State(..)));
        let destination = self.destination.clone();
        let (economy, dice) = (&mut self.economy, &mut self.dice);
        let (kept, faults) = {
            let world = self.world.lock();
            let ledger = &world.changes.ledger;
            let run = economy::Run { plan, ledger, channel_requests: &channel_requests, start, lines: &lines, destination: &destination };
            let mut faults = economy.judge(&run);
            if name == IDLE {
                faults.extend(economy::idle_run(&run));
            }
            let kept = self.destination.read(lines[..read].iter().chain(states_beyond), habits, dice);
            economy.note(&run, ended && read == lines.len(), &kept, &self.destination);
            (kept, faults)
        };
        let is_whole = ended && read == lines.len() && plan.streams == self.plan.streams;
        self.is_settled = is_whole && plan.streams.iter().all(|stream| kept.current.contains(stream));
        self.note_kept(&kept, status, read, lines.len());
        if !plan.full_refresh && !faults.is_empty() {
            return Err(format!("{name}: {}", faults.join("\n")));
        }
        Ok(())
    }

    fn note_kept(&mut self, kept: &Kept, status: Option<i32>, read: usize, lines: usize) {
        self.say(&format!(
            "status {status:?}; the destination read {read} of {lines} lines, stored {} states, left {} records uncovered",
            kept.stored, kept.discarded
        ));
        let links: Vec<String> = self.destination.stream_state("messages").map(channels_with_delta).unwrap_or_default();
        let now = self.sim.clock().now();
        self.world.lock().changes.ledger.delta_links(&links, now);
    }
}

/// The channels with a delta link in the state.
fn channels_with_delta(state: &Value) -> Vec<String> {
    let with = states::entries(state).filter(|(_, entry)| entry["deltaLink"].is_string());
    with.filter_map(|(place, _)| Some(place.split_once('/')?.1.to_owned())).collect()
}
