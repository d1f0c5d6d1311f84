//! The requests of a run by the limits that they count against. The limit that takes longest decides how long the run takes.

use std::collections::{BTreeMap, HashMap};

use crate::{
    graph::{Budget, Class, Rates},
    level::{LEVELS, Level, Partition},
    read::{found::Origin, job::Job},
    streams::Stream,
};

/// Numbers of requests by the class that Graph counts them in.
pub(super) type ClassRequests = Vec<(&'static Class, f64)>;

/// The requests of a run.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// By the name of the class.
    pub(super) classes: BTreeMap<&'static str, (&'static Class, f64)>,
    parents: HashMap<Partition, ParentLoad>,
    /// The sampled walks with their requests, the longest first.
    pub(super) walks: Vec<(Partition, f64)>,
}

/// A parent that is read, or below which something is read.
#[derive(Debug)]
struct ParentLoad {
    /// The number of parents that it represents.
    weight: f64,
    is_sampled: bool,
    /// Requests for it and for everything below it.
    requests: f64,
}

/// How long the run takes, and which limit decides that.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Time {
    pub(super) seconds: f64,
    pub(super) by: Budget,
    /// The parent, if the limit is per parent.
    pub(super) of: Option<Partition>,
    pub(super) requests: f64,
}

impl Load {
    /// Adds the parents of a job that represents this number of jobs.
    pub(super) fn find(&mut self, job: &Job, weight: f64) {
        // A parent that is not listed may not exist any more.
        if matches!(job.input.origin, Origin::Unlisted { .. }) {
            return;
        }
        for of in job.input.parent.upwards() {
            self.parents.entry(of).or_insert(ParentLoad { weight, is_sampled: false, requests: 0.0 });
        }
    }

    /// Removes a parent that turned out not to exist.
    pub(super) fn forget(&mut self, of: &Partition) {
        self.parents.remove(of);
    }

    /// Adds the requests of sampled jobs, each of which represents `weight` jobs, and of `others` like them. A job without an estimate counts
    /// with its share of the requests that were `sent`.
    pub(super) fn add(
        &mut self,
        sampled: Vec<(Partition, Option<ClassRequests>)>,
        others: &[Partition],
        weight: f64,
        sent: &[(&'static Class, u64)],
    ) {
        let count = sampled.len().max(1) as f64;
        let each: ClassRequests = sent.iter().map(|(class, requests)| (*class, *requests as f64 / count)).collect();
        let mut mean = 0.0;
        for (of, estimate) in sampled {
            let needed = estimate.as_ref().unwrap_or(&each);
            let requests: f64 = needed.iter().map(|(_, requests)| requests).sum();
            for (class, requests) in needed {
                self.classes.entry(class.name).or_insert((class, 0.0)).1 += requests * weight;
            }
            self.spend(&of, requests, true);
            mean += requests / count;
            if estimate.is_some() {
                self.walks.push((of, requests));
            }
        }
        others.iter().for_each(|of| self.spend(of, mean, false));
        self.walks.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    }

    fn spend(&mut self, of: &Partition, requests: f64, is_sampled: bool) {
        for parent in of.upwards() {
            if let Some(parent) = self.parents.get_mut(&parent) {
                parent.requests += requests;
                parent.is_sampled |= is_sampled;
            }
        }
    }

    /// The number of parents of each level, and how many of them were sampled.
    pub(super) fn parents(&self) -> impl Iterator<Item = (&'static Level, f64, u64)> {
        LEVELS.iter().filter(|level| Stream::discovering(level).is_some()).map(|&level| {
            let parents = || self.parents_of(level).map(|(_, parent)| parent);
            (level, parents().map(|parent| parent.weight).sum(), parents().filter(|parent| parent.is_sampled).count() as u64)
        })
    }

    fn parents_of(&self, level: &'static Level) -> impl Iterator<Item = (&Partition, &ParentLoad)> {
        self.parents.iter().filter(move |(of, _)| of.level() == Some(level))
    }

    /// How long the run takes.
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
        // The pages of a walk are read one after another.
        let longest = self.walks.first().and_then(|(of, requests)| {
            let level = limited_level(of)?;
            let seconds = rates.seconds_in_sequence(level, *requests);
            Some(Time { seconds, by: Budget::Parent(level), of: Some(of.clone()), requests: *requests })
        });
        let times = longest.into_iter().chain(levels).chain(classes);
        times.fold(of(Budget::All, all), |longest, time| if time.seconds > longest.seconds { time } else { longest })
    }
}

/// The lowest level, from this parent upwards, that Graph limits per parent.
pub(super) fn limited_level(of: &Partition) -> Option<&'static Level> {
    of.levels().map(|(level, _)| level).filter(|level| level.per_second.is_some()).last()
}
