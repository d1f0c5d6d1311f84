//! Prepares a run: its client and the states from which its streams start.

use chrono::Utc;

use crate::{
    config::Config,
    error::Error,
    graph::{ClientError, Credentials, Endpoints, GraphClient, Limits, Pace},
    secrets::Secrets,
    state::{StoredStates, StreamState},
    streams::{Mode, Selected, Stream},
};

/// The states of earlier runs.
#[derive(Clone, Debug, Default)]
pub struct States {
    /// The states from which the selected streams start.
    pub selected: Vec<(&'static Stream, StreamState)>,
    /// States of streams that start from the beginning or are not selected. They show which teams and channels earlier runs have read.
    pub(crate) others: Vec<(&'static Stream, StreamState)>,
}

impl States {
    /// All non-empty states, those of the selected streams first.
    pub fn known(&self) -> impl Iterator<Item = &(&'static Stream, StreamState)> {
        self.selected.iter().chain(&self.others).filter(|(_, state)| !state.is_empty())
    }
}

/// The states from which the selected streams start. `stored` contains the last state of each stream.
///
/// # Errors
///
/// If a state cannot be used.
pub fn states(stored: &StoredStates<'_>, selected: &[Selected], config: &Config) -> Result<States, Error> {
    let now = Utc::now();
    let begin = |selected: &Selected| {
        let (stream, tenant) = (selected.stream, &config.tenant_id);
        let written = stored.get(stream.name).copied();
        let state = match (stream.mode(), selected.mode) {
            (Mode::FullRefresh, _) => StreamState::begin_snapshot(written),
            (Mode::Incremental, Mode::FullRefresh) => Ok(StreamState::begin_full_refresh(written, tenant, &stream.trail(), now)),
            (Mode::Incremental, Mode::Incremental) => StreamState::begin_incremental(written, tenant, &stream.trail(), now),
        };
        let state = state.map_err(|invalid| Error::State(format!("stream {}: {invalid}", stream.name)))?;
        Ok((stream, state))
    };
    let is_resumed =
        |stream: &Stream| selected.iter().any(|selected| selected.stream.name == stream.name && selected.mode == Mode::Incremental);
    let other_state = |stream: &'static Stream| {
        let written = stored.get(stream.name).copied().filter(|_| stream.mode() == Mode::Incremental && !is_resumed(stream));
        // These states are only hints, so a damaged one is ignored.
        let state = StreamState::begin_incremental(Some(written?), &config.tenant_id, &stream.trail(), now).ok()?;
        Some((stream, state)).filter(|(_, state)| !state.is_empty())
    };
    let others = Stream::all().filter_map(other_state).collect();
    let selected_states = selected.iter().map(begin).collect::<Result<_, Error>>()?;
    Ok(States { selected: selected_states, others })
}

/// Makes a client for the configured tenant and application, with the configured rates. It adds its secret and its tokens to `secrets`.
///
/// # Errors
///
/// If TLS cannot be set up, a host is not a valid URL, or the proxy from the environment cannot be used.
pub fn client(config: &Config, limits: Limits, secrets: Secrets) -> Result<GraphClient, Error> {
    let invalid = |url: url::ParseError| Error::Internal(format!("a host is not a valid URL: {url}"));
    let endpoints = Endpoints {
        graph: config.graph_host().parse().map_err(invalid)?,
        login: config.login_host().parse().map_err(invalid)?,
        resource: config.cloud.graph_host().to_owned(),
    };
    let credentials = Credentials {
        tenant_id: config.tenant_id.clone(),
        client_id: config.client_id.clone(),
        client_secret: config.client_secret.clone(),
        consent: consent(config, &config.tenant_id),
    };
    let pace = Pace { speed: config.pace, total: config.requests_per_second, in_flight: config.max_concurrent_threads };
    let limits = Limits { max_body: config.max_page, ..limits };
    GraphClient::new(&endpoints, &credentials, pace, limits, secrets).map_err(|reason| match reason {
        ClientError::Proxy { .. } => Error::Environment(reason),
        ClientError::Setup(reason) => Error::Internal(reason),
    })
}

/// The page on which an administrator grants consent to the application. It is opened in a browser, so the proxy of this program does not
/// matter.
pub(crate) fn consent(config: &Config, tenant_id: &str) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("{}/{}/adminconsent?client_id={}", config.cloud.login_host(), encoded(tenant_id), encoded(&config.client_id))
}
