//! Tokens: OAuth 2.0 client credentials, kept until shortly before their end, one refresh at a time (graph.md 1).

use std::{
    fmt,
    time::{Duration, Instant},
};

use oauth2::{
    AccessToken, AuthType, ClientId, ClientSecret, ErrorResponse, RequestTokenError, Scope, TokenResponse, TokenUrl,
    basic::{BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenResponse},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{
    answer::{PATIENCE, describe, retry_after},
    error::SignInRefusal,
};

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
    http: reqwest::Client,
    entra: EntraClient,
    scope: Scope,
    current: Mutex<Option<Token>>,
}

/// A token that cannot be printed: the type of `oauth2` redacts itself.
#[derive(Clone, Debug)]
pub(super) struct Token {
    value: AccessToken,
    renew_at: Instant,
}

impl Token {
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

impl TokenSource {
    /// `token_url` is the endpoint of the tenant, `scope` the Graph host with `/.default`.
    pub(super) fn new(http: reqwest::Client, token_url: &url::Url, scope: String, credentials: &Credentials) -> Self {
        let entra = oauth2::Client::new(ClientId::new(credentials.client_id.clone()))
            .set_client_secret(ClientSecret::new(credentials.client_secret.expose_secret().to_owned()))
            .set_auth_type(AuthType::RequestBody)
            .set_token_uri(TokenUrl::from_url(token_url.clone()));
        Self { http, entra, scope: Scope::new(scope), current: Mutex::new(None) }
    }

    /// The current token, or a new one if it ends soon or is the one that was `refused`.
    pub(super) async fn get(&self, refused: Option<&Token>) -> Result<Token, SignInRefusal> {
        // Held across the request: whoever comes meanwhile waits for its result instead of asking again.
        let mut current = self.current.lock().await;
        if let Some(token) = &*current
            && Instant::now() < token.renew_at
            && refused.is_none_or(|refused| refused.secret() != token.secret())
        {
            return Ok(token.clone());
        }
        *current = None;
        let token = self.request().await?;
        *current = Some(token.clone());
        Ok(token)
    }

    async fn request(&self) -> Result<Token, SignInRefusal> {
        let http = self.http.clone();
        let send = move |request| send(http.clone(), request);
        let asked_at = Instant::now();
        let response =
            self.entra.exchange_client_credentials().add_scope(self.scope.clone()).request_async(&send).await.map_err(refusal)?;
        let life = response.expires_in().unwrap_or(MARGIN);
        Ok(Token { value: response.access_token().clone(), renew_at: asked_at + life.saturating_sub(MARGIN).max(life / 2) })
    }
}

async fn send(http: reqwest::Client, request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, NoAnswer> {
    let no_answer =
        |error: reqwest::Error| NoAnswer(SignInRefusal { description: describe(&error), transient: true, ..SignInRefusal::default() });
    let mut request = reqwest::Request::try_from(request).map_err(no_answer)?;
    *request.timeout_mut() = Some(PATIENCE);
    let response = http.execute(request).await.map_err(no_answer)?;
    let status = response.status();
    if status.as_u16() == 429 || status.is_server_error() {
        return Err(NoAnswer(SignInRefusal {
            status: Some(status.as_u16()),
            description: format!("the sign-in service answered {status}"),
            retry_after: retry_after(response.headers(), chrono::Utc::now()),
            transient: true,
            ..SignInRefusal::default()
        }));
    }
    let body = response.bytes().await.map_err(no_answer)?;
    let mut answer = http::Response::new(body.to_vec());
    *answer.status_mut() = status;
    Ok(answer)
}

fn refusal(error: RequestTokenError<NoAnswer, EntraError>) -> SignInRefusal {
    match error {
        RequestTokenError::Request(NoAnswer(refusal)) => refusal,
        RequestTokenError::ServerResponse(EntraError { error, error_description, error_codes }) => SignInRefusal {
            transient: error == "temporarily_unavailable" || error_codes.iter().any(|code| TRANSIENT.contains(code)),
            status: Some(if error == "invalid_client" { 401 } else { 400 }),
            description: error_description.lines().next().unwrap_or_default().to_owned(),
            codes: error_codes,
            error,
            retry_after: None,
        },
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => SignInRefusal {
            description: "the answer of the sign-in service is neither a token nor an error of OAuth 2.0".to_owned(),
            transient: true,
            ..SignInRefusal::default()
        },
    }
}

/// AADSTS codes of a service that is busy or timed out (graph.md 1.4).
const TRANSIENT: [u64; 6] = [90006, 90012, 90024, 90033, 90055, 90090];
