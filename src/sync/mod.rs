//! Runs a sync: finds the parents of the selected streams, runs jobs for them in parallel, and hands the results to the output.
//!
//! Independent of the output protocol: records, states and outcomes go to the [`Output`].

mod ledger;
mod queue;

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use tokio::task::JoinSet;
use tracing::{info, instrument::WithSubscriber, warn};

use crate::{
    config::Config,
    emit::{Closed, JobSize, Outcome, Output, Stats, StopSignal},
    error::Error,
    graph::GraphClient,
    read::{
        States,
        context::Context,
        dispatch,
        job::{Job, JobError, JobReport},
        parents, unconfigured,
    },
    streams::{Selected, Stream, StreamSet},
};
use ledger::Ledger;
use queue::Queue;

/// Maximum number of running jobs. This is far more than the requests in flight, because the first page of a channel shows how long it is,
/// and the longest channels are read first.
const MAX_RUNNING_JOBS: usize = 512;

#[derive(Debug, Default)]
pub struct Summary {
    /// Each stream with its number of emitted records and its outcome.
    pub streams: Vec<(&'static Stream, u64, Outcome)>,
    /// Whether the run was stopped early.
    pub stopped: bool,
    /// Whether the reader of the output closed it.
    pub closed: bool,
    /// The final statistics, if the run started.
    pub stats: Option<Stats>,
}

impl Summary {
    /// Whether everything was read and emitted.
    pub fn is_complete(&self) -> bool {
        !self.stopped && !self.closed && self.streams.iter().all(|(_, _, outcome)| matches!(outcome, Outcome::Complete))
    }
}

/// Reads the selected streams from their states and sends everything to the output. Ends early when the output is stopped.
pub async fn run(client: GraphClient, config: &Config, selected: Vec<Selected>, states: States, output: Output) -> Summary {
    let (mut selected, mut ended, stop) = (selected, Vec::new(), output.stop().clone());
    let streams: StreamSet = selected.iter().map(|selected| selected.stream).collect();
    if streams.iter().any(|stream| output.report_started(stream).is_err()) {
        return Summary { closed: true, ..Summary::default() };
    }
    if let Some((affected, error)) = unconfigured(config, streams) {
        let error = Arc::new(error);
        selected.retain(|selected| !affected.contains(selected.stream));
        for stream in affected.iter() {
            let outcome = Outcome::Incomplete(error.clone());
            output.progress().end_stream(stream, &outcome);
            ended.push((stream, 0, outcome));
        }
    }
    let context = Context::new(client, config, selected, states, output);
    let mut run = Run {
        ledger: Ledger::new(&context),
        context,
        queue: Queue::default(),
        running: JoinSet::new(),
        running_jobs: HashMap::new(),
        jobs: 0,
        ended,
    };
    let early = run.read(&stop).await;
    run.finish(early)
}

struct Run {
    context: Context,
    ledger: Ledger,
    queue: Queue,
    running: JoinSet<Result<JobReport, JobError>>,
    running_jobs: HashMap<tokio::task::Id, RunningJob>,
    /// The number of jobs started so far.
    jobs: u64,
    ended: Vec<(&'static Stream, u64, Outcome)>,
}

#[derive(Default)]
struct RunningJob {
    number: u64,
    size: JobSize,
    streams: StreamSet,
    /// The streams for which it reads a parent.
    reads_parent_for: StreamSet,
}

/// Why a run ended early.
enum EarlyEnd {
    Stopped,
    Closed,
}

impl Run {
    async fn read(&mut self, stop: &StopSignal) -> Option<EarlyEnd> {
        let signed_in = tokio::select! {
            biased;
            () = stop.requests_stopped() => return Some(EarlyEnd::Stopped),
            signed_in = self.context.client.sign_in() => signed_in,
        };
        if let Err(error) = signed_in {
            self.give_up(Error::graph("sign in", error, &[]));
            return None;
        }
        self.begin(parents::first_jobs(&self.context));
        loop {
            while self.running.len() < MAX_RUNNING_JOBS
                && let Some(job) = self.queue.pop()
            {
                self.spawn(job);
            }
            let done = tokio::select! {
                biased;
                () = stop.requests_stopped() => {
                    self.running.shutdown().await;
                    return Some(EarlyEnd::Stopped);
                }
                done = self.running.join_next_with_id() => done?,
            };
            let (id, result) = match done {
                Ok((id, result)) => (id, result),
                Err(panic) => (panic.id(), Err(JobError::Failed(Error::panicked()))),
            };
            if let ControlFlow::Break(early) = self.job_done(id, result).await {
                return early;
            }
        }
    }

