//! The token endpoint (graph.md 1): exchanges client credentials for a token, or returns an AADSTS error.

use std::collections::HashMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::response::Response;
use crate::{
    encode::{base64, form_decode, guid, is_guid},
    options::Credentials,
    switches::{Switches, TokenExpiry},
    time::Time,
};

/// The hosts of graph.md 1.1. Scopes may name them or the simulator.
const GRAPH_HOSTS: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

/// The tokens issued so far.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    issued: HashMap<String, Token>,
    first: String,
    last: String,
    count: u64,
    /// The permissions of new tokens. Issued tokens keep theirs (graph.md 1.3).
    pub(crate) roles: Vec<String>,
}

#[derive(Clone, Debug)]
struct Token {
    expires: Time,
    roles: Vec<String>,
}

impl Tokens {
    pub(crate) fn new(roles: Vec<String>) -> Tokens {
        Tokens { roles, ..Tokens::default() }
    }

    /// Makes all tokens issued so far expire now.
    pub(crate) fn expire(&mut self) {
        self.issued.values_mut().for_each(|token| token.expires = Time::MIN);
    }

    /// The first and the last issued token, or empty strings.
    pub(crate) fn first_and_last(&self) -> [String; 2] {
        [self.first.clone(), self.last.clone()]
    }

    /// The roles of the token in an `Authorization` header, or 401 (graph.md 5.2).
    pub(crate) fn check(&self, authorization: Option<&str>, now: Time) -> Result<Vec<String>, Response> {
        let refuse = |message: &str| Response::error(401, "InvalidAuthenticationToken", message);
        let Some(token) = authorization.and_then(|header| header.strip_prefix("Bearer ")) else {
            return Err(refuse("Access token is empty."));
        };
        match self.issued.get(token) {
            None => Err(refuse("CompactToken parsing failed with error code: 80049217")),
            Some(token) if token.expires <= now => Err(refuse("CompactToken validation failed with reason code: 80049228.")),
            Some(token) => Ok(token.roles.clone()),
        }
    }

    fn issue(&mut self, credentials: &Credentials, switches: &Switches, now: Time) -> String {
        self.count += 1;
        let expires = now.plus(std::time::Duration::from_secs(switches.token_lifetime));
        let id = guid(now.ticks() as u64, self.count);
        let text = if switches.opaque_tokens {
            format!("EwB{}", base64(format!("{id}{}", "opaque".repeat(20)).as_bytes()))
        } else {
            let mut claims = json!({
                "aud": "https://graph.microsoft.com",
                "iss": format!("https://sts.windows.net/{}/", credentials.tenant_id),
                "iat": now.secs(), "nbf": now.secs(), "exp": expires.secs(),
                "app_displayname": "graph-sim", "appid": credentials.client_id, "idtyp": "app",
                "tid": credentials.tenant_id, "uti": id.to_string(), "ver": "1.0",
            });
            if let (Value::Object(claims), false) = (&mut claims, self.roles.is_empty()) {
                claims.insert("roles".to_owned(), json!(self.roles));
            }
            let header = base64(json!({ "typ": "JWT", "alg": "RS256", "kid": "sim" }).to_string().as_bytes());
            format!("{header}.{}.{}", base64(claims.to_string().as_bytes()), base64(id.to_string().repeat(8).as_bytes()))
        };
        if self.first.is_empty() {
            self.first.clone_from(&text);
        }
        self.last.clone_from(&text);
        self.issued.insert(text.clone(), Token { expires, roles: self.roles.clone() });
        text
    }
}

pub(crate) struct TokenRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

pub(crate) fn token(
    request: &TokenRequest<'_>,
    tokens: &mut Tokens,
    credentials: &Credentials,
    switches: &Switches,
    graph_url: &str,
    now: Time,
) -> Response {
    match check(request, credentials, graph_url) {
        Err(code) => aadsts(code, now),
        Ok(()) => {
            let access_token = tokens.issue(credentials, switches, now);
            let lifetime = switches.token_lifetime;
            let (name, expiry) = match switches.token_expiry {
                TokenExpiry::Number => ("expires_in", json!(lifetime)),
                TokenExpiry::Text => ("expires_in", json!(lifetime.to_string())),
                TokenExpiry::Float => ("expires_in", json!(lifetime as f64)),
                TokenExpiry::On => ("expires_on", json!(now.secs() + lifetime as i64)),
                TokenExpiry::OnText => ("expires_on", json!((now.secs() + lifetime as i64).to_string())),
            };
            let body = json!({ "token_type": "Bearer", name: expiry, "ext_expires_in": lifetime, "access_token": access_token });
            login_headers(Response::bytes(200, "application/json; charset=utf-8", body.to_string().into_bytes()))
        }
    }
}

