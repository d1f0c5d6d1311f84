//! The scope of a request: the budgets that it counts against. Links in the response inherit the scope.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::class::Class;
use crate::level::{Level, Partition};

/// The budgets that a request counts against: its class, and its parents with a rate limit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::graph) struct Scope {
    class: &'static Class,
    /// From the top down.
    parents: Arc<[LimitedParent]>,
}

/// A parent with a rate limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct LimitedParent {
    budget: BudgetKey,
    level: &'static Level,
}

/// Identifies a budget.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::graph) enum BudgetKey {
    Class(&'static str),
    /// The hash of the parent's id.
    Parent(u64),
}

impl Scope {
    /// The scope of a request for a partition or for something below it.
    pub(in crate::graph) fn new(class: &'static Class, partition: &Partition) -> Self {
        let parents = partition.levels().filter(|(level, _)| level.per_second.is_some()).map(|(level, id)| {
            // Some ids are case-insensitive.
            let id = xxh3_64(format!("{}/{}", level.segment, id.to_ascii_lowercase()).as_bytes());
            LimitedParent { budget: BudgetKey::Parent(id), level }
        });
        Self { class, parents: parents.collect() }
    }

    pub(in crate::graph) fn class(&self) -> &'static Class {
        self.class
    }

    /// The budgets and their requests per second: the class, then the parents from the top down.
    pub(super) fn budgets(&self) -> impl DoubleEndedIterator<Item = (BudgetKey, f64)> {
        let class = (BudgetKey::Class(self.class.name), self.class.per_second);
        std::iter::once(class).chain(self.parents.iter().filter_map(|parent| Some((parent.budget, parent.level.per_second?))))
    }

    pub(super) fn has(&self, budget: BudgetKey) -> bool {
        self.budgets().any(|(own, _)| own == budget)
    }

    /// The budget of the lowest parent, or of the class if there is no parent.
    pub(super) fn narrowest(&self) -> BudgetKey {
        self.parents.last().map_or(BudgetKey::Class(self.class.name), |parent| parent.budget)
    }

    /// The topmost parent.
    pub(super) fn top(&self) -> Option<BudgetKey> {
        self.parents.first().map(|parent| parent.budget)
    }

    /// The budgets below one of this scope's budgets. [`None`] if this scope does not have that budget.
    pub(super) fn narrower(&self, budget: BudgetKey) -> Option<Vec<BudgetKey>> {
        self.has(budget).then(|| self.budgets().map(|(own, _)| own).skip_while(|own| *own != budget).skip(1).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{CHANNEL, TEAM};

    /// A level whose paths do not contain the levels above it.
    static CHAT: Level = Level { name: "chat", segment: "chats", per_second: Some(2.0), above: Some(&TEAM), is_rooted: true, ..CHANNEL };

    fn rates(of: &Partition) -> Vec<f64> {
        Scope::new(&Class::MESSAGES, of).budgets().map(|(_, per_second)| per_second).collect()
    }

    #[test]
    fn a_request_counts_against_its_class_and_each_parent_with_a_rate() {
        assert_eq!(rates(&Partition::default()), [20.0]);
        assert_eq!(rates(&Partition::team("t")), [20.0, 4.0]);
        assert_eq!(rates(&Partition::channel("t", "c")), [20.0, 4.0, 1.0]);
        assert_eq!(rates(&Partition::thread("t", "c", "m")), [20.0, 4.0, 1.0], "a message has no rate");
        assert_eq!(rates(&Partition::team("t").below(&CHAT, "c")), [20.0, 2.0]);
    }

    #[test]
    fn parents_are_equal_by_level_and_case_insensitive_id() {
        let scope = |of: Partition| Scope::new(&Class::MESSAGES, &of);
        assert_eq!(scope(Partition::channel("T", "19:C")), scope(Partition::channel("t", "19:c")));
        assert_ne!(scope(Partition::channel("t", "c")), scope(Partition::channel("t", "d")));
        assert_ne!(scope(Partition::team("c")).narrowest(), scope(Partition::default().below(&CHAT, "c")).narrowest());
        let (team, channel) = (scope(Partition::team("t")), scope(Partition::channel("t", "c")));
        assert_eq!(channel.narrower(team.narrowest()), Some(vec![channel.narrowest()]));
        assert_eq!((team.narrower(team.narrowest()), team.narrower(channel.narrowest())), (Some(Vec::new()), None));
        assert_eq!((channel.top(), scope(Partition::default()).top()), (Some(team.narrowest()), None));
    }
}
