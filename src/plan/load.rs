//! The requests of a run, by what they count against, and how long these take: the longest that one of the limits makes of them.

use std::collections::{BTreeMap, HashMap};

use crate::{
    graph::{Budget, Class, Rates},
    level::{LEVELS, Level, Partition},
    read::{found::Origin, job::Job},
    streams::Stream,
};

/// Requests, by what they count against.
pub(super) type Walk = Vec<(&'static Class, f64)>;

/// What a run is going to ask.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// By the names of their classes.
    pub(super) classes: BTreeMap<&'static str, (&'static Class, f64)>,
    parents: HashMap<Partition, Parent>,
    /// Walks that were looked at with their requests, the longest first.
    pub(super) walks: Vec<(Partition, f64)>,
}

/// A parent that is read, or below which something is read.
#[derive(Debug)]
struct Parent {
    /// For how many it stands.
    weight: f64,
    is_looked_at: bool,
    /// Requests for it and for what is below it.
    requests: f64,
}

/// How long, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Time {
    pub(super) seconds: f64,
    pub(super) by: Budget,
    /// The parent, if it is one that decides.
    pub(super) of: Option<Partition>,
    pub(super) requests: f64,
}

impl Load {
    /// A job was found that stands for this number of jobs.
    pub(super) fn find(&mut self, job: &Job, weight: f64) {
        // What is not listed may be gone.
        if matches!(job.input.origin, Origin::Unlisted { .. }) {
            return;
        }
        for of in job.input.parent.upwards() {
            self.parents.entry(of).or_insert(Parent { weight, is_looked_at: false, requests: 0.0 });
        }
    }

    /// This parent turned out to be none.
    pub(super) fn forget(&mut self, of: &Partition) {
        self.parents.remove(of);
    }

    /// Some jobs were looked at and stand for so many each, and some like them were not. If nothing is known of what they need, it is what was
    /// asked.
    pub(super) fn add(
        &mut self,
        looked_at: Vec<(Partition, Option<Walk>)>,
        others: &[Partition],
        weight: f64,
        asked: &[(&'static Class, u64)],
    ) {
        let count = looked_at.len().max(1) as f64;
        let each: Walk = asked.iter().map(|(class, requests)| (*class, *requests as f64 / count)).collect();
        let mut mean = 0.0;
        for (of, walk) in looked_at {
            let needed = walk.as_ref().unwrap_or(&each);
            let requests: f64 = needed.iter().map(|(_, requests)| requests).sum();
            for (class, requests) in needed {
                self.classes.entry(class.name).or_insert((class, 0.0)).1 += requests * weight;
            }
            self.spend(&of, requests, true);
            mean += requests / count;
            if walk.is_some() {
                self.walks.push((of, requests));
            }
        }
        others.iter().for_each(|of| self.spend(of, mean, false));
        self.walks.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    }

    fn spend(&mut self, of: &Partition, requests: f64, is_looked_at: bool) {
        for parent in of.upwards() {
            if let Some(parent) = self.parents.get_mut(&parent) {
                parent.requests += requests;
                parent.is_looked_at |= is_looked_at;
            }
        }
    }

    /// How many parents there are of each level, and how many of them were looked at.
    pub(super) fn parents(&self) -> impl Iterator<Item = (&'static Level, f64, u64)> {
        LEVELS.iter().filter(|level| Stream::that_finds(level).is_some()).map(|&level| {
            let parents = || self.parents_of(level).map(|(_, parent)| parent);
            (level, parents().map(|parent| parent.weight).sum(), parents().filter(|parent| parent.is_looked_at).count() as u64)
        })
    }

    fn parents_of(&self, level: &'static Level) -> impl Iterator<Item = (&Partition, &Parent)> {
        self.parents.iter().filter(move |(of, _)| of.level() == Some(level))
    }

    /// The time of all of it.
    pub(super) fn time(&self, rates: &Rates) -> Time {
        let all: f64 = self.classes.values().map(|(_, requests)| requests).sum();
        let of = |by: Budget, requests: f64| Time { seconds: rates.seconds(by, requests), by, of: None, requests };
        let classes = self.classes.values().map(|&(class, requests)| of(Budget::Class(class), requests));
        let levels = LEVELS.iter().filter_map(|&level| {
            let parents = self.parents_of(level).map(|(of, parent)| (parent.requests, of));
            let (requests, busiest) =
                parents.max_by(|(one, of), (other, others)| one.total_cmp(other).then_with(|| others.key().cmp(&of.key())))?;
            Some(Time { of: Some(busiest.clone()), ..of(Budget::Parent(level), requests) })
        });
        // The pages of a walk follow each other.
        let longest = self.walks.first().and_then(|(of, requests)| {
            let level = paced(of)?;
            let seconds = rates.seconds_in_sequence(level, *requests);
            Some(Time { seconds, by: Budget::Parent(level), of: Some(of.clone()), requests: *requests })
        });
        let times = longest.into_iter().chain(levels).chain(classes);
        times.fold(of(Budget::All, all), |longest, time| if time.seconds > longest.seconds { time } else { longest })
    }
}

/// The lowest level of a parent that has a rate of its own.
pub(super) fn paced(of: &Partition) -> Option<&'static Level> {
    of.levels().map(|(level, _)| level).filter(|level| level.per_second.is_some()).last()
}
