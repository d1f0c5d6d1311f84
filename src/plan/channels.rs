//! Looking at the channels: at the first page of each, or of a sample; then at further pages of those whose length is least known.

use std::collections::{HashMap, HashSet};

use tracing::info;

use super::{
    arithmetic::LongThreads,
    discovery::{ChannelJob, Discovery},
    look::{self, Look, Taken},
    sample::{sample, side_by_side},
};
use crate::{
    error::Error,
    graph::Urgency,
    read::{context::Context, place::Place},
    streams::StreamSet,
};

/// Channels that are looked at, at most.
const MOST_CHANNELS: usize = 500;

/// To look at so many takes long enough to be told.
const MANY: usize = 100;

/// Further pages are looked at as long as the requests of all may be wrong by more than this share (standard error).
const SETTLED: f64 = 0.03;

/// So many further pages at most, and no more than this share of the requests of the run.
const MOST_FURTHER: f64 = 60.0;
const SHARE_FURTHER: f64 = 0.1;

/// The channels that were looked at.
#[derive(Debug)]
pub(super) struct Channels {
    pub(super) asked: Vec<Asked>,
    /// How many channels, and threads that are named, are read: about, if not all teams were listed.
    pub(super) all: f64,
    /// How many channels there are, whatever is read of each: about, as well.
    pub(super) places: f64,
    /// How many there are in each team that was listed.
    pub(super) of_teams: HashMap<String, usize>,
    /// Pages that were looked at behind the first ones.
    pub(super) further: u64,
}

/// A channel that was looked at.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) job: ChannelJob,
    /// [`None`] of one that was refused, and of a thread that is named.
    pub(super) look: Option<Look>,
    pub(super) taken: Taken,
}

impl Channels {
    /// The channels that were looked at, whatever is read of each.
    pub(super) fn looked_at(&self) -> usize {
        self.asked.iter().map(|asked| (&asked.job.team, &asked.job.channel)).collect::<HashSet<_>>().len()
    }

    /// Looks at the first page of each channel, or of a sample.
    ///
    /// # Errors
    /// If nothing more can be had.
    pub(super) async fn look(context: &Context, discovery: &mut Discovery) -> Result<Self, Error> {
        let all = discovery.channels.len() as f64 * discovery.lists.factor();
        // Threads of one channel are jobs of their own.
        let places: HashSet<_> = discovery.channels.iter().map(|job| (&job.team, &job.channel)).collect();
        let places = places.len() as f64 * discovery.lists.factor();
        let mut of_teams = HashMap::new();
        discovery.channels.iter().for_each(|job| *of_teams.entry(job.team.clone()).or_default() += 1);
        let key = |job: &ChannelJob| format!("{} {} {}", job.team, job.channel, job.message.as_deref().unwrap_or_default());
        if discovery.channels.len() > MOST_CHANNELS {
            discovery.outcomes.sample(discovery.channels.iter().fold(StreamSet::default(), |feeds, job| feeds.union(job.feeds)));
        }
        let jobs = sample(std::mem::take(&mut discovery.channels), MOST_CHANNELS, key);
        if jobs.len() >= MANY {
            info!("looking at the first page of {} channels", jobs.len());
        }
        let tasks = jobs.iter().cloned().map(|job| first(context.for_job(0, Urgency::Opens, job.feeds), job));
        let mut asked = Vec::new();
        for (job, result) in jobs.iter().zip(side_by_side(tasks).await?) {
            let (look, taken) = match result {
                Ok(looked) => {
                    discovery.outcomes.read(job.feeds, job.message.as_ref().unwrap_or(&job.channel));
                    looked
                }
                // It is in another team.
                Err(error) if job.maybe_elsewhere && error.is_missing() => (None, Taken::one()),
                Err(error) => {
                    discovery.outcomes.note_error(job.feeds, error.or_leave_out(&job.channel));
                    (None, Taken::one())
                }
            };
            asked.push(Asked { job: job.clone(), look, taken });
        }
        let mut channels = Self { asked, all, places, of_teams, further: 0 };
        channels.estimate();
        Ok(channels)
    }

