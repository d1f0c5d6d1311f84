//! Tokens: OAuth 2.0 client credentials, kept until shortly before their end, one refresh at a time (graph.md 1).

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use oauth2::{
    AccessToken, AuthType, ClientId, ClientSecret, ErrorResponse, RequestTokenError, Scope, TokenResponse, TokenUrl,
    basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenResponse},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    answer::{Patience, date, quotable, retry_after},
    counts::Counters,
    error::SignInRefusal,
    retry::{Verdict, of_status},
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
}

/// What stands in the wrong place, as far as its form tells: ids of applications are GUIDs, and values of secrets never.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mixup {
    /// The secret is an id.
    SecretIsId,
    /// The tenant's domain is where the application's id should be, and an id where the tenant should be.
    Swapped,
    /// Tenant and application have the same id.
    SameIds,
    /// The application's id is none.
    ClientIsNoId,
}

impl Credentials {
    /// All that is in the wrong place.
    fn mixups(&self) -> Vec<Mixup> {
        let is_id = |text: &str| text.len() == 36 && Uuid::try_parse(text).is_ok();
        let Self { tenant_id, client_id, client_secret } = self;
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

type EntraClient = oauth2::Client<
    EntraError,
    BasicTokenResponse,
    BasicTokenIntrospectionResponse,
    oauth2::StandardRevocableToken,
    BasicRevocationErrorResponse,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

/// The source of tokens for one application in one tenant.
#[derive(Debug)]
pub(super) struct TokenSource {
    endpoint: Endpoint,
    entra: EntraClient,
    scope: Scope,
    last: Mutex<Last>,
    counters: Arc<Counters>,
}

/// How the token endpoint is asked.
#[derive(Clone, Debug)]
struct Endpoint {
    http: reqwest::Client,
    patience: Patience,
    /// Scheme, host and port.
    origin: String,
    /// What must not be quoted.
    secret: SecretString,
    mixups: Vec<Mixup>,
}

/// What the last request came to.
#[derive(Debug, Default)]
struct Last {
    token: Option<Token>,
    refusal: Option<(Instant, SignInRefusal)>,
}

/// A token that cannot be printed: the type of `oauth2` redacts itself.
#[derive(Clone, Debug)]
pub(super) struct Token {
    value: AccessToken,
    renew_at: Instant,
}

impl Token {
    /// The token of an answer to what was asked at that time.
    fn of(answer: &BasicTokenResponse, asked_at: Instant) -> Self {
        let life = answer.expires_in().unwrap_or(MARGIN);
        let renew_at = asked_at.checked_add(life.saturating_sub(MARGIN).max(life / 2)).unwrap_or(asked_at + MARGIN);
        Self { value: answer.access_token().clone(), renew_at }
    }

    pub(super) fn secret(&self) -> &str {
        self.value.secret()
    }
}

/// The error body of the token endpoint. Clients are told to branch on `error`; the codes serve the messages.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct EntraError {
    error: String,
    error_description: String,
    error_codes: Vec<u64>,
}

impl ErrorResponse for EntraError {}

impl fmt::Display for EntraError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.error)
    }
}

/// What kept an answer of the token endpoint from being read as one.
#[derive(Debug)]
struct NoAnswer(SignInRefusal);

impl std::error::Error for NoAnswer {}

