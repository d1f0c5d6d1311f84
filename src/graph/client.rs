//! The client that callers have: pages and objects, and what is known of all requests together.

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
    Budget, Claims, Counts, Credentials, Error, Host, Pace, Page, Rates, Report, Request, Urgency, WorkEvent,
    answer::Patience,
    attempts::Attempts,
    auth::token::TokenSource,
    exchange::Exchange,
    form::{Csv, Form},
    http::{NoClient, Way},
    limits::Limits,
    pace::{counts::Counters, pacer::Pacer, turns::Turns},
    page::{bodies::Bodies, index::Expected},
    request::path,
    work::Work,
};
use crate::{level::Level, secrets::Secrets};

/// Requests in flight without a pace: more would only hold more memory.
const UNPACED: usize = 8;

/// Where Graph and the sign-in service are.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Scheme, host and port of Graph.
    pub graph: Url,
    /// Scheme, host and port of the sign-in service.
    pub login: Url,
    /// The resource that tokens are for, without `/.default`: the cloud's Graph host, also behind a proxy.
    pub resource: String,
}

/// A client of Microsoft Graph v1.0 for one application in one tenant. Clones share the connection, the token and the pace.
#[derive(Clone, Debug)]
pub struct GraphClient {
    shared: Arc<Shared>,
    work: Arc<Work>,
}

#[derive(Debug)]
struct Shared {
    attempts: Attempts,
    pace: Pace,
    /// The size of the last page of a list that was opened.
    size: AtomicUsize,
    /// The kinds of lists for which Graph has refused `$top`.
    refused_tops: Mutex<HashSet<String>>,
}

