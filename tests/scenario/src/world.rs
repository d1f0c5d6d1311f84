//! What happens while a run asks: before each request the clock moves, the tenant changes, something fails, or the run is ended.

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
    process::{Ending, Process, Program, Ran},
};

/// Changes during one run at most: a channel that changes for ever is never read to its end.
const CHANGES: u32 = 40;

/// Faults of one run at most after which the tap waits a second or two in real time.
const WAITS: u32 = 2;

/// A history as it goes on, seen from within the simulator.
#[derive(Debug)]
pub struct World {
    /// What happens in the runs to come may change between them.
    pub plan: Plan,
    dice: Dice,
    pub changes: Changes,
    pub log: Vec<String>,
    pub run: Run,
    pub faults: HashMap<&'static str, u64>,
    pub requests: u64,
    /// Channels that are refused.
    pub blocked: HashSet<String>,
    /// Short names of channels, for the log.
    channels: Vec<String>,
}

/// The world, as the simulator and a history share it.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Mutex<World>>);

impl Shared {
    pub fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    /// The world to oneself. Who wants the tenant too takes it while no run is under way: a request has the tenant first.
    pub fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the executable while the world goes on.
    ///
    /// # Errors
    /// If it does not end.
    pub fn run(&self, sim: &GraphSim, program: &Program, arguments: &[&str], ending: Ending, is_quiet: bool) -> Result<(Ran, Run), String> {
        let world = self.clone();
        sim.on_request(move |request, tenant| world.lock().on_request(request, tenant));
        let process = {
            // The first request waits until it is known whose it is.
            let mut world = self.lock();
            let process = Process::start(program, arguments);
            world.run = Run { process: Some(process.clone()), ending: Some(ending), is_quiet, ..Run::default() };
            process
        };
        let ran = process.end(if let Ending::Left(lines) = ending { lines } else { usize::MAX });
        sim.clear_hook();
        let run = std::mem::take(&mut self.lock().run);
        Ok((ran?, run))
    }
}

/// The run that goes on.
#[derive(Debug, Default)]
pub struct Run {
    pub process: Option<Process>,
    pub ending: Option<Ending>,
    /// Nothing changes and nothing fails.
    pub is_quiet: bool,
    pub requests: u64,
    pub asked: HashMap<String, Asked>,
    pub changes: u32,
    pub waits: u32,
    /// The most memory that the process had so far, where the system tells.
    pub peak: u64,
}

/// What was asked of a channel in one run.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Passes of the walk that began.
    pub passes: u32,
    pub delta: bool,
    /// A round of delta began; it may also go on that an earlier run began.
    pub rounds: bool,
    /// Delta was opened anew.
    pub opened: bool,
    /// It was refused: nothing of it was read.
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

    /// Before a request is answered.
    pub fn on_request(&mut self, request: &RequestInfo, tenant: &mut Tenant) -> Option<Fault> {
        self.requests += 1;
        self.run.requests += 1;
        self.note_asked(request);
        let number = self.run.requests;
        if let Some(process) = self.run.process.as_ref().filter(|_| number.is_multiple_of(8)) {
            self.run.peak = self.run.peak.max(process.peak_memory().unwrap_or(0));
        }
        match (&self.run.ending, &self.run.process) {
            (Some(Ending::Killed(at)), Some(process)) if *at == number => {
                process.kill();
                self.say(tenant, "SIGKILL");
            }
            (Some(Ending::Told(at)), Some(process)) if *at == number => {
                process.terminate();
                self.say(tenant, "SIGTERM");
            }
            _ => {}
        }
        let fault = if self.run.is_quiet { None } else { self.disturb(request, tenant) };
        let (class, page) = (request.class, request.page);
        let delta_opens = if request.query.contains("filter=") { " opening" } else { "" };
        let thread = request.message().map(|message| format!(" thread {message}")).unwrap_or_default();
        let met = fault.as_ref().map(|fault| format!(" -> {fault:?}")).unwrap_or_default();
        let channel = request.channel().unwrap_or_default().to_owned();
        self.say(tenant, &format!("  #{number} {class:?} {page:?}{delta_opens} {channel}{thread}{met}"));
        fault
    }

    fn note_asked(&mut self, request: &RequestInfo) {
        let Some(channel) = request.channel() else { return };
        let asked = self.run.asked.entry(channel.to_owned()).or_default();
        match request.class {
            Class::Messages if request.page == PageKind::First => asked.passes += 1,
            Class::Delta => {
                asked.delta = true;
                asked.rounds |= request.page != PageKind::Next;
                asked.opened |= request.query.contains("filter=");
            }
            _ => {}
        }
    }

    /// Moves the clock, changes the tenant, draws a fault.
    fn disturb(&mut self, request: &RequestInfo, tenant: &mut Tenant) -> Option<Fault> {
        if self.dice.chance(60) {
            let step = self.dice.within(0..=self.plan.longest_step);
            tenant.clock().advance(self.fraction(step));
        }
        if self.run.changes < CHANGES && self.dice.chance(self.plan.change_percent) {
            self.run.changes += 1;
            self.change(tenant);
        }
        if self.plan.links_expire && self.dice.chance(3) {
            tenant.expire_links();
            self.say(tenant, "all links expire");
        }
        if let Some(channel) = request.channel().filter(|_| self.plan.delta_expires && self.dice.chance(3)) {
            let _ = tenant.expire_delta(channel);
            self.say(tenant, &format!("delta tokens of {channel} expire"));
        }
        self.dice.chance(self.plan.fault_percent).then(|| self.fault())
    }

    /// A time with 0 to 7 digits behind the point.
    fn fraction(&mut self, micros: u64) -> Duration {
        let ticks = micros * 10 + self.dice.within(0..=9);
        let unit = 10_u64.pow(self.dice.within(0..=7) as u32);
        Duration::from_nanos((ticks - ticks % unit) * 100)
    }

    /// Changes something.
    pub fn change(&mut self, tenant: &mut Tenant) {
        for said in self.changes.make(tenant) {
            self.say(tenant, &said);
        }
    }

    fn fault(&mut self) -> Fault {
        let (name, fault) = if self.plan.any_fault { faults::any(&mut self.dice) } else { self.quick_fault() };
        *self.faults.entry(name).or_default() += 1;
        fault
    }

    fn quick_fault(&mut self) -> (&'static str, Fault) {
        let (name, fault) = faults::quick(&mut self.dice, self.run.waits < WAITS);
        self.run.waits += u32::from(faults::makes_wait(&fault));
        (name, fault)
    }

    /// Writes into the log, with short names of channels.
    pub fn say(&mut self, tenant: &Tenant, what: &str) {
        for channel in tenant.all_channel_ids() {
            if !self.channels.contains(&channel) {
                self.channels.push(channel);
            }
        }
        let said = self.short(what);
        self.log.push(format!("{} {said}", tenant.now()));
    }

    /// The same text with short names of channels.
    pub fn short(&self, text: &str) -> String {
        self.channels.iter().enumerate().fold(text.to_owned(), |text, (index, id)| text.replace(id, &format!("C{index}")))
    }
}
