//! The world during a run: before each request, the clock may advance, the tenant may change, the request may fail, or the run may be killed.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use graph_sim::{Class, Fault, GraphSim, PageKind, RequestInfo, Tenant};

use crate::{
    changes::Changes,
    dice::Dice,
    faults,
    plan::Plan,
    process::{Ending, Process, Program, RunOutput},
};

/// The maximum number of changes during one run. A channel that keeps changing can never be read completely.
const MAX_CHANGES: u32 = 40;

/// The maximum number of faults in one run after which the tap waits a second or two in real time.
const MAX_WAITS: u32 = 2;

/// The current state of a history, as the simulator sees it.
#[derive(Debug)]
pub struct World {
    /// May change between runs.
    pub plan: Plan,
    dice: Dice,
    pub changes: Changes,
    pub log: Vec<String>,
    pub run: Run,
    pub faults: HashMap<&'static str, u64>,
    pub requests: u64,
    /// Channels that Graph refuses.
    pub blocked: HashSet<String>,
    /// Short names of channels, for the log.
    channels: Vec<String>,
}

/// The world, shared between the simulator and a history.
#[derive(Clone, Debug)]
pub struct SharedWorld(Arc<Mutex<World>>);

impl SharedWorld {
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// Locks the world. Only lock the tenant too while no run is in progress: a request locks the tenant first.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the executable while the world changes.
    ///
    /// # Errors
    /// If the run does not end.
    pub fn run(
        &self,
        sim: &GraphSim,
        program: &Program,
        arguments: &[&str],
        ending: Ending,
        is_quiet: bool,
    ) -> Result<(RunOutput, Run), String> {
        let world = self.clone();
        sim.on_request(move |request, tenant| world.lock().on_request(request, tenant));
        let process = {
            // The lock makes the first request wait until the run is set.
            let mut world = self.lock();
            let process = Process::start(program, arguments);
            world.run = Run { process: Some(process.clone()), ending: Some(ending), is_quiet, ..Run::default() };
            process
        };
        let output = process.finish(if let Ending::ReaderClosed(lines) = ending { lines } else { usize::MAX });
        sim.clear_hook();
        let run = std::mem::take(&mut self.lock().run);
        Ok((output?, run))
    }
}

/// The run in progress.
#[derive(Debug, Default)]
pub struct Run {
    pub process: Option<Process>,
    pub ending: Option<Ending>,
    /// Nothing changes and nothing fails.
    pub is_quiet: bool,
    pub requests: u64,
    pub channels: HashMap<String, ChannelRequests>,
    pub changes: u32,
    pub waits: u32,
    /// The peak memory of the process so far, if the system reports it.
    pub peak: u64,
}

/// The requests for a channel in one run.
#[derive(Clone, Debug, Default)]
pub struct ChannelRequests {
    /// Passes of the walk that started.
    pub passes: u32,
    pub delta: bool,
    /// A delta round started or continued.
    pub rounds: bool,
    /// Delta was restarted with a filter.
    pub opened: bool,
    /// Graph refused the channel, so nothing of it was read.
    pub blocked: bool,
}

impl World {
    pub fn new(plan: &Plan, dice: &mut Dice) -> Self {
        let changes = Changes::new(plan, dice.split());
        Self {
            plan: plan.clone(),
            dice: dice.split(),
            changes,
            log: vec![format!("{plan:?}")],
            run: Run::default(),
            faults: HashMap::new(),
            requests: 0,
            blocked: HashSet::new(),
            channels: Vec::new(),
        }
    }

