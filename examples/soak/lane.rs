//! A lane: one protocol with its catalog, its destination, and the states that the destination returns.

use scenario::{
    Protocol, STREAMS,
    catalog::catalog,
    compare::{Comparison, compare, compare_full_table},
    destination::{Destination, Habits, Kept},
    dice::Dice,
    ledger::Ledger,
    lines::Line,
    plan::Plan,
};
use serde_json::Value;

/// The streams that every run reads in full.
const FULL_REFRESH: [&str; 3] = ["teams", "channels", "members"];

/// The number of earlier states to keep.
const MAX_EARLIER: usize = 5;

#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) plan: Plan,
    destination: Destination,
    /// Earlier states, which may be used once more.
    earlier: Vec<Value>,
    /// The last run was complete and all its states were stored, so no list is half read.
    pub(crate) is_settled: bool,
    /// The last run did not end by itself.
    pub(crate) was_cut: bool,
}

impl Lane {
    pub(crate) fn new(plan: &Plan, protocol: Protocol) -> Self {
        let plan = Plan { protocol, ..plan.clone() };
        let destination = Destination::new(protocol);
        Self { plan, destination, earlier: Vec::new(), is_settled: true, was_cut: false }
    }

    pub(crate) fn catalog(&self) -> Value {
        catalog(self.plan.protocol, &[&FULL_REFRESH[..], &STREAMS].concat(), false)
    }

    /// The last state, or sometimes an earlier one, since a target may store the records of a state but not the state.
    pub(crate) fn state(&mut self, dice: &mut Dice) -> Option<Value> {
        if !self.earlier.is_empty() && dice.chance(10) {
            return Some(dice.pick(&self.earlier));
        }
        let state = self.destination.state();
        self.earlier.extend(state.clone());
        self.earlier.drain(..self.earlier.len().saturating_sub(MAX_EARLIER));
        state
    }

    /// The last state that was stored.
    pub(crate) fn last_state(&self) -> Option<Value> {
        self.destination.state()
    }

    /// Earlier states are not used any more.
    pub(crate) fn forget_earlier(&mut self) {
        self.earlier.clear();
    }

    /// Lets the destination read all or some of the lines of a run.
    pub(crate) fn read(&mut self, lines: &[Line], is_quiet: bool, ended: bool, dice: &mut Dice) -> Kept {
        let reads_all = is_quiet || dice.chance(if ended { 80 } else { 50 });
        let read = if reads_all { lines.len() } else { dice.within(0..=lines.len() as u64) as usize };
        let habits = if is_quiet { Habits { merges: self.plan.habits.merges, ..Habits::default() } } else { self.plan.habits };
        let kept = self.destination.read(lines.get(..read).unwrap_or_default(), habits, dice);
        self.is_settled = ended && reads_all && STREAMS.iter().all(|stream| kept.current.contains(stream));
        self.was_cut = !ended;
        kept
    }

    /// Compares the destination with the truth, after a quiet run that was complete.
    pub(crate) fn compare(&self, lines: &[Line], ledger: &Ledger, truth: &graph_sim::Truth) -> Comparison {
        let mut comparison = compare(&self.plan, ledger, &self.destination, truth);
        for stream in FULL_REFRESH {
            comparison.differences.extend(compare_full_table(stream, lines, truth));
        }
        comparison
    }

    /// The number of messages and replies in the destination.
    pub(crate) fn rows(&self) -> usize {
        self.destination.rows.len()
    }
}
