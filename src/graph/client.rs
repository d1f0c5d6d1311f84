//! The one place that sends: a request in, a page out; token, waits and retries happen inside, once.

use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::BufMut;
use chrono::{DateTime, Utc};
use http::{
    StatusCode,
    header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use tokio::io::AsyncReadExt;
use tracing::{debug, info, trace};
use url::Url;
use uuid::Uuid;

use super::{
    AnswerDate, Budget, Cause, Claims, Credentials, Error, Host, Page, Rates, Refusal, Request, Urgency,
    answer::{Patience, date, decoded, quotable, refusal},
    auth::token::{Token, TokenSource},
    error::WithId,
    http::{NoClient, Way},
    limits::Limits,
    pace::{
        Pace,
        counts::{Counters, Counts},
        pacer::Pacer,
        turns::Turns,
    },
    page::{
        bodies::{Bodies, Held},
        index::{Expected, Malformed},
        text,
    },
    request::path,
    retry::{Verdict, Waits, verdict},
};
use crate::{level::Level, secrets::Secrets};

/// What errors call the request for a token.
const SIGN_IN: &str = "the sign-in";

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// So many bytes of a body are decompressed at once.
const STEP: usize = 64 * 1024;

/// So many bytes of a refusal are read.
const REFUSAL: usize = 64 * 1024;

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
    way: Arc<Way>,
    host: Host,
    secrets: Secrets,
    tokens: TokenSource,
    turns: Arc<Turns>,
    bodies: Bodies,
    counters: Arc<Counters>,
    /// The size of the last page of a list that was opened.
    size: AtomicUsize,
    /// When Graph answered last; nothing before it did.
    answered: Mutex<Option<AnswerDate>>,
    /// The kinds of lists for which Graph has refused `$top`.
    refused_tops: Mutex<HashSet<String>>,
    pace: Pace,
    first_wait: Duration,
    patience: Patience,
    limits: Limits,
}

/// What is known of the work that requests are sent for.
#[derive(Default)]
struct Work {
    /// Whether it began by opening a list.
    opens: bool,
    urgency: Mutex<Urgency>,
    /// The size of the last body.
    size: AtomicUsize,
    tell: Option<Tell>,
}

/// What befalls a piece of work.
#[derive(Clone, Copy, Debug)]
pub enum WorkEvent {
    /// A request is sent.
    Sent,
    /// Graph has refused one, since its limits are reached.
    Throttled,
    /// Graph holds the work up for so long.
    HeldUp(Duration),
    /// What was held up goes on.
    GoesOn,
}

/// Told what befalls the work.
type Tell = Box<dyn Fn(WorkEvent) + Send + Sync>;

/// A request that is sent until it gets its page.
struct Sending<'s> {
    request: &'s Request,
    expected: Expected,
    work: &'s Work,
    attempts: u32,
    /// Our id of the last attempt.
    id: Option<Uuid>,
}

impl Sending<'_> {
    fn error(&self, cause: Cause) -> Error {
        Error::new(self.request, cause, self.attempts).of_attempt(self.id)
    }
}

