//! Gets tokens with the OAuth 2.0 client credentials flow, and caches them until shortly before they expire (graph.md 1).

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
        error::SignInFailure,
        http::Connection,
        pace::counts::Counters,
        response::{Timeout, date, decoded, json, quotable, retry_after, text},
        retry::{FailureAction, action_for_status},
    },
    secrets::Secrets,
};

/// Maximum response size in bytes. The token endpoint sends a few kilobytes.
const MAX_BODY: usize = 1024 * 1024;

/// A token is renewed this long before it expires, or after half its lifetime if that is later.
const RENEWAL_MARGIN: Duration = Duration::from_secs(300);

/// An application's credentials.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Id or verified domain of the Microsoft Entra tenant.
    pub tenant_id: String,
    /// Application (client) id.
    pub client_id: String,
    /// The value of a client secret.
    pub client_secret: SecretString,
    /// The URL at which an administrator of the tenant grants consent.
    pub consent: String,
}

impl Credentials {
    fn mixups(&self) -> Vec<Mixup> {
        let is_id = |text: &str| text.len() == 36 && Uuid::try_parse(text).is_ok();
        let Self { tenant_id, client_id, client_secret, .. } = self;
        let (tenant_is_id, client_is_id) = (is_id(tenant_id), is_id(client_id));
        let found = [
            (Mixup::SecretIsId, is_id(client_secret.expose_secret())),
            (Mixup::Swapped, tenant_is_id && !client_is_id && client_id.contains('.')),
            (Mixup::SameIds, client_is_id && tenant_id.eq_ignore_ascii_case(client_id)),
            (Mixup::ClientIdIsNotAGuid, !client_is_id),
        ];
        found.into_iter().filter_map(|(mixup, applies)| applies.then_some(mixup)).collect()
    }
}

/// Provides tokens for one application in one tenant.
#[derive(Debug)]
pub(in crate::graph) struct TokenSource {
    connection: Arc<Connection>,
    timeout: Timeout,
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

/// A response from the token endpoint.
struct TokenResponse {
    status: StatusCode,
    /// The time according to the service's clock.
    date: DateTime<Utc>,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

/// The result of the last token request.
#[derive(Debug, Default)]
struct Last {
    token: Option<Token>,
    refusal: Option<(Instant, SignInFailure)>,
}

/// A token that cannot be printed.
#[derive(Clone, Debug)]
pub(in crate::graph) struct Token {
    value: SecretString,
    renew_at: Instant,
}

impl Token {
    fn new(Grant { token, lifetime }: Grant, requested_at: Instant) -> Self {
        let renew_after = lifetime.saturating_sub(RENEWAL_MARGIN).max(lifetime / 2);
        let renew_at = requested_at.checked_add(renew_after).unwrap_or(requested_at + RENEWAL_MARGIN);
        Self { value: token, renew_at }
    }

    pub(in crate::graph) fn secret(&self) -> &str {
        self.value.expose_secret()
    }
}

impl SignInFailure {
    /// Returns this refusal to another caller, or [`None`] if a new request may succeed. A wrong secret stays wrong, so it is not sent again.
    /// Callers that waited for the same request, or arrive before `Retry-After` has passed, share its result.
    fn applies_to(&self, refused_at: Instant, requested_at: Instant) -> Option<Self> {
        if !self.transient || refused_at >= requested_at {
            return Some(self.clone());
        }
        let until = refused_at.checked_add(self.retry_after?)?;
        let wait = until.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())?;
        Some(Self { retry_after: Some(wait), ..self.clone() })
    }
}

impl TokenSource {
    pub(in crate::graph) fn new(
        connection: Arc<Connection>,
        timeout: Timeout,
        url: Url,
        scope: String,
        credentials: &Credentials,
        secrets: Secrets,
        counters: Arc<Counters>,
    ) -> Self {
        let Credentials { client_id, client_secret: secret, consent, .. } = credentials.clone();
        let application = Arc::new(Application { mixups: credentials.mixups(), consent });
        secrets.add(secret.expose_secret());
        Self { connection, timeout, url, client_id, secret, secrets, scope, application, last: Mutex::default(), counters }
    }

    /// The current token, or a new one if the current one expires soon or was `rejected` by Graph.
    pub(in crate::graph) async fn get(&self, rejected: Option<&Token>) -> Result<Token, SignInFailure> {
        let requested_at = Instant::now();
        // Locked during the request, so that concurrent callers share its result.
        let mut last = self.last.lock().await;
        if let Some(token) = &last.token
            && Instant::now() < token.renew_at
            && rejected.is_none_or(|rejected| rejected.secret() != token.secret())
        {
            return Ok(token.clone());
        }
        if let Some((at, refusal)) = &last.refusal
            && let Some(refusal) = refusal.applies_to(*at, requested_at)
        {
            return Err(refusal);
        }
        *last = Last::default();
        let result = self.request().await;
        match &result {
            Ok(token) => last.token = Some(token.clone()),
            Err(refusal) => last.refusal = Some((Instant::now(), refusal.clone())),
        }
        result
    }