    /// Notes a job that has ended and starts the jobs that follow from it. Breaks if nothing more can be read or written.
    async fn job_done(&mut self, id: tokio::task::Id, result: Result<JobReport, JobError>) -> ControlFlow<Option<EarlyEnd>> {
        let RunningJob { number, size, streams, reads_parent_for } = self.running_jobs.remove(&id).unwrap_or_default();
        self.context.job_ended(streams);
        let result = match result {
            Err(JobError::Failed(error)) if error.is_fatal() => {
                self.running.shutdown().await;
                self.give_up(error);
                return ControlFlow::Break(None);
            }
            result => result,
        };
        let mut noted = self.note(streams, result);
        if noted.is_ok() {
            // Only after the jobs that follow from it are known.
            self.context.output.progress().job_finished(number, size, reads_parent_for);
            noted = self.end(streams);
        }
        if noted.is_err() {
            self.running.shutdown().await;
            return ControlFlow::Break(Some(EarlyEnd::Closed));
        }
        ControlFlow::Continue(())
    }

    fn begin(&mut self, jobs: Vec<Job>) {
        for job in &jobs {
            self.ledger.begin(job.streams);
            self.context.output.progress().add_job(job.input.size(), job.reads_parent_for());
        }
        jobs.into_iter().for_each(|job| self.queue.push(job));
    }

    fn spawn(&mut self, job: Job) {
        self.jobs += 1;
        let running_job =
            RunningJob { number: self.jobs, size: job.input.size(), streams: job.streams, reads_parent_for: job.reads_parent_for() };
        let RunningJob { number, size, streams, .. } = running_job;
        self.context.output.progress().job_started(number, size, streams);
        let context = self.context.for_job(number, job.input.priority(), streams);
        let handle = self.running.spawn(async move { dispatch::run(job, &context).await }.with_current_subscriber());
        self.running_jobs.insert(handle.id(), running_job);
    }

    /// Notes the result of a job.
    fn note(&mut self, streams: StreamSet, result: Result<JobReport, JobError>) -> Result<(), Closed> {
        match result {
            Ok(mut report) => {
                self.begin(parents::following_jobs(&self.context, &mut report));
                self.ledger.note(streams, Ok(report));
            }
            Err(JobError::Failed(error)) => self.ledger.note(streams, Err(error)),
            Err(JobError::Closed) => return Err(Closed),
        }
        for stream in streams.iter() {
            self.context.output.progress().set_skipped(stream, self.ledger.refused(stream));
        }
        Ok(())
    }

    /// A job for these streams has ended and was noted. Ends the streams that have no other jobs.
    fn end(&mut self, streams: StreamSet) -> Result<(), Closed> {
        for stream in self.ledger.end(streams).iter() {
            let (outcome, refused) = self.ledger.outcome(stream);
            let count = self.context.output.progress().record_count(stream);
            self.context.output.progress().set_skipped(stream, refused);
            self.context.output.progress().end_stream(stream, &outcome);
            if let Some(fingerprints) = self.context.skipped_items.for_next_run(stream, matches!(outcome, Outcome::Complete)) {
                self.context.output.set_skipped(stream, fingerprints)?;
            }
            info!(
                "{}: {count} records{}",
                stream.name,
                if refused > 0 {
                    format!(", {refused} {} refused or missing", if refused == 1 { "parent" } else { "parents" })
                } else {
                    String::new()
                }
            );
            if matches!(outcome, Outcome::Complete) {
                self.context.output.report_ended(stream, outcome.clone())?;
            }
            self.ended.push((stream, count, outcome));
        }
        Ok(())
    }

    /// Ends every stream that has not ended yet with this error, because nothing more can be read.
    fn give_up(&mut self, error: Error) {
        let error = Arc::new(error);
        let is_open = |stream: &&'static Stream| self.ended.iter().all(|(ended, ..)| ended.name != stream.name);
        let open: Vec<_> = self.context.streams().iter().filter(is_open).collect();
        for stream in open {
            let (progress, outcome) = (self.context.output.progress(), Outcome::Incomplete(error.clone()));
            progress.end_stream(stream, &outcome);
            self.ended.push((stream, progress.record_count(stream), outcome));
        }
    }

    /// Reports the streams that are incomplete, starting with those for which a retry can help, because platforms look at the first error.
    fn finish(mut self, early: Option<EarlyEnd>) -> Summary {
        if let Some(error) = self.ledger.incomplete_list() {
            warn!("{error}");
        }
        let skipped = self.context.lookups.skipped();
        if skipped > 0 {
            info!(
                "{skipped} teams and channels from earlier runs are missing from Graph's lists and were not checked, because a hundred others no \
                 longer exist; later runs will check them"
            );
        }
        if let Some(changed) = self.context.changed_texts() {
            warn!("{changed}");
        }
        self.ended.sort_by_key(|(stream, _, outcome)| (outcome.fault(), stream.position()));
        let mut closed = matches!(early, Some(EarlyEnd::Closed));
        // States and errors are written last.
        let requests = self.context.client.counts();
        let stats = self.context.output.progress().stats(requests.clone());
        closed |= self.context.output.write_stats(requests).is_err();
        for (stream, _, outcome) in &self.ended {
            if matches!(outcome, Outcome::Incomplete(_)) {
                closed |= self.context.output.report_ended(stream, outcome.clone()).is_err();
            }
        }
        self.ended.sort_by_key(|(stream, _, _)| stream.position());
        Summary { streams: self.ended, stopped: matches!(early, Some(EarlyEnd::Stopped)), closed, stats: Some(stats) }
    }
}
