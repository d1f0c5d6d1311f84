//! What a run begins with: a client for what is configured, and the states of its streams.

use chrono::Utc;

use crate::{
    config::Config,
    error::Error,
    graph::{Credentials, Endpoints, GraphClient, Limits, NoClient, Pace},
    secrets::Secrets,
    state::{StoredStates, StreamState},
    streams::{Mode, Selected, Stream},
};

/// What a run is given of earlier ones.
#[derive(Clone, Debug, Default)]
pub struct States {
    /// The states that the selected streams begin with.
    pub of_selected: Vec<(&'static Stream, StreamState)>,
    /// What earlier runs have read for streams that begin anew, or are not selected: which teams and channels there are.
    pub(crate) others: Vec<(&'static Stream, StreamState)>,
}

impl States {
    /// The states in which something is known, those that the selected streams begin with first.
    pub fn known(&self) -> impl Iterator<Item = &(&'static Stream, StreamState)> {
        self.of_selected.iter().chain(&self.others).filter(|(_, state)| !state.is_empty())
    }
}

/// The states that the selected streams begin with, from what they were given of earlier runs: for each stream what its last state was.
///
/// # Errors
/// If one of them cannot be taken up.
pub fn states(given: &StoredStates<'_>, selected: &[Selected], config: &Config) -> Result<States, Error> {
    let now = Utc::now();
    let begin = |selected: &Selected| {
        let (stream, tenant) = (selected.stream, &config.tenant_id);
        let given = given.get(stream.name).copied();
        let state = match (stream.mode(), selected.mode) {
            (Mode::FullRefresh, _) => StreamState::begin_snapshot(given),
            (Mode::Incremental, Mode::FullRefresh) => Ok(StreamState::begin_full_refresh(given, tenant, &stream.trail(), now)),
            (Mode::Incremental, Mode::Incremental) => StreamState::begin_incremental(given, tenant, &stream.trail(), now),
        };
        let state = state.map_err(|invalid| Error::State(format!("stream {}: {invalid}", stream.name)))?;
        Ok((stream, state))
    };
    let goes_on =
        |stream: &Stream| selected.iter().any(|selected| selected.stream.name == stream.name && selected.mode == Mode::Incremental);
    let of_other = |stream: &'static Stream| {
        let given = given.get(stream.name).copied().filter(|_| stream.mode() == Mode::Incremental && !goes_on(stream));
        // Nothing depends on it: a damaged one says nothing.
        let state = StreamState::begin_incremental(Some(given?), &config.tenant_id, &stream.trail(), now).ok()?;
        Some((stream, state)).filter(|(_, state)| !state.is_empty())
    };
    let others = Stream::all().filter_map(of_other).collect();
    let of_selected = selected.iter().map(begin).collect::<Result<_, Error>>()?;
    Ok(States { of_selected, others })
}

/// A client for the tenant and application of the configuration, in its pace. It adds its secret and its tokens to `secrets`.
///
/// # Errors
/// If TLS cannot be set up, a host is no URL, or the proxy that the environment names cannot be used.
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
    let limits = Limits { body: config.max_page, ..limits };
    GraphClient::new(&endpoints, &credentials, pace, limits, secrets).map_err(|reason| match reason {
        NoClient::Proxy { .. } => Error::Environment(reason),
        NoClient::Setup(reason) => Error::Internal(reason),
    })
}

/// Where an administrator consents to what the application asks for. A browser goes there: our own proxy is none of its business.
pub(crate) fn consent(config: &Config, tenant_id: &str) -> String {
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("{}/{}/adminconsent?client_id={}", config.cloud.login_host(), encoded(tenant_id), encoded(&config.client_id))
}