/// An answer with what could be read of its body.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Result<(Vec<u8>, Held), Cause>,
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
        let speed = if pace.speed > 0.0 { pace.speed } else { f64::INFINITY };
        let patience = Patience::new(speed);
        let (counters, scope) = (Arc::<Counters>::default(), format!("{}/.default", endpoints.resource));
        let tokens = TokenSource::new(login_way, patience, token_url, scope, credentials, secrets.clone(), counters.clone());
        // A second of Graph's time, which the pace speeds up.
        let first_wait = Duration::from_secs_f64((1.0 / speed).clamp(0.01, 10.0));
        // What comes as fast as it can is looked through by few threads.
        let in_flight = if speed.is_finite() { pace.in_flight } else { pace.in_flight.min(UNPACED) };
        let pace = Pace { speed, in_flight, ..pace };
        let turns = Turns::new(Pacer::new(speed, pace.total), in_flight);
        let (bodies, size, answered, refused_tops) = (Bodies::new(), AtomicUsize::new(0), Mutex::default(), Mutex::default());
        let shared = Shared {
            way,
            host,
            secrets,
            tokens,
            turns,
            bodies,
            counters,
            size,
            answered,
            refused_tops,
            pace,
            first_wait,
            patience,
            limits,
        };
        Ok(Self { shared: Arc::new(shared), work: Arc::default() })
    }

    /// The same client for one piece of work, whose requests follow each other. `tell` is told what befalls it.
    #[must_use]
    pub fn for_work(&self, urgency: Urgency, tell: impl Fn(WorkEvent) + Send + Sync + 'static) -> Self {
        // A list that opens is expected to be like the one before.
        let opens = urgency == Urgency::Opens;
        let size = if opens { self.shared.size.load(Ordering::Relaxed) } else { 0 };
        let work = Work { opens, urgency: Mutex::new(urgency), size: AtomicUsize::new(size), tell: Some(Box::new(tell)) };
        Self { shared: self.shared.clone(), work: Arc::new(work) }
    }

    /// How urgent the further requests of this piece of work are.
    pub fn set_urgency(&self, urgency: Urgency) {
        *self.work.urgency.lock().unwrap_or_else(PoisonError::into_inner) = urgency;
    }

    /// How fast requests may follow each other, and how long the answers took that came so far.
    pub fn rates(&self) -> Rates {
        Rates::at(self.shared.pace, self.counts().mean())
    }

    /// The secrets and tokens that it knows.
    pub fn secrets(&self) -> &Secrets {
        &self.shared.secrets
    }

    /// What was asked so far.
    pub fn counts(&self) -> Counts {
        self.shared.counters.counts()
    }

    /// Graph's clock at its last answer, as far as it can be believed.
    pub fn clock(&self) -> Option<DateTime<Utc>> {
        self.shared.answered.lock().unwrap_or_else(PoisonError::into_inner).map(|date| date.believed(None))
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
        let mut waits = self.shared.waits();
        let mut attempts = 1;
        loop {
            let Err(refusal) = self.shared.tokens.get(None).await else { return Ok(()) };
            let cause = Cause::SignIn(refusal);
            if verdict(&cause) != Verdict::Retry {
                return Err(Error::new(SIGN_IN, cause, attempts));
            }
            let Some(wait) = waits.next(&cause, Instant::now()) else { return Err(Error::new(SIGN_IN, cause, attempts)) };
            info!("cannot sign in yet: {cause}; trying again in {:.1} s", wait.as_secs_f64());
            tokio::time::sleep(wait).await;
            attempts += 1;
        }
    }

    /// What the token says about the application: what it may do, if it can be read. It explains what Graph answers, and decides nothing.
    pub async fn claims(&self) -> Claims {
        self.shared.tokens.get(None).await.map(|token| Claims::of(token.secret())).unwrap_or_default()
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

    async fn send(&self, request: &Request, expected: Expected) -> Result<Page, Error> {
        let Shared { turns, counters, .. } = &*self.shared;
        let mut waits = self.shared.waits();
        let scope = request.scope();
        let mut sending = Sending { request, expected, work: &self.work, attempts: 0, id: None };
        loop {
            let asked_at = Instant::now();
            let turn = match turns.take(scope, self.work.urgency()).await {
                Ok(turn) => turn,
                Err(wait) => return Err(sending.error(Cause::Closed(wait))),
            };
            trace!("{request}: its turn came after {} ms", asked_at.elapsed().as_millis());
            let cause = match self.shared.try_with_token(&mut sending).await {
                Ok(page) => {
                    if self.work.opens {
                        self.shared.size.store(self.work.size.load(Ordering::Relaxed), Ordering::Relaxed);
                    }
                    return Ok(page);
                }
                Err(cause) => cause,
            };
            let throttled = match &cause {
                Cause::Refused(Refusal { status: 429, retry_after, .. }) => Some(*retry_after),
                _ => None,
            };
            if let Some(retry_after) = throttled {
                counters.throttled(scope.class());
                self.work.tell(WorkEvent::Throttled);
                turns.throttled(scope, retry_after);
            }
            // Whoever is next knows of it.
            drop(turn);
            let wait = match verdict(&cause) {
                Verdict::Retry => waits.next(&cause, Instant::now()),
                Verdict::RetryOnce if sending.attempts == 1 => waits.next(&cause, Instant::now()),
                _ => None,
            };
            let Some(wait) = wait else { return Err(sending.error(cause)) };
            debug!("{request}: {}; trying again in {:.1} s", WithId(&cause, sending.id), wait.as_secs_f64());
            let _held_up = throttled.map(|_| self.work.hold_up(wait));
            tokio::time::sleep(wait).await;
        }
    }
}

impl Shared {
    fn waits(&self) -> Waits {
        // Graph's time goes as fast as the pace.
        let throttled = self.limits.throttled.mul_f64(self.first_wait.as_secs_f64());
        Waits::new(self.first_wait, Limits { throttled, ..self.limits })
    }

    /// Tries once, and at once again with a fresh token if Graph does not accept the one there is.
    async fn try_with_token(&self, sending: &mut Sending<'_>) -> Result<Page, Cause> {
        let mut refused = None;
        loop {
            sending.attempts += 1;
            let token = self.tokens.get(refused.as_ref()).await.map_err(Cause::SignIn)?;
            match self.attempt(sending, &token).await {
                Err(cause) if verdict(&cause) == Verdict::RefreshToken && refused.is_none() => refused = Some(token),
                result => return result,
            }
        }
    }

