//! Tokens: OAuth 2.0 client credentials, kept until shortly before their end, one refresh at a time (graph.md 1).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use http::{
    StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::{io::AsyncReadExt, sync::Mutex};
use url::{Url, form_urlencoded};
use uuid::Uuid;

use super::{
    application::{Application, Mixup},
    grant::Grant,
};
use crate::{
    graph::{
        answer::{Patience, date, decoded, json, quotable, retry_after, text},
        error::SignInRefusal,
        http::Way,
        pace::counts::Counters,
        retry::{Verdict, of_status},
    },
    secrets::Secrets,
};

/// What the token endpoint answers is a few kilobytes: more is none of it.
const MAX_BODY: usize = 1024 * 1024;

/// A token is renewed this long before it ends, or at half its life if that is shorter.
const MARGIN: Duration = Duration::from_secs(300);

/// What an application signs in with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Id or verified domain of the Microsoft Entra tenant.
    pub tenant_id: String,
    /// Application (client) id.
    pub client_id: String,
    /// The value of a client secret.
    pub client_secret: SecretString,
    /// Where an administrator of the tenant consents to what the application asks for.
    pub consent: String,
}

impl Credentials {
    /// All that is in the wrong place.
    fn mixups(&self) -> Vec<Mixup> {
        let is_id = |text: &str| text.len() == 36 && Uuid::try_parse(text).is_ok();
        let Self { tenant_id, client_id, client_secret, .. } = self;
        let (tenant_is_id, client_is_id) = (is_id(tenant_id), is_id(client_id));
        let found = [
            (Mixup::SecretIsId, is_id(client_secret.expose_secret())),
            (Mixup::Swapped, tenant_is_id && !client_is_id && client_id.contains('.')),
            (Mixup::SameIds, client_is_id && tenant_id.eq_ignore_ascii_case(client_id)),
            (Mixup::ClientIsNoId, !client_is_id),
        ];
        found.into_iter().filter_map(|(mixup, is_so)| is_so.then_some(mixup)).collect()
    }
}

/// The source of tokens for one application in one tenant.
#[derive(Debug)]
pub(in crate::graph) struct TokenSource {
    way: Arc<Way>,
    patience: Patience,
    /// The token endpoint of the tenant.
    url: Url,
    client_id: String,
    secret: SecretString,
    secrets: Secrets,
    /// The Graph host with `/.default`.
    scope: String,
    application: Arc<Application>,
    last: Mutex<Last>,
    counters: Arc<Counters>,
}

/// Status, clock, wait and body of an answer.
type Exchanged = (StatusCode, DateTime<Utc>, Option<Duration>, Vec<u8>);

/// What the last request came to.
#[derive(Debug, Default)]
struct Last {
    token: Option<Token>,
    refusal: Option<(Instant, SignInRefusal)>,
}

/// A token that cannot be printed.
#[derive(Clone, Debug)]
pub(in crate::graph) struct Token {
    value: SecretString,
    renew_at: Instant,
}

impl Token {
    /// The token of an answer to a request that was sent at that time.
    fn of(Grant { token, lifetime }: Grant, asked_at: Instant) -> Self {
        let renew_at = asked_at.checked_add(lifetime.saturating_sub(MARGIN).max(lifetime / 2)).unwrap_or(asked_at + MARGIN);
        Self { value: token, renew_at }
    }

    pub(in crate::graph) fn secret(&self) -> &str {
        self.value.expose_secret()
    }
}

impl SignInRefusal {
    /// What this refusal, given at that time, is to whoever has asked at the other; [`None`] if another request may come to something else:
    /// neither does a wrong secret become right, nor is a service that wants to be left alone asked by everybody in turn.
    fn still(&self, given_at: Instant, asked_at: Instant) -> Option<Self> {
        if !self.transient || given_at >= asked_at {
            return Some(self.clone());
        }
        let until = given_at.checked_add(self.retry_after?)?;
        let wait = until.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())?;
        Some(Self { retry_after: Some(wait), ..self.clone() })
    }
}

impl TokenSource {
    /// `url` is the token endpoint of the tenant, `scope` the Graph host with `/.default`.
    pub(in crate::graph) fn new(
        way: Arc<Way>,
        patience: Patience,
        url: Url,
        scope: String,
        credentials: &Credentials,
        secrets: Secrets,
        counters: Arc<Counters>,
    ) -> Self {
        let Credentials { client_id, client_secret: secret, consent, .. } = credentials.clone();
        let application = Arc::new(Application { mixups: credentials.mixups(), consent });
        secrets.add(secret.expose_secret());
        Self { way, patience, url, client_id, secret, secrets, scope, application, last: Mutex::default(), counters }
    }

    /// The current token, or a new one if it ends soon or is the one that was `refused`.
    pub(in crate::graph) async fn get(&self, refused: Option<&Token>) -> Result<Token, SignInRefusal> {
        let asked_at = Instant::now();
        // Held across the request: whoever comes meanwhile waits for its result instead of asking again.
        let mut last = self.last.lock().await;
        if let Some(token) = &last.token
            && Instant::now() < token.renew_at
            && refused.is_none_or(|refused| refused.secret() != token.secret())
        {
            return Ok(token.clone());
        }
        if let Some((at, refusal)) = &last.refusal
            && let Some(still) = refusal.still(*at, asked_at)
        {
            return Err(still);
        }
        *last = Last::default();
        let result = self.request().await;
        match &result {
            Ok(token) => last.token = Some(token.clone()),
            Err(refusal) => last.refusal = Some((Instant::now(), refusal.clone())),
        }
        result
    }

