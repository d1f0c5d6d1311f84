//! The jobs of a run, kind by kind: those that find parents are run, of the others a few are looked at. The rest counts by proportion.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::info;
use xxhash_rust::xxh3::xxh3_64;

use super::{load::Load, look::look, outcomes::Outcomes};
use crate::{
    error::Error,
    graph::Priority,
    read::{
        context::Context,
        found::Origin,
        job::Job,
        parents::{first_jobs, following_jobs},
    },
    streams::{Read, StreamSet},
};

/// The most jobs of one kind that find parents.
const FINDING: usize = 500;

/// The most walks whose first pages are looked at.
const WALKS: usize = 300;

/// The most other jobs of one kind that are run.
const OTHERS: usize = 5;

/// The most jobs under way: as many as there may be requests in flight.
const UNDER_WAY: usize = 64;

/// From this number of jobs on, looking at them takes long enough to log it.
const MANY: usize = 100;

/// What jobs that are looked at together have in common, in the order in which that is done: whether they find parents (these come first, from
/// the top down), their level, whether it is from a list, and their stream.
type Kind = (Reverse<bool>, Option<usize>, bool, usize);

/// The jobs of a run.
#[derive(Debug)]
pub(super) struct Jobs {
    /// Each with how many jobs of the run it stands for.
    waiting: BTreeMap<Kind, Vec<(Job, f64)>>,
    pub(super) load: Load,
    pub(super) outcomes: Outcomes,
    /// Groups that are listed as teams and have none.
    pub(super) without_team: BTreeSet<String>,
}

impl Jobs {
    pub(super) fn new(context: &Context) -> Self {
        Self { waiting: BTreeMap::new(), load: Load::default(), outcomes: Outcomes::new(context), without_team: BTreeSet::new() }
    }

    /// Looks at the jobs of the run.
    pub(super) async fn look(&mut self, context: &Context) -> Result<(), Error> {
        self.add(first_jobs(context), 1.0);
        while let Some((kind, jobs)) = self.waiting.pop_first() {
            self.look_at(context, kind, jobs).await?;
        }
        Ok(())
    }

    fn add(&mut self, jobs: Vec<Job>, weight: f64) {
        for job in jobs {
            self.load.find(&job, weight);
            self.waiting.entry(kind(&job)).or_default().push((job, weight));
        }
    }

    /// Looks at some jobs of a kind.
    async fn look_at(&mut self, context: &Context, (finds, ..): Kind, jobs: Vec<(Job, f64)>) -> Result<(), Error> {
        let all: f64 = jobs.iter().map(|(_, weight)| weight).sum();
        let most = match jobs.first().map(|(job, _)| job.input.stream.read) {
            _ if finds.0 => FINDING,
            Some(Read::Walk(_)) => WALKS,
            _ => OTHERS,
        };
        let (some, others) = sample(jobs, most, |(job, _)| job.input.parent.key());
        if !others.is_empty() {
            self.outcomes.sample(some.iter().chain(&others).fold(StreamSet::default(), |all, (job, _)| all.union(job.streams)));
        }
        if let Some((Job { input, .. }, _)) = some.first().filter(|_| some.len() >= MANY) {
            info!("looking at the {} of {} of {all:.0} parents", input.stream.plural(), some.len());
        }
        let weight = all / some.len().max(1) as f64;
        let places: Vec<_> = some.iter().map(|(job, _)| (job.streams, job.input.parent.clone())).collect();
        let before = context.client.counts();
        let tasks = some.into_iter().map(|(job, _)| look(context.for_job(0, job.input.priority(), job.streams), job));
        let looks: Vec<_> = stream::iter(tasks).buffered(UNDER_WAY).try_collect().await?;
        let asked = context.client.counts().sent_since(&before);
        let mut looked_at = Vec::new();
        for ((feeds, of), (walk, mut result)) in places.into_iter().zip(looks) {
            if let Ok(report) = &mut result {
                if let Some(team) = report.without_team.take() {
                    self.without_team.insert(team);
                    self.load.forget(&of);
                }
                self.add(following_jobs(context, report), weight);
            }
            self.outcomes.note(feeds, result);
            looked_at.push((of, walk));
        }
        let others: Vec<_> = others.into_iter().map(|(job, _)| job.input.parent).collect();
        self.load.add(looked_at, &others, weight, &asked);
        Ok(())
    }
}

/// A sample of at most this size, the same each time, in which no item is likelier than another; and the other items.
fn sample<T>(mut items: Vec<T>, most: usize, key: impl Fn(&T) -> String) -> (Vec<T>, Vec<T>) {
    if items.len() > most {
        items.sort_by_cached_key(|item| xxh3_64(key(item).as_bytes()));
    }
    let others = items.split_off(most.min(items.len()));
    (items, others)
}

fn kind(job: &Job) -> Kind {
    let is_listed = !matches!(job.input.origin, Origin::Unlisted { .. });
    let level = job.input.parent.level().map(|level| level.position());
    (Reverse(job.input.priority() == Priority::Discovery), level, is_listed, job.input.stream.position())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_the_same_each_time_and_spread_over_all() {
        let of = || sample((0..10_000).collect(), 100, u32::to_string).0;
        assert_eq!(of(), of());
        let (low, all) = (of().iter().filter(|number| **number < 5000).count(), of().len());
        assert!(all == 100 && (30..70).contains(&low), "{low} of {all}");
        assert_eq!(sample(vec![3, 1, 2], 3, u32::to_string), (vec![3, 1, 2], vec![]));
    }
}
