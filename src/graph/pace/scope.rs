//! The scope of a request: the budgets that it counts against. It travels with the request, and the links in its answer inherit it.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::class::Class;
use crate::level::{Level, Partition};

/// What a request counts against: its class, and the parents that have a rate of their own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::graph) struct Scope {
    class: &'static Class,
    /// From the top down.
    parents: Arc<[Parent]>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Parent {
    budget: Budgeted,
    level: &'static Level,
}

/// What has a budget.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::graph) enum Budgeted {
    Class(&'static str),
    /// One parent, by the hash of its id.
    Parent(u64),
}

impl Scope {
    /// The scope of a request of this class for what is below a partition.
    pub(in crate::graph) fn new(class: &'static Class, of: &Partition) -> Self {
        let parents = of.levels().filter(|(level, _)| level.per_second.is_some()).map(|(level, id)| {
            // Some ids mean the same in capital letters.
            let id = xxh3_64(format!("{}/{}", level.segment, id.to_ascii_lowercase()).as_bytes());
            Parent { budget: Budgeted::Parent(id), level }
        });
        Self { class, parents: parents.collect() }
    }

    pub(in crate::graph) fn class(&self) -> &'static Class {
        self.class
    }

    /// Its budgets with the requests a second that Graph allows: the class, and the parents from the top down.
    pub(super) fn budgets(&self) -> impl DoubleEndedIterator<Item = (Budgeted, f64)> {
        let class = (Budgeted::Class(self.class.name), self.class.per_second);
        std::iter::once(class).chain(self.parents.iter().filter_map(|parent| Some((parent.budget, parent.level.per_second?))))
    }

    /// Whether it counts against this budget.
    pub(super) fn has(&self, budget: Budgeted) -> bool {
        self.budgets().any(|(own, _)| own == budget)
    }

    /// The narrowest of its budgets: that of the lowest parent, or of the class if it has no parents.
    pub(super) fn narrowest(&self) -> Budgeted {
        self.parents.last().map_or(Budgeted::Class(self.class.name), |parent| parent.budget)
    }

    /// The highest of its parents.
    pub(super) fn top(&self) -> Option<Budgeted> {
        self.parents.first().map(|parent| parent.budget)
    }

    /// The budgets narrower than one of its own; [`None`] if that is not one of its own.
    pub(super) fn narrower(&self, budget: Budgeted) -> Option<Vec<Budgeted>> {
        self.has(budget).then(|| self.budgets().map(|(own, _)| own).skip_while(|own| *own != budget).skip(1).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::level::{CHANNEL, TEAM};

    /// A level of which paths do not name those above it.
    static CHAT: Level = Level { name: "chat", segment: "chats", per_second: Some(2.0), above: Some(&TEAM), is_rooted: true, ..CHANNEL };

    fn rates(of: &Partition) -> Vec<f64> {
        Scope::new(&Class::MESSAGES, of).budgets().map(|(_, per_second)| per_second).collect()
    }

    #[test]
    fn a_request_counts_against_its_class_and_each_parent_that_has_a_rate() {
        assert_eq!(rates(&Partition::default()), [20.0]);
        assert_eq!(rates(&Partition::team("t")), [20.0, 4.0]);
        assert_eq!(rates(&Partition::channel("t", "c")), [20.0, 4.0, 1.0]);
        assert_eq!(rates(&Partition::thread("t", "c", "m")), [20.0, 4.0, 1.0], "a message has none");
        assert_eq!(rates(&Partition::team("t").below(&CHAT, "c")), [20.0, 2.0]);
    }

    #[test]
    fn parents_are_the_same_however_their_ids_are_written_and_differ_by_level() {
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