    /// Asks for a token (graph.md 1.2).
    async fn request(&self) -> Result<Token, SignInRefusal> {
        let asked_at = Instant::now();
        self.counters.sign_in();
        let (client, mut patience) = (self.way.client(), self.patience);
        let answer = self.exchange(&client, &mut patience).await;
        if patience.is_over() || matches!(answer, Ok((StatusCode::MISDIRECTED_REQUEST, ..))) {
            self.way.renew(&client);
        }
        let (status, now, wait, body) = answer?;
        self.answer(status, now, wait, &body).map(|grant| Token::of(grant, asked_at))
    }

    /// Sends the request, and reads the answer: its status, the service's clock, how long it asks to wait, and its body.
    async fn exchange(&self, client: &reqwest::Client, patience: &mut Patience) -> Result<Exchanged, SignInRefusal> {
        let request = client.post(self.url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        // Without a word of it any compression would be right.
        let request = request.header(ACCEPT_ENCODING, "gzip").body(self.form());
        let unreached = |text: String| lost(format!("the sign-in service {}: {}", self.origin(), quotable(&text, &self.secrets)));
        let response = patience.wait(request.send()).await.map_err(unreached)?;
        let (status, headers) = (response.status(), response.headers());
        let now = date(headers).unwrap_or_else(Utc::now);
        let wait = retry_after(headers, now);
        let damaged = |reason| lost(format!("the sign-in service {} answered without a token: {reason}", self.origin()));
        let (mut decoded, mut body) = (decoded(response).map_err(damaged)?, Vec::new());
        while patience.wait(decoded.read_buf(&mut body)).await.map_err(unreached)? > 0 {
            if body.len() > MAX_BODY {
                return Err(lost(format!("the answer of the sign-in service {} is larger than {} MiB", self.origin(), MAX_BODY >> 20)));
            }
        }
        Ok((status, now, wait, body))
    }

    fn form(&self) -> String {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", self.secret.expose_secret()),
            ("scope", &self.scope),
        ];
        form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
    }

    /// Scheme, host and port of the sign-in service.
    fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    fn answer(&self, status: StatusCode, now: DateTime<Utc>, wait: Option<Duration>, body: &[u8]) -> Result<Grant, SignInRefusal> {
        if !status.is_success() {
            return Err(self.refused(status, wait, body));
        }
        let grant = Grant::parse(body, now);
        let grant = grant.ok_or_else(|| lost(format!("the sign-in service {} answered without a token", self.origin())))?;
        self.secrets.add_token(grant.token.expose_secret());
        Ok(grant)
    }

    /// For fuzzing: what becomes of an answer.
    #[cfg(feature = "fuzzing")]
    pub(in crate::graph) fn read(&self, status: StatusCode, body: &[u8]) -> Result<Token, SignInRefusal> {
        self.answer(status, Utc::now(), None, body).map(|grant| Token::of(grant, Instant::now()))
    }

    /// What an answer says that is no success.
    fn refused(&self, status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> SignInRefusal {
        // Clients are asked to branch on `error`; the codes serve the messages.
        let body = json(body);
        let (error, description) = (text(&body["error"]), text(&body["error_description"]));
        let codes = codes(&body["error_codes"], &description);
        let is_busy = error == "temporarily_unavailable" || codes.iter().any(|code| TRANSIENT.contains(code));
        // The first line is for people, the others are for Microsoft's support.
        let said = quotable(description.lines().next().unwrap_or_default(), &self.secrets);
        let description = if said.is_empty() { format!("the sign-in service {} answered {status}", self.origin()) } else { said };
        SignInRefusal {
            status: Some(status.as_u16()),
            transient: is_busy || of_status(status.as_u16()) == Verdict::Retry,
            error: quotable(&error, &self.secrets),
            description,
            codes,
            application: self.application.clone(),
            retry_after,
        }
    }
}

/// The AADSTS codes of a refusal: those of the list, and the one that its description begins with, which gateways leave as it is.
fn codes(listed: &Value, description: &str) -> Vec<u64> {
    let listed = listed.as_array().into_iter().flatten().filter_map(|code| text(code).parse().ok());
    let digits = |rest: &str| rest.split(|char: char| !char.is_ascii_digit()).next().and_then(|code| code.parse().ok());
    let described = description.split_once("AADSTS").and_then(|(_, rest)| digits(rest));
    let mut codes: Vec<u64> = listed.chain(described).collect();
    codes.dedup();
    codes
}

/// No usable answer came; the next request may get one.
fn lost(description: String) -> SignInRefusal {
    SignInRefusal { description, transient: true, ..SignInRefusal::default() }
}

/// AADSTS codes of a service that is busy or timed out (graph.md 1.4).
const TRANSIENT: [u64; 6] = [90006, 90012, 90024, 90033, 90055, 90090];