impl fmt::Display for NoAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
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
    /// `token_url` is the endpoint of the tenant, `scope` the Graph host with `/.default`.
    pub(super) fn new(
        http: reqwest::Client,
        patience: Patience,
        token_url: &url::Url,
        scope: String,
        credentials: &Credentials,
        counters: Arc<Counters>,
    ) -> Self {
        let secret = credentials.client_secret.clone();
        let entra = oauth2::Client::new(ClientId::new(credentials.client_id.clone()))
            .set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(token_url.clone()));
        let origin = token_url.origin().ascii_serialization();
        let (last, mixups) = (Mutex::default(), credentials.mixups());
        Self { endpoint: Endpoint { http, patience, origin, secret, mixups }, entra, scope: Scope::new(scope), last, counters }
    }

    /// The current token, or a new one if it ends soon or is the one that was `refused`.
    pub(super) async fn get(&self, refused: Option<&Token>) -> Result<Token, SignInRefusal> {
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

    async fn request(&self) -> Result<Token, SignInRefusal> {
        let endpoint = self.endpoint.clone();
        let send = move |request| endpoint.clone().send(request);
        let asked_at = Instant::now();
        self.counters.sign_in();
        let response = self.entra.exchange_client_credentials().add_scope(self.scope.clone()).request_async(&send).await;
        response.map(|response| Token::of(&response, asked_at)).map_err(|error| self.endpoint.refusal(error))
    }

    /// For fuzzing: what becomes of an answer.
    #[cfg(feature = "fuzzing")]
    pub(super) fn read(&self, status: http::StatusCode, body: &[u8]) -> Result<Token, SignInRefusal> {
        let send = |_| self.endpoint.answer(status, None, body.to_vec());
        let response = self.entra.exchange_client_credentials().request(&send);
        response.map(|response| Token::of(&response, Instant::now())).map_err(|error| self.endpoint.refusal(error))
    }
}

impl Endpoint {
    /// Sends a request and gives the answer to it.
    async fn send(self, request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, NoAnswer> {
        let lost = |description: String| NoAnswer(SignInRefusal { description, transient: true, ..SignInRefusal::default() });
        let request = reqwest::Request::try_from(request).map_err(|error| lost(error.without_url().to_string()))?;
        let mut patience = self.patience;
        let unreached = |text| lost(format!("the sign-in service {}: {text}", self.origin));
        let mut response = patience.wait(self.http.execute(request)).await.map_err(unreached)?;
        let (status, headers) = (response.status(), response.headers());
        let wait = retry_after(headers, date(headers).unwrap_or_else(chrono::Utc::now));
        let mut body = Vec::new();
        while let Some(chunk) = patience.wait(response.chunk()).await.map_err(unreached)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY {
                return Err(lost(format!("the answer of the sign-in service {} is larger than {} MiB", self.origin, MAX_BODY >> 20)));
            }
        }
        self.answer(status, wait, body)
    }

    /// An answer, if it may be a token.
    fn answer(&self, status: http::StatusCode, wait: Option<Duration>, body: Vec<u8>) -> Result<oauth2::HttpResponse, NoAnswer> {
        if !status.is_success() {
            return Err(NoAnswer(self.refused(status, wait, &body)));
        }
        let mut answer = http::Response::new(body);
        *answer.status_mut() = status;
        Ok(answer)
    }

    /// Why there is no token.
    fn refusal(&self, error: RequestTokenError<NoAnswer, EntraError>) -> SignInRefusal {
        match error {
            RequestTokenError::Request(NoAnswer(refusal)) => refusal,
            // Whatever it is: an answer that is no success has not come so far.
            RequestTokenError::ServerResponse(_) | RequestTokenError::Parse(..) | RequestTokenError::Other(_) => SignInRefusal {
                description: format!("the sign-in service {} answered without a token", self.origin),
                transient: true,
                ..SignInRefusal::default()
            },
        }
    }

    /// What an answer says that is no success.
    fn refused(&self, status: http::StatusCode, retry_after: Option<Duration>, body: &[u8]) -> SignInRefusal {
        let secret = self.secret.expose_secret();
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let EntraError { error, error_description, error_codes } = serde_json::from_slice(body).unwrap_or_default();
        let is_busy = error == "temporarily_unavailable" || error_codes.iter().any(|code| TRANSIENT.contains(code));
        // The first line is for people, the others are for Microsoft's support.
        let said = quotable(error_description.lines().next().unwrap_or_default(), &[secret, &encoded]);
        let description = if said.is_empty() { format!("the sign-in service {} answered {status}", self.origin) } else { said };
        SignInRefusal {
            status: Some(status.as_u16()),
            transient: is_busy || of_status(status.as_u16()) == Verdict::Retry,
            error: quotable(&error, &[secret, &encoded]),
            description,
            codes: error_codes,
            mixups: self.mixups.clone(),
            retry_after,
        }
    }
}

/// AADSTS codes of a service that is busy or timed out (graph.md 1.4).
const TRANSIENT: [u64; 6] = [90006, 90012, 90024, 90033, 90055, 90090];
