//! The context of a job: its client, and everything that all jobs of a run share, such as the configuration, the states and the output.

use std::{
    borrow::Cow,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use chrono::{TimeDelta, Utc};

use super::{
    channel::shared::SharedByChannels,
    dedup::DedupMemory,
    lookups::LookupBudget,
    names::Names,
    setup::States,
    skipped_items::SkippedItems,
    waits::{ReportedWaits, StreamWaits},
};
use crate::{
    config::{Config, StreamConfig},
    emit::Output,
    graph::{self, GraphClient, Priority, Replacements, WorkEvent},
    level::{Level, Partition},
    state::{Position, StreamState},
    streams::{self, PerStream, Selected, Stream, StreamSet},
};

#[derive(Debug)]
pub(crate) struct Context {
    run: Arc<RunContext>,
    /// The client for this job.
    pub(crate) client: GraphClient,
    job: u64,
}

/// The part of the context that all jobs of a run share.
#[derive(Debug)]
pub(crate) struct RunContext {
    pub(crate) output: Output,
    /// Maximum size of a record in bytes.
    pub(crate) max_record: usize,
    configs: PerStream<StreamConfig>,
    selected: PerStream<Option<Selected>>,
    states: PerStream<Option<StreamState>>,
    pub(crate) skipped_items: SkippedItems,
    /// States of streams that start from the beginning or are not selected.
    others: Vec<(&'static Stream, StreamState)>,
    pub(crate) dedup_memory: DedupMemory,
    pub(crate) names: Names,
    pub(crate) channels: SharedByChannels,
    pub(crate) lookups: LookupBudget,
    waits: StreamWaits,
    nul: AtomicU64,
    replaced: AtomicU64,
}

impl Deref for Context {
    type Target = RunContext;

    fn deref(&self) -> &RunContext {
        &self.run
    }
}

impl Context {
    /// The context of the run itself, before it has jobs.
    pub(crate) fn new(
        client: GraphClient,
        config: &Config,
        selected: Vec<Selected>,
        States { selected: selected_states, others }: States,
        output: Output,
    ) -> Self {
        let run = RunContext {
            output,
            max_record: config.max_record,
            configs: PerStream::from_fn(|stream| config.stream(stream).clone()),
            selected: selected.into_iter().map(|selected| (selected.stream, selected)).collect(),
            skipped_items: SkippedItems::new(&selected_states),
            states: selected_states.into_iter().collect(),
            others,
            dedup_memory: DedupMemory::default(),
            names: Names::default(),
            channels: SharedByChannels::default(),
            lookups: LookupBudget::default(),
            waits: StreamWaits::default(),
            nul: AtomicU64::default(),
            replaced: AtomicU64::default(),
        };
        Self { run: Arc::new(run), client, job: 0 }
    }

    /// Also keeps the display names of teams and channels. To be called before the run has jobs.
    pub(crate) fn with_names(mut self) -> Self {
        if let Some(run) = Arc::get_mut(&mut self.run) {
            run.names = Names::enabled(self.client.secrets().clone());
        }
        self
    }

    /// Whether a team exists although Graph returned this 404 for something in it.
    pub(crate) async fn team_exists(&self, team: &str, missing: &graph::Error) -> bool {
        if missing.is_team_not_found() {
            return false;
        }
        match self.client.object(&streams::team(team)).await {
            Ok(_) => true,
            Err(error) if error.is_not_found() => false,
            // This is unknown; the message of the first error may show it.
            Err(_) => missing.to_string().to_lowercase().contains("user not found"),
        }
    }

    /// The context of a job that starts now and contributes to these streams.
    pub(crate) fn for_job(&self, job: u64, priority: Priority, streams: StreamSet) -> Self {
        let run = self.run.clone();
        run.waits.job_started(streams);
        let report = move |event| match event {
            WorkEvent::Sent => run.output.progress().request_sent(job, streams),
            WorkEvent::Throttled => run.output.progress().request_throttled(streams),
            WorkEvent::Paused(wait) => run.report_waits(run.waits.job_paused(job, streams, wait, Instant::now())),
            WorkEvent::Resumed => run.waits.job_resumed(job, streams),
        };
        Self { run: self.run.clone(), client: self.client.for_work(priority, report), job }
    }

    /// Sets the estimated number of requests that the job still needs. The more there are, the more urgent is the next one.
    pub(crate) fn set_remaining_requests(&self, requests: f64) {
        self.client.set_priority(Priority::NextPage(requests));
        self.output.progress().estimate_remaining(self.job, requests);
    }
}

impl RunContext {
    /// A job for these streams has ended.
    pub(crate) fn job_ended(&self, streams: StreamSet) {
        self.report_waits(self.waits.job_ended(streams, Instant::now()));
    }

    /// If the output is closed, the next write reports it.
    fn report_waits(&self, waiting: ReportedWaits) {
        for (stream, wait) in waiting {
            if let Some(until) = TimeDelta::from_std(wait).ok().and_then(|wait| Utc::now().checked_add_signed(wait)) {
                let _ = self.output.report_rate_limit(stream, until);
            }
        }
    }

    /// The selected streams.
    pub(crate) fn streams(&self) -> StreamSet {
        self.selected.values().flatten().map(|selected| selected.stream).collect()
    }

    /// The selection of a stream; [`None`] if it is not selected.
    pub(crate) fn selected(&self, stream: &Stream) -> Option<&Selected> {
        self.selected[stream].as_ref()
    }

    pub(crate) fn config(&self, stream: &Stream) -> &StreamConfig {
        &self.configs[stream]
    }

    /// The streams that do not exclude this team or channel.
    pub(crate) fn not_excluding(&self, parent: &str, streams: StreamSet) -> StreamSet {
        streams.filter(|stream| !self.config(stream).excludes(parent))
    }

    /// The position at which an earlier run left the stream in a channel or thread.
    pub(crate) fn state(&self, stream: &Stream, key: &str) -> Option<Position> {
        self.states[stream].as_ref()?.position(key)
    }

    /// Whether earlier runs, for any stream, have read something of a parent or below it.
    pub(crate) fn knows(&self, parent: &Partition) -> bool {
        let key = parent.key();
        self.states().any(|state| state.knows(&key))
    }

    fn states(&self) -> impl Iterator<Item = &StreamState> {
        self.states.values().flatten().chain(self.others.iter().map(|(_, state)| state))
    }

    /// The ids directly below a parent that earlier runs have read. Some may occur twice.
    pub(crate) fn known_ids(&self, parent: &Partition) -> impl Iterator<Item = String> + use<'_> {
        let key = parent.key();
        self.states().flat_map(move |state| state.below(&key))
    }

    /// Whether the stream is read from exactly one parent of this level, which is configured together with its own parents.
    pub(crate) fn has_single_parent(&self, stream: &Stream, level: Option<&'static Level>) -> bool {
        self.config(stream).selects_one(level)
    }

    /// Counts the changes that were made to texts of a page.
    pub(crate) fn count_replacements(&self, replacements: Replacements) {
        self.nul.fetch_add(replacements.nul, Ordering::Relaxed);
        self.replaced.fetch_add(replacements.replaced, Ordering::Relaxed);
    }

    /// A message about the changes made to texts; [`None`] if there were none.
    pub(crate) fn changed_texts(&self) -> Option<Cow<'static, str>> {
        let (nul, replaced) = (self.nul.load(Ordering::Relaxed), self.replaced.load(Ordering::Relaxed));
        (nul + replaced > 0).then(|| {
            format!("text that destinations cannot store was changed (NUL characters removed: {nul}, lone surrogates replaced: {replaced})")
                .into()
        })
    }
}
