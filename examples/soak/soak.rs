//! A soak alternates storms, in which anything may fail, and checks, in which nothing fails and the destinations must match the tenant.

use std::{
    io,
    time::{Duration, Instant},
};

use graph_sim::{Class, Fault, GraphSim, Paging, Rule};
use scenario::{
    Protocol,
    catalog::arguments,
    dice::Dice,
    lines::{self, Line},
    plan::Plan,
    process::{Ending, Program, RunOutput},
    world::{SharedWorld, World},
};
use serde_json::Value;

use crate::{figures::Figures, lane::Lane};

/// The maximum duration of a storm.
const MAX_STORM: Duration = Duration::from_secs(120);

/// The client secret, whose characters are the same in every encoding.
const SECRET: &str = "a-client-secret-that-nothing-must-show";

/// The beginning of the simulator's tokens.
const TOKEN: &str = "eyJ0eXAi";

/// The simulator, its world, and a lane for each protocol.
#[derive(Debug)]
pub(crate) struct Soak {
    sim: GraphSim,
    program: Program,
    world: SharedWorld,
    lanes: [Lane; 2],
    dice: Dice,
    pub(crate) figures: Figures,
}

impl Soak {
    pub(crate) fn begin(seed: u64, program: Program) -> io::Result<Self> {
        let plan = Plan::soak(seed);
        let mut options = plan.options();
        (options.client_secret, options.workers, options.journal_entries) = (SECRET.to_owned(), 2, 0);
        let sim = GraphSim::start(options)?;
        let mut dice = Dice::new(seed);
        let mut world = World::new(&plan, &mut dice);
        sim.with_tenant(|tenant| world.changes.ledger.begin(tenant));
        let lanes = [Lane::new(&plan, Protocol::Airbyte), Lane::new(&plan, Protocol::Singer)];
        Ok(Self { sim, program, world: SharedWorld::new(world), lanes, dice, figures: Figures::new(seed) })
    }

    /// The events since the last check.
    pub(crate) fn log(&self) -> Vec<String> {
        self.world.lock().log.clone()
    }

    /// Alternates storms and checks. The error describes what is wrong.
    pub(crate) fn run(&mut self, time: Duration) -> Result<(), String> {
        let end = Instant::now() + time;
        let storm = MAX_STORM.min(time / 4);
        while Instant::now() < end {
            let until = (Instant::now() + storm).min(end);
            self.sim.inject(Rule::new(Fault::Aadsts(90033)).class(Class::Token).rate(0.05));
            while Instant::now() < until {
                self.between();
                let (lane, ending) = (self.dice.index(2), self.ending());
                self.run_once(lane, ending, false)?;
            }
            self.sim.clear_faults();
            self.check()?;
        }
        self.figures.memory_grows().map_or(Ok(()), Err)
    }

    /// Half of the runs are killed, after at most 200 requests.
    fn ending(&mut self) -> Ending {
        let max = self.dice.pick(&[10, 30, 80, 200]);
        match self.dice.within(0..=99) {
            0..25 => Ending::Natural,
            25..75 => Ending::Killed(self.dice.within(1..=max)),
            75..88 => Ending::Terminated(self.dice.within(1..=max)),
            _ => Ending::ReaderClosed(self.dice.within(0..=max * 3) as usize),
        }
    }

    /// Changes the tenant between two runs.
    fn between(&mut self) {
        let is_settled = self.lanes.iter().all(|lane| lane.is_settled);
        if is_settled {
            // Earlier states may belong to lists that were half read.
            self.lanes.iter_mut().for_each(Lane::forget_earlier);
        }
        let Self { sim, world, dice, .. } = self;
        let mut world = world.lock();
        let by_position = world.plan.switches.paging == Paging::Position;
        // Removals would shift lists that are half read. Earlier states may also continue such lists.
        (world.changes.may_remove, world.changes.may_sink) = (by_position || is_settled, is_settled);
        sim.with_tenant(|tenant| {
            for _ in 0..dice.within(0..=4) {
                tenant.clock().advance(Duration::from_millis(dice.within(0..=5000)));
                world.change(tenant);
            }
            if dice.chance(3) {
                tenant.clock().advance(Duration::from_secs(dice.within(3600..=200_000)));
                world.log_event(tenant, "hours pass");
            }
            if dice.chance(5) {
                tenant.expire_links();
                world.log_event(tenant, "all links expire");
            }
            if dice.chance(5) {
                tenant.expire_all_delta();
                world.log_event(tenant, "all delta tokens expire");
            }
        });
        (world.changes.may_remove, world.changes.may_sink) = (by_position, false);
        (world.plan.links_expire, world.plan.delta_expires) = (dice.chance(10), dice.chance(20));
    }

