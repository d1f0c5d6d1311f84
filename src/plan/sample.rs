//! Samples a job: reads a list as a run does, but only the first page of a channel, which shows how many requests the rest needs.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;

use super::load::ClassRequests;
use crate::{
    error::Error,
    graph::{self, Link, Request},
    level::{CHANNEL, Partition, TEAM},
    read::{
        channel::{
            MAX_WALK_INTERVAL,
            activity::before,
            estimate::ChannelEstimate,
            expansion::DEFAULT_PAGE_SIZE,
            pass::{PROBE_SIZE, is_expansion_refused},
            remaining_requests::earliest_creation,
        },
        channel_ref::ChannelFacts,
        context::Context,
        dispatch,
        found::Origin,
        job::{Job, JobError, JobReport},
    },
    state::{BEGINNING, Position},
    streams::{self, MAX_TOP, MessageKind, Mode, Read, Stream},
};

/// The number of longest walks whose names are fetched.
const NAMED: usize = 10;

/// An estimate of the requests that the job needs, if not all of them were sent, and its result.
type Sample = (Option<ClassRequests>, Result<JobReport, Error>);

/// A channel, and the positions of the streams that read it.
struct Channel<'l> {
    context: &'l Context,
    job: &'l Job,
    streams: Vec<(&'static Stream, Position)>,
    size: u64,
}

/// Samples a job. Fails only if the error is fatal.
pub(super) async fn sample(context: Context, job: Job) -> Result<Sample, Error> {
    let streams = job.streams;
    let sample = match job.input.stream.read {
        Read::Walk(_) if job.input.parent.level() == Some(&CHANNEL) => Channel::new(&context, &job).sample().await,
        _ => (None, dispatch::run(job, &context).await.map_err(failed)),
    };
    context.job_ended(streams);
    match sample {
        (_, Err(error)) if error.is_fatal() => Err(error),
        sample => Ok(sample),
    }
}

fn failed(stop: JobError) -> Error {
    match stop {
        JobError::Failed(error) => error,
        JobError::Closed => Error::Internal("the writer of a plan ended, although a plan writes nothing".to_owned()),
    }
}

/// Fetches the names of the longest walks and of their parents if no list contained them. A parent that is refused keeps its id only.
pub(super) async fn name_longest(context: &Context, longest: &[(Partition, f64)]) {
    let unknown: HashSet<_> =
        longest.iter().take(NAMED).flat_map(|(of, _)| of.upwards()).filter(|of| !context.names.has(of.own_id())).collect();
    join_all(unknown.iter().map(|of| facts(context, of))).await;
}

/// Fetches a parent, remembers its name, and returns its other properties: none if the request fails.
async fn facts(context: &Context, of: &Partition) -> ChannelFacts {
    let Some(route) = of.level().and_then(Stream::discovering).and_then(|finder| finder.discovers) else { return ChannelFacts::default() };
    let Ok(page) = context.client.object(&(route.request)(of)).await else { return ChannelFacts::default() };
    let Some(item) = page.items().next() else { return ChannelFacts::default() };
    context.names.note(item);
    ChannelFacts::from_item(item)
}

impl<'l> Channel<'l> {
    fn new(context: &'l Context, job: &'l Job) -> Self {
        let key = job.input.parent.key();
        let streams = job.streams.iter().map(|stream| (stream, context.state(stream, &key).unwrap_or_default()));
        // An earlier attempt at the same full refresh may have finished it.
        let is_done = |stream: &Stream, state: &Position| is_full(context, stream) && state.read_at.is_some() && state.walk.is_none();
        let streams: Vec<_> = streams.filter(|(stream, state)| !is_done(stream, state)).collect();
        let size = streams.iter().filter_map(|(stream, _)| context.config(stream).top).min().unwrap_or(MAX_TOP).min(MAX_TOP);
        Self { context, job, streams, size }
    }

    async fn sample(&self) -> Sample {
        let (of, origin) = (&self.job.input.parent, self.job.input.origin);
        let report = JobReport { found_ids: vec![of.own_id().to_owned()], ..JobReport::completed(self.job.streams, None) };
        match self.requests().await {
            Ok(requests) => (Some(requests), Ok(report)),
            Err(error) if origin == Origin::Candidate && error.is_not_found() => (None, Ok(JobReport::default())),
            Err(error) => {
                let error = Error::graph(format!("read the messages of {of}"), error, self.job.input.stream.permissions);
                (None, Err(error.with_exclude_hint(of.own_id())))
            }
        }
    }