    async fn attempt(&self, sending: &mut Sending<'_>, token: &Token) -> Result<Page, Cause> {
        let Sending { expected, work, .. } = *sending;
        let asked = Utc::now();
        let Answer { status, headers, body } = self.exchange(sending, token).await?;
        let date = AnswerDate::new(date(&headers), asked);
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(date);
        if !status.is_success() {
            // A refusal is one whatever has become of its body.
            let body = body.map(|(body, _)| body).unwrap_or_default();
            let mut refusal = refusal(status.as_u16(), &headers, date, &body, &self.secrets);
            if refusal.status == 403 {
                refusal.claims = Some(Box::new(Claims::of(token.secret())));
            }
            return Err(Cause::Refused(refusal));
        }
        // A part of a page, as caches and proxies give it, says nothing of the rest.
        if status == StatusCode::PARTIAL_CONTENT {
            return Err(Cause::Malformed("it is a part of a page (status 206)".to_owned()));
        }
        let (body, mut held) = body?;
        work.size.store(body.len(), Ordering::Relaxed);
        let (text, cleaned) = text::decode(body).ok_or_else(|| Cause::Malformed("it is no text in UTF-8".to_owned()))?;
        let page = Page::parse(text, cleaned, expected, &self.host, &self.secrets, date).map_err(|malformed| match malformed {
            Malformed::Body(text) => Cause::Malformed(text),
            Malformed::ForeignLink(place) => Cause::ForeignLink(quotable(&place, &self.secrets)),
        })?;
        held.add(page.bytes_of_index()).await;
        Ok(page.holding(held))
    }

    /// Sends a request, with an id of its own, and reads the answer.
    async fn exchange(&self, sending: &mut Sending<'_>, token: &Token) -> Result<Answer, Cause> {
        let Sending { request, work, .. } = *sending;
        let (id, client, mut patience, mut has_left) = (Uuid::new_v4(), self.way.client(), self.patience, true);
        let to_send = self.authorized(&client, request, token)?.header(CLIENT_REQUEST_ID, id.to_string()).send();
        self.counters.sent(request.scope().class());
        work.tell(WorkEvent::Sent);
        let began = Instant::now();
        let response = patience.wait(async { to_send.await.inspect_err(|error| has_left = !error.is_connect()) }).await;
        // What could not be sent is known to nobody.
        sending.id = has_left.then_some(id);
        let answer = match response {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                let body = self.read(response, &mut patience, work.size.load(Ordering::Relaxed)).await;
                Ok(Answer { status, headers, body })
            }
            Err(text) => Err(Cause::Transport(format!("{}: {}", self.host, quotable(&text, &self.secrets)))),
        };
        if patience.is_over() || matches!(answer, Ok(Answer { status: StatusCode::MISDIRECTED_REQUEST, .. })) {
            self.way.renew(&client);
        }
        let took = began.elapsed();
        self.counters.took(request.scope().class(), took);
        if let Ok(Answer { status, body, .. }) = &answer {
            let bytes = body.as_ref().map_or(0, |(body, _)| body.len());
            debug!("{request}: {} in {} ms, {bytes} bytes", status.as_u16(), took.as_millis());
        }
        answer
    }

    fn authorized(&self, client: &reqwest::Client, request: &Request, token: &Token) -> Result<reqwest::RequestBuilder, Cause> {
        let url = self.host.url(request.path_and_query()).ok_or_else(|| Cause::Malformed("a link that is no path of Graph".to_owned()))?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.secret()))
            .map_err(|_| Cause::Malformed("the sign-in service gave a token that fits into no header".to_owned()))?;
        authorization.set_sensitive(true);
        Ok(client.get(url).header(AUTHORIZATION, authorization).header(ACCEPT_ENCODING, "gzip"))
    }

    /// Reads a body as fast as there is room for it. Compressed bodies do not announce their size: it is expected to be that of another. Of a
    /// refusal no more is read than anybody says of one.
    async fn read(&self, response: reqwest::Response, patience: &mut Patience, expected: usize) -> Result<(Vec<u8>, Held), Cause> {
        let is_refusal = !response.status().is_success();
        let (most, expected) = if is_refusal { (REFUSAL, 0) } else { (self.limits.body, expected) };
        let (mut held, mut body) = (self.bodies.hold(), Vec::new());
        let mut decoded = decoded(response).map_err(|reason| Cause::Malformed(reason.to_owned()))?;
        loop {
            // What waits for room is not late.
            held.reserve(&mut body, 1, expected).await;
            let mut part = (&mut body).limit(STEP);
            if patience.wait(decoded.read_buf(&mut part)).await.map_err(|text| Cause::Transport(quotable(&text, &self.secrets)))? == 0 {
                return Ok((body, held));
            }
            if body.len() > most {
                return if is_refusal { Ok((body, held)) } else { Err(Cause::TooLarge(most)) };
            }
        }
    }
}

impl Work {
    fn urgency(&self) -> Urgency {
        *self.urgency.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells that Graph holds the work up, and that it goes on when what is given is dropped.
    fn hold_up(&self, wait: Duration) -> impl Drop {
        self.tell(WorkEvent::HeldUp(wait));
        GoesOn(self)
    }

    fn tell(&self, event: WorkEvent) {
        if let Some(tell) = &self.tell {
            tell(event);
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Work").field("urgency", &self.urgency).finish_non_exhaustive()
    }
}

struct GoesOn<'w>(&'w Work);

impl Drop for GoesOn<'_> {
    fn drop(&mut self) {
        self.0.tell(WorkEvent::GoesOn);
    }
}
