//! The jobs of a run, group by group. Jobs that find parents are run; of the others, a few are sampled and the rest is extrapolated.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::info;
use xxhash_rust::xxh3::xxh3_64;

use super::{load::Load, outcomes::Outcomes, sample::sample};
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

/// The maximum number of jobs to run in a group that finds parents.
const MAX_FINDERS: usize = 500;

/// The maximum number of walks to sample.
const MAX_WALKS: usize = 300;

/// The maximum number of jobs to run in any other group.
const MAX_OTHERS: usize = 5;

/// The maximum number of concurrent jobs: the maximum of `max_concurrent_threads`.
const MAX_CONCURRENT: usize = 64;

/// Sampling this many jobs takes long enough to log it.
const LOGGED_SAMPLE: usize = 100;

/// What jobs that are sampled together have in common, in the order of sampling: whether they find parents (these come first, from the top
/// down), their level, whether their parent was listed, and their stream.
type JobGroup = (Reverse<bool>, Option<usize>, bool, usize);

/// The jobs of a run.
#[derive(Debug)]
pub(super) struct Jobs {
    /// Each with the number of jobs of the run that it represents.
    pending: BTreeMap<JobGroup, Vec<(Job, f64)>>,
    pub(super) load: Load,
    pub(super) outcomes: Outcomes,
    /// Groups that Graph lists as teams although they have none.
    pub(super) without_team: BTreeSet<String>,
}

impl Jobs {
    pub(super) fn new(context: &Context) -> Self {
        Self { pending: BTreeMap::new(), load: Load::default(), outcomes: Outcomes::new(context), without_team: BTreeSet::new() }
    }

    /// Runs or samples the jobs of the run, and those that they lead to.
    pub(super) async fn run(&mut self, context: &Context) -> Result<(), Error> {
        self.add(first_jobs(context), 1.0);
        while let Some((group, jobs)) = self.pending.pop_first() {
            self.run_group(context, group, jobs).await?;
        }
        Ok(())
    }

    fn add(&mut self, jobs: Vec<Job>, weight: f64) {
        for job in jobs {
            self.load.find(&job, weight);
            self.pending.entry(group(&job)).or_default().push((job, weight));
        }
    }

    async fn run_group(&mut self, context: &Context, (finds, ..): JobGroup, jobs: Vec<(Job, f64)>) -> Result<(), Error> {
        let all: f64 = jobs.iter().map(|(_, weight)| weight).sum();
        let max = match jobs.first().map(|(job, _)| job.input.stream.read) {
            _ if finds.0 => MAX_FINDERS,
            Some(Read::Walk(_)) => MAX_WALKS,
            _ => MAX_OTHERS,
        };
        let (some, others) = split(jobs, max, |(job, _)| job.input.parent.key());
        if !others.is_empty() {
            self.outcomes.sample(some.iter().chain(&others).fold(StreamSet::default(), |all, (job, _)| all.union(job.streams)));
        }
        if let Some((Job { input, .. }, _)) = some.first().filter(|_| some.len() >= LOGGED_SAMPLE) {
            info!("sampling the {} of {} of {all:.0} parents", input.stream.plural(), some.len());
        }
        let weight = all / some.len().max(1) as f64;
        let partitions: Vec<_> = some.iter().map(|(job, _)| (job.streams, job.input.parent.clone())).collect();
        let before = context.client.counts();
        let tasks = some.into_iter().map(|(job, _)| sample(context.for_job(0, job.input.priority(), job.streams), job));
        let samples: Vec<_> = stream::iter(tasks).buffered(MAX_CONCURRENT).try_collect().await?;
        let sent = context.client.counts().sent_since(&before);
        let mut sampled = Vec::new();
        for ((streams, of), (requests, mut result)) in partitions.into_iter().zip(samples) {
            if let Ok(report) = &mut result {
                if let Some(team) = report.without_team.take() {
                    self.without_team.insert(team);
                    self.load.forget(&of);
                }
                self.add(following_jobs(context, report), weight);
            }
            self.outcomes.note(streams, result);
            sampled.push((of, requests));
        }
        let others: Vec<_> = others.into_iter().map(|(job, _)| job.input.parent).collect();
        self.load.add(sampled, &others, weight, &sent);
        Ok(())
    }
}

/// A pseudo-random sample of at most this size, the same each time, and the other items.
fn split<T>(mut items: Vec<T>, max: usize, key: impl Fn(&T) -> String) -> (Vec<T>, Vec<T>) {
    if items.len() > max {
        items.sort_by_cached_key(|item| xxh3_64(key(item).as_bytes()));
    }
    let others = items.split_off(max.min(items.len()));
    (items, others)
}

fn group(job: &Job) -> JobGroup {
    let is_listed = !matches!(job.input.origin, Origin::Unlisted { .. });
    let level = job.input.parent.level().map(|level| level.position());
    (Reverse(job.input.priority() == Priority::Discovery), level, is_listed, job.input.stream.position())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_reproducible_and_spread_over_all_items() {
        let small = || split((0..10_000).collect(), 100, u32::to_string).0;
        assert_eq!(small(), small());
        let (low, all) = (small().iter().filter(|number| **number < 5000).count(), small().len());
        assert!(all == 100 && (30..70).contains(&low), "{low} of {all}");
        assert_eq!(split(vec![3, 1, 2], 3, u32::to_string), (vec![3, 1, 2], vec![]));
    }
}