/// Validates the request. The error is an AADSTS code.
fn check(request: &TokenRequest<'_>, credentials: &Credentials, graph_url: &str) -> Result<(), u32> {
    let tenant = request.path.trim_start_matches('/').split('/').next().unwrap_or_default();
    if tenant.is_empty() {
        return Err(50059);
    }
    let known = tenant.eq_ignore_ascii_case(&credentials.tenant_id) || tenant == credentials.domain;
    if !known {
        return Err(if is_guid(tenant) || tenant.contains('.') { 90002 } else { 900_023 });
    }
    let is_form = request.content_type.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if request.method != "POST" || !is_form {
        return Err(900_144);
    }
    let text = String::from_utf8_lossy(request.body);
    let form: HashMap<String, String> =
        text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (form_decode(name), form_decode(value))).collect();
    let (basic_id, basic_secret) = request.authorization.and_then(basic).unzip();
    let grant_type = form.get("grant_type").ok_or(900_144_u32)?;
    let client_id = form.get("client_id").or(basic_id.as_ref()).ok_or(900_144_u32)?;
    let scope = form.get("scope").ok_or(900_144_u32)?;
    if grant_type != "client_credentials" {
        return Err(70003);
    }
    if !client_id.eq_ignore_ascii_case(&credentials.client_id) {
        return Err(700_016);
    }
    let Some(resource) = scope.strip_suffix("/.default").filter(|resource| !resource.contains(' ')) else { return Err(70011) };
    if resource != graph_url && !GRAPH_HOSTS.contains(&resource) {
        return Err(500_011);
    }
    match form.get("client_secret").or(basic_secret.as_ref()) {
        Some(secret) if *secret == credentials.client_secret => Ok(()),
        Some(_) => Err(7_000_215),
        None if form.contains_key("client_assertion") => Err(700_027),
        None => Err(7_000_218),
    }
}

/// The client id and secret of HTTP Basic authentication, each form-encoded (RFC 6749, 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((form_decode(id), form_decode(secret)))
}

/// The status, `error` and text of each code in graph.md 1.4. Where graph.md has no `error`, it is the OAuth error of that kind.
fn describe(code: u32) -> (u16, &'static str, &'static str) {
    match code {
        700_016 => (400, "unauthorized_client", "Application with identifier was not found in the directory."),
        7_000_215 => (
            401,
            "invalid_client",
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
        ),
        7_000_222 => (
            401,
            "invalid_client",
            "The provided client secret keys for app are expired. Visit the Azure portal to create new keys for your app.",
        ),
        90002 => (
            400,
            "invalid_request",
            "Tenant not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
        ),
        900_023 => (400, "invalid_request", "Specified tenant identifier is neither a valid DNS name, nor a valid external domain."),
        50059 => (
            400,
            "invalid_request",
            "No tenant-identifying information found in either the request or implied by any provided credentials.",
        ),
        7_000_216 => {
            (401, "invalid_client", "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")
        }
        7_000_218 => {
            (401, "invalid_client", "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
        }
        70003 => (400, "unsupported_grant_type", "The app requested an unsupported grant type."),
        70011 => (
            400,
            "invalid_scope",
            "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid.",
        ),
        900_144 | 90014 => (400, "invalid_request", "The request body must contain a required parameter that is missing."),
        70001 | 700_011 => (400, "unauthorized_client", "Application was not found in the directory or is disabled."),
        // Not in graph.md: Microsoft's page "Error AADSTS7000112 - Application is disabled" (troubleshoot-entra).
        7_000_112 => (400, "unauthorized_client", "Application is disabled."),
        // The following are not in graph.md's table of statuses; the texts are from public issues.
        7_000_229 => (401, "invalid_client", "The client application is missing service principal in the tenant."),
        7_000_232 => (401, "invalid_client", "The application is a managed identity, for which a client secret is not supported."),
        5_000_224 => (400, "invalid_request", "We are sorry, this resource is not available."),
        5_000_225 => (400, "invalid_request", "This tenant has been blocked due to inactivity."),
        700_025 => (401, "invalid_client", "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."),
        700_024 => (401, "invalid_client", "Client assertion is not within its valid time range."),
        700_027 | 50012 => (401, "invalid_client", "Client assertion failed signature validation."),
        700_030 => (401, "invalid_client", "Invalid certificate - subject name in certificate is not authorized."),
        500_011 => (400, "invalid_resource", "The resource principal was not found in the tenant."),
        53003 => (
            400,
            "invalid_grant",
            "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        ),
        90038 | 900_382 | 900_432 => (400, "invalid_request", "Confidential Client is not supported in Cross Cloud request."),
        90055 => (429, "temporarily_unavailable", "Tenant throttled: there are too many incoming requests."),
        90006 | 90012 | 90024 | 90033 | 90090 => {
            (503, "temporarily_unavailable", "The service is temporarily unavailable. Please retry later.")
        }
        _ => (400, "invalid_request", "The request is not valid."),
    }
}

/// The error response of graph.md 1.4.
pub(crate) fn aadsts(code: u32, now: Time) -> Response {
    let (status, error, text) = describe(code);
    let (trace, correlation) = (guid(now.ticks() as u64, 3), guid(now.ticks() as u64, 4));
    let timestamp = format!("{}Z", now.zoneless().replace('T', " "));
    let body = json!({
        "error": error,
        "error_description": format!("AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {timestamp}"),
        "error_codes": [code],
        "timestamp": timestamp,
        "trace_id": trace.to_string(),
        "correlation_id": correlation.to_string(),
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    login_headers(Response::bytes(status, "application/json; charset=utf-8", body.to_string().into_bytes()))
}

fn login_headers(response: Response) -> Response {
    response.header("Cache-Control", "no-store, no-cache").header("Pragma", "no-cache").header("Expires", "-1")
}
