//! One protocol: its catalog, its destination, and the states that the destination hands back.

use scenario::{
    Protocol, STREAMS,
    catalog::catalog,
    compare::{Comparison, compare, compare_whole},
    destination::{Destination, Habits, Kept},
    dice::Dice,
    ledger::Ledger,
    lines::Line,
    plan::Plan,
};
use serde_json::Value;

/// The streams that are read in full each time.
const WHOLE: [&str; 3] = ["teams", "channels", "members"];

/// So many states are kept that may be handed back once more.
const EARLIER: usize = 5;

#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) plan: Plan,
    destination: Destination,
    /// States of before.
    earlier: Vec<Value>,
    /// The last run ended well, and all its states were stored: no list is half read.
    pub(crate) is_settled: bool,
    /// The last run was ended.
    pub(crate) was_cut: bool,
}

impl Lane {
    pub(crate) fn new(plan: &Plan, protocol: Protocol) -> Self {
        let plan = Plan { protocol, ..plan.clone() };
        let destination = Destination::new(protocol);
        Self { plan, destination, earlier: Vec::new(), is_settled: true, was_cut: false }
    }

    pub(crate) fn catalog(&self) -> Value {
        catalog(self.plan.protocol, &[&WHOLE[..], &STREAMS].concat(), false)
    }

    /// The last state, or an earlier one: a target may have stored the records of a state that it did not hand on.
    pub(crate) fn state(&mut self, dice: &mut Dice) -> Option<Value> {
        if !self.earlier.is_empty() && dice.chance(10) {
            return Some(dice.pick(&self.earlier));
        }
        let state = self.destination.state();
        self.earlier.extend(state.clone());
        self.earlier.drain(..self.earlier.len().saturating_sub(EARLIER));
        state
    }

    /// The last state that was stored.
    pub(crate) fn last_state(&self) -> Option<Value> {
        self.destination.state()
    }

    /// No state of before is handed back any more.
    pub(crate) fn forget_earlier(&mut self) {
        self.earlier.clear();
    }

    /// Reads what a run wrote, all of it or as much as came.
    pub(crate) fn read(&mut self, lines: &[Line], is_quiet: bool, ended: bool, dice: &mut Dice) -> Kept {
        let whole = is_quiet || dice.chance(if ended { 80 } else { 50 });
        let read = if whole { lines.len() } else { dice.within(0..=lines.len() as u64) as usize };
        let habits = if is_quiet { Habits { merges: self.plan.habits.merges, ..Habits::default() } } else { self.plan.habits };
        let kept = self.destination.read(lines.get(..read).unwrap_or_default(), habits, dice);
        self.is_settled = ended && whole && STREAMS.iter().all(|stream| kept.up_to_date.contains(stream));
        self.was_cut = !ended;
        kept
    }

    /// After a quiet run that ended well the destination holds what is true.
    pub(crate) fn compare(&self, lines: &[Line], ledger: &Ledger, truth: &graph_sim::Truth) -> Comparison {
        let mut comparison = compare(&self.plan, ledger, &self.destination, truth);
        for stream in WHOLE {
            comparison.differences.extend(compare_whole(stream, lines, truth));
        }
        comparison
    }

    /// Rows of messages and replies.
    pub(crate) fn rows(&self) -> usize {
        self.destination.rows.len()
    }
}
