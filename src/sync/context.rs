//! What every job of a run needs: the client, the configuration, the selection, the way out.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{debug, warn};

use crate::{
    config::{Config, Parents, StreamConfig},
    emit::Output,
    graph::{GraphClient, Page},
    state::{ChannelState, StreamState},
    streams::{STREAMS, Selected, Stream, StreamSet},
};

/// What is said about delta once a run, however many channels it concerns.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum AboutDelta {
    /// Delta's token is no longer taken.
    Ended,
    /// There is no delta.
    Refused,
    /// Delta does not answer.
    Unanswered,
}

/// What every job of a run needs.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) client: Arc<GraphClient>,
    pub(super) output: Output,
    configs: [StreamConfig; STREAMS.len()],
    selected: [Option<Selected>; STREAMS.len()],
    states: [Option<StreamState>; STREAMS.len()],
    remarked: Mutex<HashSet<AboutDelta>>,
    nul: AtomicU64,
    replaced: AtomicU64,
}

impl Context {
    pub(super) fn new(
        client: Arc<GraphClient>,
        config: &Config,
        selected: Vec<Selected>,
        states: Vec<(&'static Stream, StreamState)>,
        output: Output,
    ) -> Self {
        Self {
            client,
            output,
            configs: STREAMS.map(|stream| config.stream(stream.name).cloned().unwrap_or_default()),
            selected: by_position(selected.into_iter().map(|selected| (selected.stream, selected))),
            states: by_position(states),
            remarked: Mutex::default(),
            nul: AtomicU64::default(),
            replaced: AtomicU64::default(),
        }
    }

    /// The streams that are selected.
    pub(super) fn streams(&self) -> StreamSet {
        self.selected.iter().flatten().map(|selected| selected.stream).collect()
    }

    /// The selection of a stream, if it is selected.
    pub(super) fn selected(&self, stream: &Stream) -> Option<&Selected> {
        self.selected[stream.position()].as_ref()
    }

    /// What the configuration says about a stream.
    pub(super) fn config(&self, stream: &Stream) -> &StreamConfig {
        &self.configs[stream.position()]
    }

    /// Where an earlier run has left a channel or a thread of the stream.
    pub(super) fn state(&self, stream: &Stream, key: &str) -> Option<ChannelState> {
        self.states[stream.position()].as_ref()?.channel(key).cloned()
    }

    /// The keys of all that earlier runs have read for the stream.
    pub(super) fn keys(&self, stream: &Stream) -> impl Iterator<Item = &str> {
        self.states[stream.position()].iter().flat_map(StreamState::keys)
    }

    /// Says something as a warning the first time in the run, and for other channels in the details.
    pub(super) fn remark(&self, about: AboutDelta, sentence: String) {
        let is_first = self.remarked.lock().is_ok_and(|mut remarked| remarked.insert(about));
        if is_first {
            warn!("{sentence} (said once a run)");
        } else {
            debug!("{sentence}");
        }
    }

    /// Whether the stream is read from one team that is named.
    pub(super) fn has_one_team(&self, stream: &Stream) -> bool {
        is_one(&self.config(stream).teams)
    }

    /// Whether the stream is read from one channel that is named.
    pub(super) fn has_one_channel(&self, stream: &Stream) -> bool {
        self.has_one_team(stream) && is_one(&self.config(stream).channels)
    }

    /// Takes note of what was changed in the texts of a page.
    pub(super) fn note(&self, page: &Page) {
        self.nul.fetch_add(page.cleaned().nul, Ordering::Relaxed);
        self.replaced.fetch_add(page.cleaned().replaced, Ordering::Relaxed);
    }

    /// What was changed in texts, as a sentence; [`None`] if nothing was.
    pub(super) fn changed_texts(&self) -> Option<Cow<'static, str>> {
        let (nul, replaced) = (self.nul.load(Ordering::Relaxed), self.replaced.load(Ordering::Relaxed));
        (nul + replaced > 0).then(|| {
            format!("texts that no destination can hold were changed: {nul} U+0000 removed, {replaced} lone surrogates replaced").into()
        })
    }
}

fn by_position<T>(of_streams: impl IntoIterator<Item = (&'static Stream, T)>) -> [Option<T>; STREAMS.len()] {
    let mut by_position = [const { None }; STREAMS.len()];
    for (stream, it) in of_streams {
        by_position[stream.position()] = Some(it);
    }
    by_position
}

fn is_one(parents: &Parents) -> bool {
    matches!(parents, Parents::Ids(ids) if ids.len() == 1)
}
