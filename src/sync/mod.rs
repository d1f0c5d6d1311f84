//! A sync: from the selected streams to their parents, to jobs side by side, to what the emitter is told.
//!
//! Knows nothing of protocols: records, states and outcomes go to the [`Output`].

mod ledger;
mod queue;

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use tokio::task::JoinSet;
use tracing::{info, instrument::WithSubscriber, warn};

use crate::{
    config::Config,
    emit::{Figures, Outcome, Output, Size, StopSignal},
    error::Error,
    graph::GraphClient,
    read::{
        States,
        context::Context,
        dispatch,
        job::{self, Job, Stop},
        parents, unconfigured,
    },
    streams::{Selected, Stream, StreamSet},
};
use ledger::Ledger;
use queue::Queue;

/// So many jobs are under way at most. Far more than requests are in flight: the first page of a channel tells how long it is, and the
/// longest are read first.
const UNDER_WAY: usize = 512;

/// How a run ended.
#[derive(Debug, Default)]
pub struct Summary {
    /// The streams, with how many records each told and how it ended.
    pub streams: Vec<(&'static Stream, u64, Outcome)>,
    /// Whether the run was told to stop before its end.
    pub stopped: bool,
    /// Whether nobody reads the output any more.
    pub closed: bool,
    /// What it came to, if it began.
    pub figures: Option<Figures>,
}

impl Summary {
    /// Whether everything that was asked was told.
    pub fn is_complete(&self) -> bool {
        !self.stopped && !self.closed && self.streams.iter().all(|(_, _, outcome)| matches!(outcome, Outcome::Complete))
    }
}

/// Reads the selected streams, from their states on, and hands everything to the output. Ends early when the output is stopped.
pub async fn run(client: GraphClient, config: &Config, selected: Vec<Selected>, states: States, output: Output) -> Summary {
    let (mut selected, mut ended, stop) = (selected, Vec::new(), output.stop().clone());
    let streams: StreamSet = selected.iter().map(|selected| selected.stream).collect();
    if streams.iter().any(|stream| output.started(stream).is_err()) {
        return Summary { closed: true, ..Summary::default() };
    }
    if let Some((concerned, error)) = unconfigured(config, streams) {
        let error = Arc::new(error);
        selected.retain(|selected| !concerned.contains(selected.stream));
        for stream in concerned.iter() {
            let outcome = Outcome::Incomplete(error.clone());
            output.progress().end(stream, &outcome);
            ended.push((stream, 0, outcome));
        }
    }
    let context = Context::new(client, config, selected, states, output);
    let mut run = Run {
        ledger: Ledger::new(&context),
        context,
        queue: Queue::default(),
        running: JoinSet::new(),
        under_way: HashMap::new(),
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
    running: JoinSet<Result<job::Report, Stop>>,
    under_way: HashMap<tokio::task::Id, UnderWay>,
    /// Jobs that have begun.
    jobs: u64,
    ended: Vec<(&'static Stream, u64, Outcome)>,
}

/// A job that runs.
#[derive(Default)]
struct UnderWay {
    number: u64,
    size: Size,
    /// The streams that it feeds.
    feeds: StreamSet,
    /// The streams that it reads a parent for.
    parent_of: StreamSet,
}

/// Why a run ended before its end.
enum Early {
    Stopped,
    Closed,
}

impl Run {
    async fn read(&mut self, stop: &StopSignal) -> Option<Early> {
        let signed_in = tokio::select! {
            biased;
            () = stop.asking_ends() => return Some(Early::Stopped),
            signed_in = self.context.client.sign_in() => signed_in,
        };
        if let Err(error) = signed_in {
            self.give_up(Error::graph("sign in", error, &[]));
            return None;
        }
        self.begin(parents::first_jobs(&self.context));
        loop {
            while self.running.len() < UNDER_WAY
                && let Some(job) = self.queue.pop()
            {
                self.spawn(job);
            }
            let done = tokio::select! {
                biased;
                () = stop.asking_ends() => {
                    self.running.shutdown().await;
                    return Some(Early::Stopped);
                }
                done = self.running.join_next_with_id() => done?,
            };
            let (id, result) = match done {
                Ok((id, result)) => (id, result),
                Err(panic) => (panic.id(), Err(Stop::Failed(Error::panicked()))),
            };
            if let ControlFlow::Break(early) = self.job_done(id, result).await {
                return early;
            }
        }
    }

    /// Takes note of a job that has ended, and begins those that it leads to. Breaks off if nothing more can be read or written.
    async fn job_done(&mut self, id: tokio::task::Id, result: Result<job::Report, Stop>) -> ControlFlow<Option<Early>> {
        let UnderWay { number, size, feeds, parent_of } = self.under_way.remove(&id).unwrap_or_default();
        self.context.job_ended(feeds);
        let result = match result {
            Err(Stop::Failed(error)) if error.is_fatal() => {
                self.running.shutdown().await;
                self.give_up(error);
                return ControlFlow::Break(None);
            }
            result => result,
        };
        let mut noted = self.note(feeds, result);
        if noted.is_ok() {
            // Not before the jobs that it leads to are known.
            self.context.output.progress().job_ends(number, size, parent_of);
            noted = self.end(feeds);
        }
        if noted.is_err() {
            self.running.shutdown().await;
            return ControlFlow::Break(Some(Early::Closed));
        }
        ControlFlow::Continue(())
    }

    fn begin(&mut self, jobs: Vec<Job>) {
        for job in &jobs {
            self.ledger.begin(job.feeds);
            self.context.output.progress().job(job.work.size(), job.parent_of());
        }
        jobs.into_iter().for_each(|job| self.queue.push(job));
    }

    fn spawn(&mut self, job: Job) {
        self.jobs += 1;
        let under_way = UnderWay { number: self.jobs, size: job.work.size(), feeds: job.feeds, parent_of: job.parent_of() };
        let UnderWay { number, size, feeds, .. } = under_way;
        self.context.output.progress().job_begins(number, size, feeds);
        let context = self.context.for_job(number, job.work.urgency(), feeds);
        let handle = self.running.spawn(async move { dispatch::run(job, &context).await }.with_current_subscriber());
        self.under_way.insert(handle.id(), under_way);
    }

    /// Takes note of what a job came to.
    fn note(&mut self, feeds: StreamSet, result: Result<job::Report, Stop>) -> Result<(), crate::emit::Closed> {
        match result {
            Ok(mut report) => {
                self.begin(parents::jobs_of(&self.context, &mut report));
                self.ledger.note(feeds, Ok(report));
            }
            Err(Stop::Failed(error)) => self.ledger.note(feeds, Err(error)),
            Err(Stop::Closed) => return Err(crate::emit::Closed),
        }
        for stream in feeds.iter() {
            self.context.output.progress().skipped(stream, self.ledger.refused(stream));
        }
        Ok(())
    }

    /// A job for those streams is done, and noted: those end that have no other one left.
    fn end(&mut self, feeds: StreamSet) -> Result<(), crate::emit::Closed> {
        for stream in self.ledger.end(feeds).iter() {
            let (outcome, refused) = self.ledger.outcome(stream);
            let count = self.context.output.progress().count(stream);
            self.context.output.progress().skipped(stream, refused);
            self.context.output.progress().end(stream, &outcome);
            if let Some(marks) = self.context.marks.of_ended(stream, matches!(outcome, Outcome::Complete)) {
                self.context.output.damage(stream, marks)?;
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
                self.context.output.ended(stream, outcome.clone())?;
            }
            self.ended.push((stream, count, outcome));
        }
        Ok(())
    }

    /// Nothing more can be read: every stream that is not done ends with this error.
    fn give_up(&mut self, error: Error) {
        let error = Arc::new(error);
        let is_open = |stream: &&'static Stream| self.ended.iter().all(|(ended, ..)| ended.name != stream.name);
        let open: Vec<_> = self.context.streams().iter().filter(is_open).collect();
        for stream in open {
            let (progress, outcome) = (self.context.output.progress(), Outcome::Incomplete(error.clone()));
            progress.end(stream, &outcome);
            self.ended.push((stream, progress.count(stream), outcome));
        }
    }

    /// Tells how the streams ended that are not complete: those first that another attempt may help, since a platform looks at the first.
    fn finish(mut self, early: Option<Early>) -> Summary {
        if let Some(error) = self.ledger.incomplete_list() {
            warn!("{error}");
        }
        let passed_over = self.context.looks.passed_over();
        if passed_over > 0 {
            info!(
                "{passed_over} teams and channels from earlier runs are missing from Graph's lists and were not checked, because a hundred others no \
                 longer exist; later runs will check them"
            );
        }
        if let Some(changed) = self.context.changed_texts() {
            warn!("{changed}");
        }
        self.ended.sort_by_key(|(stream, _, outcome)| (outcome.fault(), stream.position()));
        let mut closed = matches!(early, Some(Early::Closed));
        // States and errors come last.
        let requests = self.context.client.counts();
        let figures = self.context.output.progress().figures(requests.clone());
        closed |= self.context.output.figures(requests).is_err();
        for (stream, _, outcome) in &self.ended {
            if matches!(outcome, Outcome::Incomplete(_)) {
                closed |= self.context.output.ended(stream, outcome.clone()).is_err();
            }
        }
        self.ended.sort_by_key(|(stream, _, _)| stream.position());
        Summary { streams: self.ended, stopped: matches!(early, Some(Early::Stopped)), closed, figures: Some(figures) }
    }
}
