//! What a job needs: a client, and what all jobs of a run share: the configuration, the selection, the states, the way out.

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
    begin::States,
    channel::shared::SharedByChannels,
    looks::Looks,
    marks::Marks,
    names::Names,
    once::Memory,
    waits::{Waiting, Waits},
};
use crate::{
    config::{Config, StreamConfig},
    emit::Output,
    graph::{self, Cleaned, GraphClient, Urgency, WorkEvent},
    level::{Level, Partition},
    state::{Position, StreamState},
    streams::{self, PerStream, Selected, Stream, StreamSet},
};

/// What a job needs.
#[derive(Debug)]
pub(crate) struct Context {
    run: Arc<Shared>,
    /// The client, for this job.
    pub(crate) client: GraphClient,
    /// The number of this job.
    job: u64,
}

/// What the jobs of a run share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) output: Output,
    /// Bytes of a record at most.
    pub(crate) max_record: usize,
    configs: PerStream<StreamConfig>,
    selected: PerStream<Option<Selected>>,
    states: PerStream<Option<StreamState>>,
    /// Items of lists that are left out.
    pub(crate) marks: Marks,
    /// Of streams that begin anew, or are not selected.
    others: Vec<(&'static Stream, StreamState)>,
    pub(crate) memory: Memory,
    pub(crate) names: Names,
    pub(crate) channels: SharedByChannels,
    /// Requests for what is not listed.
    pub(crate) looks: Looks,
    waits: Waits,
    nul: AtomicU64,
    replaced: AtomicU64,
}

impl Deref for Context {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.run
    }
}

impl Context {
    /// For the run itself.
    pub(crate) fn new(
        client: GraphClient,
        config: &Config,
        selected: Vec<Selected>,
        States { of_selected, others }: States,
        output: Output,
    ) -> Self {
        let shared = Shared {
            output,
            max_record: config.max_record,
            configs: PerStream::from_fn(|stream| config.stream(stream).clone()),
            selected: selected.into_iter().map(|selected| (selected.stream, selected)).collect(),
            marks: Marks::new(&of_selected),
            states: of_selected.into_iter().collect(),
            others,
            memory: Memory::default(),
            names: Names::default(),
            channels: SharedByChannels::default(),
            looks: Looks::default(),
            waits: Waits::default(),
            nul: AtomicU64::default(),
            replaced: AtomicU64::default(),
        };
        Self { run: Arc::new(shared), client, job: 0 }
    }

    /// For the run itself, before it has jobs: what teams and channels are called is kept.
    pub(crate) fn keeping_names(mut self) -> Self {
        if let Some(run) = Arc::get_mut(&mut self.run) {
            run.names = Names::kept(self.client.secrets().clone());
        }
        self
    }

    /// Whether a team exists although Graph gives this 404 for something in it.
    pub(crate) async fn team_exists(&self, team: &str, missing: &graph::Error) -> bool {
        if missing.denies_team() {
            return false;
        }
        match self.client.object(&streams::team(team)).await {
            Ok(_) => true,
            Err(error) if error.is_missing() => false,
            // Nobody knows; Graph's words may tell.
            Err(_) => missing.to_string().to_lowercase().contains("user not found"),
        }
    }

    /// For a job that begins, of that number, whose requests are that urgent and which feeds those streams.
    pub(crate) fn for_job(&self, job: u64, urgency: Urgency, feeds: StreamSet) -> Self {
        let run = self.run.clone();
        run.waits.begins(feeds);
        let tell = move |event| match event {
            WorkEvent::Sent => run.output.progress().sent(job, feeds),
            WorkEvent::Throttled => run.output.progress().throttled(feeds),
            WorkEvent::HeldUp(wait) => run.tell_waits(run.waits.held_up(job, feeds, wait, Instant::now())),
            WorkEvent::GoesOn => run.waits.goes_on(job, feeds),
        };
        Self { run: self.run.clone(), client: self.client.for_work(urgency, tell), job }
    }

    /// The job has so many requests ahead, about: the more there are, the more urgent is the next one.
    pub(crate) fn remains(&self, requests: f64) {
        self.client.set_urgency(Urgency::Remains(requests));
        self.output.progress().remains(self.job, requests);
    }
}

impl Shared {
    /// A job for those streams has ended.
    pub(crate) fn job_ended(&self, feeds: StreamSet) {
        self.tell_waits(self.waits.ends(feeds, Instant::now()));
    }

    /// That nobody reads any more is met elsewhere.
    fn tell_waits(&self, waiting: Waiting) {
        for (stream, wait) in waiting {
            if let Some(until) = TimeDelta::from_std(wait).ok().and_then(|wait| Utc::now().checked_add_signed(wait)) {
                let _ = self.output.waits(stream, until);
            }
        }
    }

    /// The streams that are selected.
    pub(crate) fn streams(&self) -> StreamSet {
        self.selected.values().flatten().map(|selected| selected.stream).collect()
    }

    /// The selection of a stream, if it is selected.
    pub(crate) fn selected(&self, stream: &Stream) -> Option<&Selected> {
        self.selected[stream].as_ref()
    }

    /// What the configuration says about a stream.
    pub(crate) fn config(&self, stream: &Stream) -> &StreamConfig {
        &self.configs[stream]
    }

    /// Those of the streams that do not leave out this team or channel.
    pub(crate) fn not_excluding(&self, parent: &str, streams: StreamSet) -> StreamSet {
        streams.filter(|stream| !self.config(stream).excludes(parent))
    }

    /// Where an earlier run has left a channel or a thread of the stream.
    pub(crate) fn state(&self, stream: &Stream, key: &str) -> Option<Position> {
        self.states[stream].as_ref()?.position(key)
    }

    /// What earlier runs have read, for whatever stream.
    /// Whether earlier runs have read something of a parent, or below it.
    pub(crate) fn knows(&self, parent: &Partition) -> bool {
        let key = parent.key();
        self.states().any(|state| state.knows(&key))
    }

    fn states(&self) -> impl Iterator<Item = &StreamState> {
        self.states.values().flatten().chain(self.others.iter().map(|(_, state)| state))
    }

    /// The ids right below a parent that earlier runs have read, some of them twice.
    pub(crate) fn known(&self, parent: &Partition) -> impl Iterator<Item = String> + use<'_> {
        let key = parent.key();
        self.states().flat_map(move |state| state.below(&key))
    }

    /// Whether the stream is read from one parent of that level, which is named with those above it.
    pub(crate) fn is_one(&self, stream: &Stream, level: Option<&'static Level>) -> bool {
        self.config(stream).names_one(level)
    }

    /// Takes note of what was changed in the texts of a page.
    pub(crate) fn note(&self, cleaned: Cleaned) {
        self.nul.fetch_add(cleaned.nul, Ordering::Relaxed);
        self.replaced.fetch_add(cleaned.replaced, Ordering::Relaxed);
    }

    /// What was changed in texts, as a sentence; [`None`] if nothing was.
    pub(crate) fn changed_texts(&self) -> Option<Cow<'static, str>> {
        let (nul, replaced) = (self.nul.load(Ordering::Relaxed), self.replaced.load(Ordering::Relaxed));
        (nul + replaced > 0).then(|| {
            format!("text that destinations cannot store was changed (NUL characters removed: {nul}, lone surrogates replaced: {replaced})")
                .into()
        })
    }
}