    /// Runs each lane without faults, and compares its destination with the tenant.
    fn check(&mut self) -> Result<(), String> {
        for index in 0..self.lanes.len() {
            self.sim.clock().advance(Duration::from_secs(self.dice.within(60..=90_000)));
            let lines = self.run_once(index, Ending::Natural, true)?;
            let lane = &self.lanes[index];
            let comparison = lane.compare(&lines, &self.world.lock().changes.ledger, &self.sim.truth());
            self.figures.compared(&comparison);
            if !comparison.differences.is_empty() {
                let differences = self.world.lock().shorten(&comparison.differences.join("\n"));
                return Err(format!("{:?}, after a clean run:\n{differences}", lane.plan.protocol));
            }
        }
        self.world.lock().log.clear();
        Ok(())
    }

    /// Runs the tap once and lets the destination read its output.
    fn run_once(&mut self, index: usize, ending: Ending, is_quiet: bool) -> Result<Vec<Line>, String> {
        let Self { sim, program, world, lanes, dice, figures } = self;
        let lane = &mut lanes[index];
        let protocol = lane.plan.protocol;
        let state = if is_quiet { lane.last_state() } else { lane.state(dice) };
        program.file("config.json", lane.plan.config(sim).to_string());
        program.file("catalog.json", lane.catalog().to_string());
        program.file("state.json", state.as_ref().unwrap_or(&Value::Null).to_string());
        let log = |event: &str| sim.read_tenant(|tenant| world.lock().log_event(tenant, event));
        log(&format!("{protocol:?}, {ending:?}, with state {}", state.as_ref().unwrap_or(&Value::Null)));
        let (ran, run) = world.run(sim, program, &arguments(protocol, state.is_some()), ending, is_quiet)?;
        log(&format!("status {:?}, signal {:?}: {}", ran.status, ran.signal, errors(&ran).join("; ")));
        check_run(&ran, ending, is_quiet)?;
        let lines = lines::read(protocol, &ran.lines)?;
        let ended = ran.status == Some(0) && !matches!(ending, Ending::ReaderClosed(_));
        let was_cut = lane.was_cut;
        let kept = lane.read(&lines, is_quiet, ended, dice);
        log(&format!("{} lines; {} states stored, {} records without a later state", lines.len(), kept.stored, kept.discarded));
        if ran.status == Some(1) && ending == Ending::Natural {
            figures.incomplete.extend(errors(&ran).into_iter().map(|error| world.lock().shorten(&error)));
        }
        figures.ran(&ran, ending, run.peak, &lines);
        figures.kept(&kept, was_cut);
        figures.world(&mut world.lock());
        figures.report(lanes.iter().map(Lane::rows).sum());
        Ok(lines)
    }
}

/// The error messages of a run, in either protocol.
fn errors(ran: &RunOutput) -> Vec<String> {
    let traces = ran.lines.iter().filter(|line| line.contains("\"TRACE\"") && line.contains("\"error\""));
    let traces =
        traces.filter_map(|line| serde_json::from_str::<Value>(line).ok()?["trace"]["error"]["message"].as_str().map(str::to_owned));
    traces.chain(ran.stderr.lines().filter(|line| line.starts_with("CRITICAL")).map(str::to_owned)).collect()
}

/// Checks that a run did not panic, show a secret or end in an unexpected way.
fn check_run(ran: &RunOutput, ending: Ending, is_quiet: bool) -> Result<(), String> {
    if let Some(line) = ran.stderr.lines().chain(ran.lines.iter().map(String::as_str)).find(|line| line.contains("panicked")) {
        return Err(format!("a run panicked: {line}"));
    }
    let shows_secret = |line: &str| line.contains(SECRET) || line.contains(TOKEN);
    if ran.lines.iter().any(|line| shows_secret(line)) || shows_secret(&ran.stderr) {
        return Err("the output shows a secret".to_owned());
    }
    let may_end = match (ran.status, ran.signal) {
        (Some(0), _) => true,
        // A link may have expired, or a request failed more often than it is retried. The next run reads the rest.
        (Some(1), _) => !is_quiet,
        (_, Some(9)) => matches!(ending, Ending::Killed(_)),
        (_, Some(15)) => matches!(ending, Ending::Terminated(_)),
        (_, Some(13)) => matches!(ending, Ending::ReaderClosed(_)),
        _ => false,
    };
    if may_end {
        return Ok(());
    }
    Err(format!("a run ({ending:?}) ended with {:?}, signal {:?}: {}\n{}", ran.status, ran.signal, errors(ran).join("\n"), ran.stderr))
}