    async fn requests(&self) -> Result<ClassRequests, graph::Error> {
        if self.streams.is_empty() {
            return Ok(ClassRequests::new());
        }
        let (of, class, page) = (&self.job.input.parent, self.list(true).class(), self.first_page().await?);
        let mut created = self.job.input.details.facts.created;
        if created.is_none() && page.has_next {
            created = facts(self.context, of).await.created;
        }
        let stop = self.streams.iter().map(|(stream, state)| self.stop(stream, state)).min().unwrap_or(BEGINNING);
        let threads = page.count(stop, stop.max(earliest_creation(created)));
        let mut requests = ClassRequests::new();
        if self.streams.iter().any(|one| self.follows_delta(one)) {
            requests.push((class, pages(threads, DEFAULT_PAGE_SIZE as u64)));
        }
        if !self.streams.iter().all(|one| self.follows_delta(one) && self.is_recent(one)) {
            requests.push((class, self.pages(threads)));
            if self.streams.iter().any(|(stream, _)| !is_roots(stream)) {
                let of_threads = streams::replies(of.id(&TEAM), of.own_id(), "", MAX_TOP).class();
                requests.push((of_threads, page.thread_requests(stop, threads)));
            }
        }
        Ok(requests)
    }

    /// The first page that a run would request.
    async fn first_page(&self) -> Result<ChannelEstimate, graph::Error> {
        let (client, expansion) = (&self.context.client, &self.context.channels.expansion);
        let link = self.streams.iter().find_map(|(_, state)| Link::from_path(state.walk.as_ref()?.link.as_deref()?));
        if let Some(link) = link
            && let Ok(page) = client.page(&self.list(true).follow(&link)).await
        {
            return Ok(ChannelEstimate::new(&page, expansion, true));
        }
        match client.page(&self.list(true)).await {
            Err(error) if is_expansion_refused(&error) => {
                Ok(ChannelEstimate::new(&client.page(&self.list(false)).await?, expansion, false))
            }
            result => Ok(ChannelEstimate::new(&result?, expansion, true)),
        }
    }

    fn list(&self, expands_replies: bool) -> Request {
        let list = if expands_replies { streams::messages_with_replies } else { streams::root_messages };
        list(self.job.input.parent.id(&TEAM), self.job.input.parent.own_id(), self.size)
    }

    /// The pages of a walk, including a probe that was too small, and the closing pass from the top if there are several pages.
    fn pages(&self, threads: f64) -> f64 {
        let (pages, states) = (pages(threads, self.size), || self.streams.iter().map(|(_, state)| state));
        let is_missed = states().all(|state| state.read_at.is_some()) && self.size > PROBE_SIZE && threads > PROBE_SIZE as f64;
        let is_closed = pages > 1.0 || states().any(|state| state.walk.is_some());
        pages + f64::from(u8::from(is_missed)) + f64::from(u8::from(is_closed))
    }

    /// How far down the walk goes for a stream.
    fn stop(&self, stream: &'static Stream, state: &Position) -> DateTime<Utc> {
        let config = self.context.config(stream);
        let start = config.start_date.unwrap_or(BEGINNING);
        match (&state.walk, state.read_at) {
            (Some(walk), _) => walk.until.unwrap_or(walk.cutoff),
            (None, Some(read_at)) if state.since.unwrap_or(BEGINNING) <= start => {
                state.last_modified_date_time.into_iter().fold(before(read_at, config.lookback), DateTime::min)
            }
            (None, _) => start,
        }
    }

    fn follows_delta(&self, (stream, state): &(&'static Stream, Position)) -> bool {
        let is_open = state.delta_at.is_some() || state.delta_link.is_some() || state.delta.round.is_some();
        let may = is_roots(stream) && !is_full(self.context, stream) && self.context.config(stream).use_delta_api;
        may && is_open && state.delta.refused_at.is_none()
    }

    /// Whether a walk read it so recently that delta may be enough.
    fn is_recent(&self, (_, state): &(&'static Stream, Position)) -> bool {
        let age = self.context.client.last_response_time().zip(state.read_at).map(|(now, read_at)| (now - read_at).abs());
        state.walk.is_none() && age.is_some_and(|age| age < MAX_WALK_INTERVAL)
    }
}

fn is_roots(stream: &Stream) -> bool {
    matches!(stream.read, Read::Walk(MessageKind::Roots))
}

fn is_full(context: &Context, stream: &Stream) -> bool {
    context.selected(stream).is_some_and(|selected| selected.mode == Mode::FullRefresh)
}

fn pages(items: f64, size: u64) -> f64 {
    (items / size.max(1) as f64).ceil().max(1.0)
}
