//! The client, which fetches pages, objects and reports, and counts requests.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use tracing::info;
use url::Url;

use super::{
    Budget, Claims, Counts, Credentials, CsvReport, Error, Host, Pace, Page, Priority, Rates, Request, WorkEvent,
    auth::token::TokenSource,
    exchange::Exchange,
    format::{Csv, ResponseFormat},
    http::{ClientError, Connection},
    limits::Limits,
    pace::{counts::Counters, pacer::Pacer, scheduler::Scheduler},
    page::{bodies::BodyBuffers, index::Expected},
    request::path,
    response::Timeout,
    sender::RequestSender,
    work::WorkItem,
};
use crate::{level::Level, secrets::Secrets};

/// Maximum requests in flight when pacing is disabled. More would only use more memory.
const MAX_IN_FLIGHT_UNPACED: usize = 8;

/// The hosts of Graph and of the sign-in service.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Scheme, host and port of Graph.
    pub graph: Url,
    /// Scheme, host and port of the sign-in service.
    pub login: Url,
    /// The resource that tokens are requested for, without `/.default`: the cloud's Graph host, even if `graph` is a proxy.
    pub resource: String,
}

/// A client of Microsoft Graph v1.0 for one application in one tenant. Clones share the connection, the token and the pace.
#[derive(Clone, Debug)]
pub struct GraphClient {
    inner: Arc<Inner>,
    work: Arc<WorkItem>,
}

#[derive(Debug)]
struct Inner {
    sender: RequestSender,
    pace: Pace,
    /// The size of the last page read, not counting lists that were resumed partway through. Used to estimate the next list's pages.
    page_size: AtomicUsize,
    /// The kinds of lists for which Graph has rejected `$top`.
    lists_without_top: Mutex<HashSet<String>>,
}

impl GraphClient {
    /// Creates a client without sending anything. It adds its client secret and tokens to `secrets`, so that logs can hide them.
    ///
    /// # Errors
    /// If TLS cannot be set up, an endpoint is not an `http` or `https` URL, or the proxy from the environment cannot be used.
    pub fn new(
        endpoints: &Endpoints,
        credentials: &Credentials,
        pace: Pace,
        limits: Limits,
        secrets: Secrets,
    ) -> Result<Self, ClientError> {
        let invalid = |url: &Url, what: &str| ClientError::Setup(format!("{url} cannot be used as the {what}"));
        let host = Host::new(&endpoints.graph).ok_or_else(|| invalid(&endpoints.graph, "Graph host"))?;
        let login = Host::new(&endpoints.login).ok_or_else(|| invalid(&endpoints.login, "sign-in host"))?;
        let token_url = login.url(&path([&*credentials.tenant_id, "oauth2", "v2.0", "token"]));
        let token_url = token_url.ok_or_else(|| ClientError::Setup("`tenant_id` cannot be used in a URL".to_owned()))?;
        let connection = Arc::new(Connection::new(&host, &secrets)?);
        let is_same = login.is_loopback() == host.is_loopback();
        let login_connection = if is_same { connection.clone() } else { Arc::new(Connection::new(&login, &secrets)?) };
        let pace = effective_pace(pace);
        let (timeout, counters) = (Timeout::new(pace.speed), Arc::<Counters>::default());
        let scope = format!("{}/.default", endpoints.resource);
        let tokens = TokenSource::new(login_connection, timeout, token_url, scope, credentials, secrets.clone(), counters.clone());
        let exchange = Exchange { connection, host, secrets, counters, buffers: BodyBuffers::new(), timeout, max_body: limits.max_body };
        let scheduler = Scheduler::new(Pacer::new(pace.speed, pace.total), pace.in_flight);
        // One second, scaled by the pace for simulators.
        let initial_backoff = Duration::from_secs_f64((1.0 / pace.speed).clamp(0.01, 10.0));
        let sender = RequestSender { exchange, tokens, scheduler, last_response: Mutex::default(), initial_backoff, limits };
        let inner = Inner { sender, pace, page_size: AtomicUsize::new(0), lists_without_top: Mutex::default() };
        Ok(Self { inner: Arc::new(inner), work: Arc::default() })
    }

