//! Counts what the histories covered.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use scenario::{
    compare::Comparison,
    plan::Plan,
    process::{Ending, RunOutput},
    world::World,
};
use serde_json::Value;

#[derive(Default)]
pub struct Tally {
    histories: u64,
    runs: u64,
    endings: BTreeMap<&'static str, u64>,
    faults: BTreeMap<&'static str, u64>,
    /// The values that were tried for each switch.
    switches: BTreeMap<String, BTreeSet<String>>,
    lines: usize,
    requests: u64,
    rows: usize,
    excluded: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub fn of(plan: &Plan) -> Self {
        let mut tally = Self { histories: 1, ..Self::default() };
        let switches = serde_json::to_value(&plan.switches).unwrap();
        tally.note_switches("", &switches);
        tally
    }

    fn note_switches(&mut self, prefix: &str, switches: &Value) {
        for (name, value) in switches.as_object().unwrap() {
            let name = format!("{prefix}{name}");
            if value.is_object() {
                self.note_switches(&format!("{name}."), value);
            } else {
                self.switches.entry(name).or_default().insert(value.to_string());
            }
        }
    }

    pub fn ran(&mut self, ending: Ending, ran: &RunOutput) {
        self.runs += 1;
        self.lines += ran.lines.len();
        let name = match ending {
            Ending::Natural => "ended by themselves",
            Ending::Killed(_) => "SIGKILL",
            Ending::Terminated(_) => "SIGTERM",
            Ending::ReaderClosed(_) => "output closed",
        };
        *self.endings.entry(name).or_default() += 1;
    }

    pub fn requests(&mut self, world: &mut World) {
        self.requests += std::mem::take(&mut world.requests);
        for (name, count) in std::mem::take(&mut world.faults) {
            *self.faults.entry(name).or_default() += count;
        }
    }

    pub fn compared(&mut self, comparison: &Comparison) {
        self.rows += comparison.rows;
        for (reason, count) in &comparison.excluded {
            *self.excluded.entry(reason).or_default() += count;
        }
    }

    pub fn add(&mut self, other: Self) {
        self.histories += other.histories;
        self.runs += other.runs;
        self.lines += other.lines;
        self.requests += other.requests;
        self.rows += other.rows;
        other.endings.into_iter().for_each(|(name, count)| *self.endings.entry(name).or_default() += count);
        other.faults.into_iter().for_each(|(name, count)| *self.faults.entry(name).or_default() += count);
        other.excluded.into_iter().for_each(|(name, count)| *self.excluded.entry(name).or_default() += count);
        other.switches.into_iter().for_each(|(name, values)| self.switches.entry(name).or_default().extend(values));
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: usize = self.switches.values().filter(|values| values.len() > 1).map(BTreeSet::len).sum();
        let varied = self.switches.values().filter(|values| values.len() > 1).count();
        writeln!(formatter, "{} histories, {} runs {:?}", self.histories, self.runs, self.endings)?;
        writeln!(formatter, "{} requests, faults {:?}, {} lines", self.requests, self.faults, self.lines)?;
        writeln!(formatter, "{varied} switches in {values} settings; {} rows compared, of which left out:", self.rows)?;
        self.excluded.iter().try_for_each(|(reason, count)| writeln!(formatter, "  {count}: {reason}"))
    }
}