    /// Called before a request is answered.
    pub fn on_request(&mut self, request: &RequestInfo, tenant: &mut Tenant) -> Option<Fault> {
        self.requests += 1;
        self.run.requests += 1;
        self.count_request(request);
        let number = self.run.requests;
        if let Some(process) = self.run.process.as_ref().filter(|_| number.is_multiple_of(8)) {
            self.run.peak = self.run.peak.max(process.peak_memory().unwrap_or(0));
        }
        match (&self.run.ending, &self.run.process) {
            (Some(Ending::Killed(at)), Some(process)) if *at == number => {
                process.kill();
                self.log_event(tenant, "SIGKILL");
            }
            (Some(Ending::Terminated(at)), Some(process)) if *at == number => {
                process.terminate();
                self.log_event(tenant, "SIGTERM");
            }
            _ => {}
        }
        let fault = if self.run.is_quiet { None } else { self.disturb(request, tenant) };
        let (class, page) = (request.class, request.page);
        let delta_opens = if request.query.contains("filter=") { " opening" } else { "" };
        let thread = request.message().map(|message| format!(" thread {message}")).unwrap_or_default();
        let outcome = fault.as_ref().map(|fault| format!(" -> {fault:?}")).unwrap_or_default();
        let channel = request.channel().unwrap_or_default().to_owned();
        self.log_event(tenant, &format!("  #{number} {class:?} {page:?}{delta_opens} {channel}{thread}{outcome}"));
        fault
    }

    fn count_request(&mut self, request: &RequestInfo) {
        let Some(channel) = request.channel() else { return };
        let requests = self.run.channels.entry(channel.to_owned()).or_default();
        match request.class {
            Class::Messages if request.page == PageKind::First => requests.passes += 1,
            Class::Delta => {
                requests.delta = true;
                requests.rounds |= request.page != PageKind::Next;
                requests.opened |= request.query.contains("filter=");
            }
            _ => {}
        }
    }

    /// Advances the clock, changes the tenant and draws a fault, each with its probability.
    fn disturb(&mut self, request: &RequestInfo, tenant: &mut Tenant) -> Option<Fault> {
        if self.dice.chance(60) {
            let step = self.dice.within(0..=self.plan.max_clock_step);
            tenant.clock().advance(self.fraction(step));
        }
        if self.run.changes < MAX_CHANGES && self.dice.chance(self.plan.change_percent) {
            self.run.changes += 1;
            self.change(tenant);
        }
        if self.plan.links_expire && self.dice.chance(3) {
            tenant.expire_links();
            self.log_event(tenant, "all links expire");
        }
        if let Some(channel) = request.channel().filter(|_| self.plan.delta_expires && self.dice.chance(3)) {
            let _ = tenant.expire_delta(channel);
            self.log_event(tenant, &format!("delta tokens of {channel} expire"));
        }
        self.dice.chance(self.plan.fault_percent).then(|| self.fault())
    }

    /// A duration with 0 to 7 fraction digits.
    fn fraction(&mut self, micros: u64) -> Duration {
        let ticks = micros * 10 + self.dice.within(0..=9);
        let unit = 10_u64.pow(self.dice.within(0..=7) as u32);
        Duration::from_nanos((ticks - ticks % unit) * 100)
    }

    /// Makes a random change.
    pub fn change(&mut self, tenant: &mut Tenant) {
        for description in self.changes.make(tenant) {
            self.log_event(tenant, &description);
        }
    }

    fn fault(&mut self) -> Fault {
        let (name, fault) = if self.plan.any_fault { faults::any(&mut self.dice) } else { self.quick_fault() };
        *self.faults.entry(name).or_default() += 1;
        fault
    }

    fn quick_fault(&mut self) -> (&'static str, Fault) {
        let (name, fault) = faults::quick(&mut self.dice, self.run.waits < MAX_WAITS);
        self.run.waits += u32::from(faults::makes_wait(&fault));
        (name, fault)
    }

    /// Adds a line to the log, with short names for channels.
    pub fn log_event(&mut self, tenant: &Tenant, what: &str) {
        for channel in tenant.all_channel_ids() {
            if !self.channels.contains(&channel) {
                self.channels.push(channel);
            }
        }
        let event = self.shorten(what);
        self.log.push(format!("{} {event}", tenant.now()));
    }

    /// Replaces channel ids with short names.
    pub fn shorten(&self, text: &str) -> String {
        self.channels.iter().enumerate().fold(text.to_owned(), |text, (index, id)| text.replace(id, &format!("C{index}")))
    }
}