    /// Looks at further pages of the channels whose length is least known, until all of them together are known well enough.
    ///
    /// # Errors
    /// If nothing more can be had.
    pub(super) async fn look_further(&mut self, context: &Context, discovery: &mut Discovery) -> Result<(), Error> {
        loop {
            let total: f64 = self.asked.iter().map(|asked| asked.taken.requests()).sum();
            let left = (total * SHARE_FURTHER).min(MOST_FURTHER) - self.further as f64;
            if left < 1.0 || self.error() <= total * SETTLED {
                return Ok(());
            }
            let least_known = self.least_known(left as usize);
            if least_known.is_empty() {
                return Ok(());
            }
            let looks = least_known.iter().filter_map(|&at| {
                let Asked { job, look, .. } = &mut self.asked[at];
                Some((job.feeds, look.take()?))
            });
            let tasks = looks.map(|(feeds, look)| further(context.for_job(0, Urgency::Remains(1.0), feeds), look));
            let results = side_by_side(tasks.collect::<Vec<_>>()).await?;
            for (at, result) in least_known.into_iter().zip(results) {
                let (look, error) = result?;
                self.asked[at].look = Some(look);
                self.further += 1;
                if let Some(error) = error {
                    let job = &self.asked[at].job;
                    discovery.outcomes.note_error(job.feeds, error.or_leave_out(&job.channel));
                }
            }
            self.estimate();
        }
    }

    /// Those that were looked at, the ones with most requests first.
    pub(super) fn longest(&self) -> Vec<&Asked> {
        let mut asked: Vec<_> = self.asked.iter().filter(|asked| asked.look.is_some()).collect();
        asked.sort_by(|one, other| other.taken.requests().total_cmp(&one.taken.requests()));
        asked
    }

    /// By how much the requests of those that were looked at may be wrong.
    pub(super) fn error(&self) -> f64 {
        let taken = || self.asked.iter().map(|asked| &asked.taken);
        // How long channels are is wrong here and there; how many threads are long, everywhere alike.
        let of_lists = taken().map(|taken| taken.error.powi(2)).sum::<f64>().sqrt();
        of_lists.hypot(taken().map(|taken| taken.error_of_threads).sum())
    }

    /// By how much the chains of those that were looked at may be wrong.
    pub(super) fn error_of_chains(&self) -> f64 {
        self.asked.iter().map(|asked| asked.taken.error_of_chains.powi(2)).sum::<f64>().sqrt()
    }

    /// The channels whose requests may be wrong by most: so many at most, and none that matters little beside the first.
    fn least_known(&self, most: usize) -> Vec<usize> {
        let goes_on = |asked: &Asked| asked.look.as_ref().is_some_and(Look::goes_on);
        let mut channels: Vec<_> = (0..self.asked.len()).filter(|&at| goes_on(&self.asked[at])).collect();
        let error = |at: usize| self.asked[at].taken.error();
        channels.sort_by(|&one, &other| error(other).total_cmp(&error(one)));
        let largest = channels.first().map_or(0.0, |&at| error(at));
        channels.into_iter().take(most).take_while(|&at| error(at) > largest / 2.0).collect()
    }

    /// Estimates anew what each channel takes.
    fn estimate(&mut self) {
        let mut threads = LongThreads::default();
        self.asked.iter().filter_map(|asked| asked.look.as_ref()).for_each(|look| look.note_threads(&mut threads));
        for asked in &mut self.asked {
            if let Some(look) = &asked.look {
                asked.taken = look.taken(&threads);
            }
        }
    }
}

async fn first(context: Context, job: ChannelJob) -> Result<(Option<Look>, Taken), Error> {
    let place = Place { team: &job.team, channel: &job.channel, facts: job.facts };
    let result = match &job.message {
        Some(message) => look::thread(&context, place, message).await.map(|taken| (None, taken)),
        None => look::channel(&context, job.feeds, place).await.map(|look| (Some(look), Taken::default())),
    };
    context.job_ended(job.feeds);
    result
}

async fn further(context: Context, look: Look) -> Result<(Look, Option<Error>), Error> {
    match look.further(&context).await {
        (_, Some(error)) if error.is_fatal() => Err(error),
        looked => Ok(looked),
    }
}