    /// Returns a client for one work item, whose requests are sent one after another. `listener` receives the events of the work item.
    #[must_use]
    pub fn for_work(&self, priority: Priority, listener: impl Fn(WorkEvent) + Send + Sync + 'static) -> Self {
        // The pages of a new list are expected to be as large as those of the last one.
        let size = if priority == Priority::FirstPage { self.inner.page_size.load(Ordering::Relaxed) } else { 0 };
        Self { inner: self.inner.clone(), work: Arc::new(WorkItem::new(priority, size, listener)) }
    }

    /// Sets the priority of the next requests of this work item.
    pub fn set_priority(&self, priority: Priority) {
        self.work.set_priority(priority);
    }

    /// The request rates, with the mean latency of the responses so far.
    pub fn rates(&self) -> Rates {
        Rates::new(self.inner.pace, self.counts().mean_latency())
    }

    /// The client secret and the tokens.
    pub fn secrets(&self) -> &Secrets {
        &self.inner.sender.exchange.secrets
    }

    /// The number of requests so far.
    pub fn counts(&self) -> Counts {
        self.inner.sender.exchange.counters.counts()
    }

    /// The time of Graph's last response: its `Date`, but no later than the local clock.
    pub fn last_response_time(&self) -> Option<DateTime<Utc>> {
        self.inner.sender.last_response.lock().unwrap_or_else(PoisonError::into_inner).map(|date| date.trusted(None))
    }

    /// The minimum time between two requests for the same parent, such as the same channel.
    pub fn spacing(&self, level: &'static Level) -> Duration {
        Duration::try_from_secs_f64(self.rates().seconds(Budget::Parent(level), 1.0)).unwrap_or_default()
    }

    /// Signs in, if there is no token yet.
    ///
    /// # Errors
    /// If the sign-in service does not issue a token.
    pub async fn sign_in(&self) -> Result<(), Error> {
        self.inner.sender.sign_in().await
    }

    /// The readable claims in the token. Used only to explain Graph errors, never to make decisions.
    pub async fn claims(&self) -> Claims {
        self.inner.sender.tokens.get(None).await.map(|token| Claims::parse(token.secret())).unwrap_or_default()
    }

    /// Fetches one page of a list. If Graph rejects `$top`, this request and later ones for the same kind of list are sent without it.
    ///
    /// # Errors
    /// If Graph returns an error, or no valid page, after all retries.
    pub async fn page(&self, request: &Request) -> Result<Page, Error> {
        let Some(bare) = request.without_top() else { return self.send(request, Expected::List).await };
        if self.lists_without_top().contains(request.kind()) {
            return self.send(&bare, Expected::List).await;
        }
        let error = match self.send(request, Expected::List).await {
            Err(error) if error.may_be_caused_by_top(bare.has_options()) => error,
            result => return result,
        };
        let page = self.send(&bare, Expected::List).await.map_err(|_| error)?;
        if self.lists_without_top().insert(request.kind().to_owned()) {
            info!("Graph does not accept a page size for {}: using its default page size", request.kind());
        }
        Ok(page)
    }

    fn lists_without_top(&self) -> MutexGuard<'_, HashSet<String>> {
        self.inner.lists_without_top.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches one object, as a page with one item.
    ///
    /// # Errors
    /// If Graph returns an error, or no valid object, after all retries.
    pub async fn object(&self, request: &Request) -> Result<Page, Error> {
        self.send(request, Expected::Object).await
    }

    /// Fetches a report: the CSV file that Graph redirects to, which must have these columns.
    ///
    /// # Errors
    /// If Graph returns an error, redirects to a host that is not allowed, or returns no valid report, after all retries.
    pub async fn report(&self, request: &Request, columns: &'static [&'static str]) -> Result<CsvReport, Error> {
        self.send(request, Csv(columns)).await
    }

    async fn send<F: ResponseFormat>(&self, request: &Request, format: F) -> Result<F::Parsed, Error> {
        let parsed = self.inner.sender.send(request, format, &self.work).await?;
        if self.work.opens_list {
            self.inner.page_size.store(self.work.size(), Ordering::Relaxed);
        }
        Ok(parsed)
    }
}

/// Converts a speed of 0, which disables pacing, to infinity; in that case, it also limits the requests in flight.
fn effective_pace(pace: Pace) -> Pace {
    let speed = if pace.speed > 0.0 { pace.speed } else { f64::INFINITY };
    let in_flight = if speed.is_finite() { pace.in_flight } else { pace.in_flight.min(MAX_IN_FLIGHT_UNPACED) };
    Pace { speed, in_flight, ..pace }
}