    /// Requests a token (graph.md 1.2).
    async fn request(&self) -> Result<Token, SignInFailure> {
        let requested_at = Instant::now();
        self.counters.count_sign_in();
        let (client, mut timeout) = (self.connection.client(), self.timeout);
        let response = self.exchange(&client, &mut timeout).await;
        if timeout.has_expired() || matches!(response, Ok(TokenResponse { status: StatusCode::MISDIRECTED_REQUEST, .. })) {
            self.connection.replace(&client);
        }
        self.parse(&response?).map(|grant| Token::new(grant, requested_at))
    }

    /// Sends the request and reads the response.
    async fn exchange(&self, client: &reqwest::Client, timeout: &mut Timeout) -> Result<TokenResponse, SignInFailure> {
        let request = client.post(self.url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        // Without this header, the server may use any compression.
        let request = request.header(ACCEPT_ENCODING, "gzip").body(self.form());
        let transport =
            |text: String| temporary_refusal(format!("the sign-in service {}: {}", self.origin(), quotable(&text, &self.secrets)));
        let response = timeout.wait(request.send()).await.map_err(transport)?;
        let (status, headers) = (response.status(), response.headers());
        let date = date(headers).unwrap_or_else(Utc::now);
        let retry_after = retry_after(headers, date);
        let malformed = |reason| temporary_refusal(format!("the sign-in service {} returned no token: {reason}", self.origin()));
        let (mut decoded, mut body) = (decoded(response).map_err(malformed)?, Vec::new());
        while timeout.wait(decoded.read_buf(&mut body)).await.map_err(transport)? > 0 {
            if body.len() > MAX_BODY {
                return Err(temporary_refusal(format!(
                    "the response from the sign-in service {} is larger than {} MiB",
                    self.origin(),
                    MAX_BODY >> 20
                )));
            }
        }
        Ok(TokenResponse { status, date, retry_after, body })
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

    fn parse(&self, response: &TokenResponse) -> Result<Grant, SignInFailure> {
        if !response.status.is_success() {
            return Err(self.sign_in_refusal(response));
        }
        let grant = Grant::parse(&response.body, response.date);
        let grant = grant.ok_or_else(|| temporary_refusal(format!("the sign-in service {} returned no token", self.origin())))?;
        self.secrets.add_token(grant.token.expose_secret());
        Ok(grant)
    }

    #[cfg(feature = "fuzzing")]
    pub(in crate::graph) fn read(&self, status: StatusCode, body: &[u8]) -> Result<Token, SignInFailure> {
        let response = TokenResponse { status, date: Utc::now(), retry_after: None, body: body.to_vec() };
        self.parse(&response).map(|grant| Token::new(grant, Instant::now()))
    }

    /// Parses an error response.
    fn sign_in_refusal(&self, TokenResponse { status, retry_after, body, .. }: &TokenResponse) -> SignInFailure {
        // Clients should rely on `error` for decisions; the codes are only for messages.
        let body = json(body);
        let (error, description) = (text(&body["error"]), text(&body["error_description"]));
        let codes = codes(&body["error_codes"], &description);
        let is_busy = error == "temporarily_unavailable" || codes.iter().any(|code| TRANSIENT.contains(code));
        // The first line is for users, the others for Microsoft support.
        let first_line = quotable(description.lines().next().unwrap_or_default(), &self.secrets);
        let description =
            if first_line.is_empty() { format!("the sign-in service {} returned {status}", self.origin()) } else { first_line };
        SignInFailure {
            status: Some(status.as_u16()),
            transient: is_busy || action_for_status(status.as_u16()) == FailureAction::Retry,
            error: quotable(&error, &self.secrets),
            description,
            codes,
            application: self.application.clone(),
            retry_after: *retry_after,
        }
    }
}

/// The AADSTS codes of an error: those in `error_codes`, and the one in its description, which gateways preserve.
fn codes(listed: &Value, description: &str) -> Vec<u64> {
    let listed = listed.as_array().into_iter().flatten().filter_map(|code| text(code).parse().ok());
    let digits = |rest: &str| rest.split(|char: char| !char.is_ascii_digit()).next().and_then(|code| code.parse().ok());
    let described = description.split_once("AADSTS").and_then(|(_, rest)| digits(rest));
    let mut codes: Vec<u64> = listed.chain(described).collect();
    codes.dedup();
    codes
}

/// The refusal if there was no usable response. A later request may succeed.
fn temporary_refusal(description: String) -> SignInFailure {
    SignInFailure { description, transient: true, ..SignInFailure::default() }
}

/// The AADSTS codes of a service that is busy or has timed out (graph.md 1.4).
const TRANSIENT: [u64; 6] = [90006, 90012, 90024, 90033, 90055, 90090];