impl GraphClient {
    /// A client; nothing is sent yet. It adds its secret and its tokens to `secrets`, which whoever writes logs hides with.
    ///
    /// # Errors
    /// If TLS cannot be set up, an endpoint is no `http` or `https` URL, or the proxy that the environment names cannot be used.
    pub fn new(endpoints: &Endpoints, credentials: &Credentials, pace: Pace, limits: Limits, secrets: Secrets) -> Result<Self, NoClient> {
        let invalid = |url: &Url, what: &str| NoClient::Setup(format!("{url} cannot be {what}"));
        let host = Host::new(&endpoints.graph).ok_or_else(|| invalid(&endpoints.graph, "Graph's host"))?;
        let login = Host::new(&endpoints.login).ok_or_else(|| invalid(&endpoints.login, "the sign-in host"))?;
        let token_url = login.url(&path([&*credentials.tenant_id, "oauth2", "v2.0", "token"]));
        let token_url = token_url.ok_or_else(|| NoClient::Setup("the tenant does not fit into a URL".to_owned()))?;
        let way = Arc::new(Way::new(&host, &secrets)?);
        let is_same = login.is_this_machine() == host.is_this_machine();
        let login_way = if is_same { way.clone() } else { Arc::new(Way::new(&login, &secrets)?) };
        let pace = possible(pace);
        let (patience, counters) = (Patience::new(pace.speed), Arc::<Counters>::default());
        let scope = format!("{}/.default", endpoints.resource);
        let tokens = TokenSource::new(login_way, patience, token_url, scope, credentials, secrets.clone(), counters.clone());
        let exchange = Exchange { way, host, secrets, counters, bodies: Bodies::new(), patience, largest: limits.body };
        let turns = Turns::new(Pacer::new(pace.speed, pace.total), pace.in_flight);
        // A second of Graph's time, which the pace speeds up.
        let first_wait = Duration::from_secs_f64((1.0 / pace.speed).clamp(0.01, 10.0));
        let attempts = Attempts { exchange, tokens, turns, answered: Mutex::default(), first_wait, limits };
        let shared = Shared { attempts, pace, size: AtomicUsize::new(0), refused_tops: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), work: Arc::default() })
    }

    /// The same client for one piece of work, whose requests follow each other. `listener` hears what happens to it.
    #[must_use]
    pub fn for_work(&self, urgency: Urgency, listener: impl Fn(WorkEvent) + Send + Sync + 'static) -> Self {
        // A list that opens is expected to be like the one before.
        let size = if urgency == Urgency::Opens { self.shared.size.load(Ordering::Relaxed) } else { 0 };
        Self { shared: self.shared.clone(), work: Arc::new(Work::new(urgency, size, listener)) }
    }

    /// How urgent the further requests of this piece of work are.
    pub fn set_urgency(&self, urgency: Urgency) {
        self.work.set_urgency(urgency);
    }

    /// How fast requests may follow each other, and how long the answers took that came so far.
    pub fn rates(&self) -> Rates {
        Rates::at(self.shared.pace, self.counts().mean())
    }

    /// The secrets and tokens that it knows.
    pub fn secrets(&self) -> &Secrets {
        &self.shared.attempts.exchange.secrets
    }

    /// What was asked so far.
    pub fn counts(&self) -> Counts {
        self.shared.attempts.exchange.counters.counts()
    }

    /// Graph's clock at its last answer, as far as it can be believed.
    pub fn clock(&self) -> Option<DateTime<Utc>> {
        self.shared.attempts.answered.lock().unwrap_or_else(PoisonError::into_inner).map(|date| date.believed(None))
    }

    /// The least time between two requests for one parent of a level.
    pub fn spacing(&self, level: &'static Level) -> Duration {
        Duration::try_from_secs_f64(self.rates().seconds(Budget::One(level), 1.0)).unwrap_or_default()
    }

    /// Signs in, if there is no token yet.
    ///
    /// # Errors
    /// If no token is given.
    pub async fn sign_in(&self) -> Result<(), Error> {
        self.shared.attempts.sign_in().await
    }

    /// What the token says about the application: what it may do, if it can be read. It explains what Graph answers, and decides nothing.
    pub async fn claims(&self) -> Claims {
        self.shared.attempts.tokens.get(None).await.map(|token| Claims::of(token.secret())).unwrap_or_default()
    }

    /// One page of a list. Where Graph refuses the size that is asked for, it is asked for once more without, and so are its like from then on.
    ///
    /// # Errors
    /// If Graph refuses, or gives no whole page after all retries.
    pub async fn page(&self, request: &Request) -> Result<Page, Error> {
        let Some(bare) = request.without_top() else { return self.send(request, Expected::List).await };
        if self.refused_tops().contains(request.kind()) {
            return self.send(&bare, Expected::List).await;
        }
        let error = match self.send(request, Expected::List).await {
            Err(error) if error.may_refuse_top(bare.has_options()) => error,
            result => return result,
        };
        let page = self.send(&bare, Expected::List).await.map_err(|_| error)?;
        if self.refused_tops().insert(request.kind().to_owned()) {
            info!("Graph does not take a page size for {}: its pages have the size that Graph gives them", request.kind());
        }
        Ok(page)
    }

    fn refused_tops(&self) -> MutexGuard<'_, HashSet<String>> {
        self.shared.refused_tops.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One object, as a page of one item.
    ///
    /// # Errors
    /// If Graph refuses, or gives no whole object after all retries.
    pub async fn object(&self, request: &Request) -> Result<Page, Error> {
        self.send(request, Expected::Object).await
    }

    /// A report: the file in CSV that Graph redirects to, which must have these columns.
    ///
    /// # Errors
    /// If Graph refuses, redirects elsewhere, or no whole report comes after all retries.
    pub async fn report(&self, request: &Request, columns: &'static [&'static str]) -> Result<Report, Error> {
        self.send(request, Csv(columns)).await
    }

    async fn send<F: Form>(&self, request: &Request, form: F) -> Result<F::Made, Error> {
        let made = self.shared.attempts.send(request, form, &self.work).await?;
        if self.work.opens {
            self.shared.size.store(self.work.size(), Ordering::Relaxed);
        }
        Ok(made)
    }
}

/// The pace as it can be kept.
fn possible(pace: Pace) -> Pace {
    let speed = if pace.speed > 0.0 { pace.speed } else { f64::INFINITY };
    // What comes as fast as it can is looked through by few threads.
    let in_flight = if speed.is_finite() { pace.in_flight } else { pace.in_flight.min(UNPACED) };
    Pace { speed, in_flight, ..pace }
}
