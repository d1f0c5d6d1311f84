//! The steps of a request: hook, fault, limits, token, permission, route; then the response and its entry in the journal.

use std::{
    future::pending,
    io::{self, Write as _},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use fastrand::Rng;
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt as _, Limited};
use hyper::{
    Request,
    body::Incoming,
    header::{HeaderMap, HeaderName, HeaderValue},
};

use super::{
    context::Context,
    login::{self, TokenRequest, Tokens},
    page, permission,
    query::Query,
    response::{JSON, Response, ResponseBody},
    routes::Route,
    transport::{Abort, BodyStream, Ending, huge},
};
use crate::{
    clock::Clock,
    encode::guid,
    faults::{Fault, Faults, LinkFault, RetryAfter},
    journal::{Class, Entry, Host, Ids, Journal, PageKind, RequestInfo},
    limits::{Limiter, Quota, Usage},
    options::{Credentials, Latency},
    tenant::Tenant,
    time::Time,
};

/// Called before the response to each Graph request is generated.
pub(crate) type Hook = Box<dyn FnMut(&RequestInfo, &mut Tenant) -> Option<Fault> + Send>;

/// The state that the listeners and the handle share.
pub(crate) struct Shared {
    pub(crate) tenant: RwLock<Tenant>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) journal: Mutex<Journal>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) limiter: Mutex<Limiter>,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) latency: Mutex<(Latency, Rng)>,
    pub(crate) hook: Mutex<Option<Hook>>,
    pub(crate) hooked: AtomicBool,
    pub(crate) credentials: Credentials,
    pub(crate) graph_url: String,
    pub(crate) gzip: bool,
    pub(crate) seed: u64,
    pub(crate) started: Instant,
}

/// The response before transport faults are applied.
struct Outcome {
    response: Response,
    fault: Option<Fault>,
}

impl Shared {
    pub(crate) fn tenant(&self) -> RwLockReadGuard<'_, Tenant> {
        self.tenant.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tenant_mut(&self) -> RwLockWriteGuard<'_, Tenant> {
        self.tenant.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles one request. An error makes hyper drop the connection.
    pub(crate) async fn handle(&self, host: Host, request: Request<Incoming>, abort: Abort) -> io::Result<hyper::Response<BodyStream>> {
        let arrival = Instant::now();
        let (parts, body) = request.into_parts();
        let (route, ids) = Route::find(parts.uri.path());
        let info = self.describe(host, route, ids, &parts);
        let at = self.clock.now();
        self.wait().await;
        let outcome = match host {
            Host::Login => {
                let body = Limited::new(body, 1 << 16).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                self.login(&info, &parts.headers, &body)
            }
            Host::Graph => self.graph(&info, route, &parts.headers),
            Host::Foreign => Outcome { response: Response::json(b"{\"value\":[]}".to_vec()), fault: None },
        };
        if let Some(Fault::Delay(millis)) = outcome.fault {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
        let fault = outcome.fault.clone();
        let (sent, bytes) = self.respond(outcome, &info, &parts.headers, abort.clone());
        let silent = matches!(fault, Some(Fault::Reset | Fault::Stall | Fault::Silence));
        let status = (!silent).then(|| sent.status().as_u16());
        let broken = fault.as_ref().is_some_and(|fault| !matches!(fault, Fault::Delay(_)));
        lock(&self.faults).note(&info.path, &info.query, sent.status().as_u16() < 400 && !broken);
        let times = (at.millis(), arrival.duration_since(self.started), arrival.elapsed());
        let entry = Entry { request: info, status, at_millis: times.0, started: times.1, took: times.2, bytes, fault: fault.is_some() };
        lock(&self.journal).record(entry);
        match fault {
            Some(Fault::Reset) => {
                abort.set();
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            }
            Some(Fault::Stall) => pending().await,
            Some(Fault::Silence) => {
                abort.silence();
                pending().await
            }
            _ => Ok(sent),
        }
    }

    fn describe(&self, host: Host, route: &Route, ids: Ids, parts: &hyper::http::request::Parts) -> RequestInfo {
        let path = parts.uri.path();
        let query = parts.uri.query().unwrap_or_default();
        let class = match host {
            Host::Login if path.ends_with("/oauth2/v2.0/token") => Class::Token,
            Host::Login | Host::Foreign => Class::Other,
            Host::Graph => route.class,
        };
        let (number, class_number) = lock(&self.journal).arrive(class);
        let header = |name: &str| header(&parts.headers, name).map(str::to_owned);
        RequestInfo {
            number,
            class_number,
            host,
            class,
            ids,
            page: match query {
                _ if query.contains("skiptoken=") => PageKind::Next,
                _ if query.contains("deltatoken=") => PageKind::Round,
                _ => PageKind::First,
            },
            retry: lock(&self.faults).is_retry(path, query),
            method: parts.method.to_string(),
            path: path.to_owned(),
            query: query.to_owned(),
            authorized: parts.headers.contains_key("authorization"),
            client_request_id: header("client-request-id"),
            user_agent: header("user-agent"),
            prefer: header("prefer"),
        }
    }

    async fn wait(&self) {
        let delay = {
            let mut latency = lock(&self.latency);
            match latency.0 {
                Latency::None => return,
                Latency::Fixed(delay) => delay,
                Latency::Between(min, max) => min + max.saturating_sub(min).mul_f64(latency.1.f64()),
            }
        };
        tokio::time::sleep(delay).await;
    }

    fn login(&self, info: &RequestInfo, headers: &HeaderMap, body: &[u8]) -> Outcome {
        let now = self.clock.now();
        let fault = lock(&self.faults).draw(info);
        let response = match self.fault_response(fault.as_ref(), now) {
            Some(response) => response,
            None if info.class != Class::Token => Response::empty(404),
            None => {
                let request = TokenRequest {
                    method: &info.method,
                    path: &info.path,
                    content_type: header(headers, "content-type"),
                    authorization: header(headers, "authorization"),
                    body,
                };
                let tenant = self.tenant();
                login::token(&request, &mut lock(&self.tokens), &self.credentials, &tenant.switches, &self.graph_url, now)
            }
        };
        Outcome { response, fault }
    }

    fn graph(&self, info: &RequestInfo, route: &Route, headers: &HeaderMap) -> Outcome {
        let (tenant, hook_fault) = self.run_hook(info);
        let now = self.clock.now();
        let fault = hook_fault.or_else(|| lock(&self.faults).draw(info));
        let usage = Usage { quota: route.quota, team: info.team(), channel: info.channel() };
        let admitted = lock(&self.limiter).admit(&usage, now);
        let response = match admitted {
            Err(wait) => Err(self.throttle(wait)),
            Ok(()) => match self.fault_response(fault.as_ref(), now) {
                Some(response) => Err(response),
                None => self.graph_route(&tenant, info, route, headers, now, fault.as_ref()),
            },
        };
        Outcome { response: response.unwrap_or_else(|response| response), fault }
    }

    /// Runs the hook, and locks the tenant so that the response reflects the changes of the hook.
    fn run_hook(&self, info: &RequestInfo) -> (RwLockReadGuard<'_, Tenant>, Option<Fault>) {
        if !self.hooked.load(Ordering::SeqCst) {
            return (self.tenant(), None);
        }
        let mut hook = lock(&self.hook);
        let mut tenant = self.tenant_mut();
        let fault = hook.as_mut().and_then(|hook| hook(info, &mut tenant));
        (RwLockWriteGuard::downgrade(tenant), fault)
    }

    /// Returns 429. `Retry-After` is in real time, since the client waits in real time.
    fn throttle(&self, wait: Duration) -> Response {
        let limits_speed = lock(&self.limiter).limits.as_ref().map_or(1.0, |limits| limits.speed);
        let clock_speed = self.clock.speed();
        let speed = limits_speed * if clock_speed > 0.0 { clock_speed } else { 1.0 };
        let seconds = (wait.as_secs_f64() / speed).ceil().max(1.0);
        Response::error(429, "TooManyRequests", "Too Many Requests").header("Retry-After", format!("{seconds}"))
    }

    fn graph_route(
        &self,
        tenant: &Tenant,
        info: &RequestInfo,
        route: &Route,
        headers: &HeaderMap,
        now: Time,
        fault: Option<&Fault>,
    ) -> Result<Response, Response> {
        let roles = match route.quota {
            Quota::None if info.authorized => {
                return Err(Response::error(400, "BadRequest", "The request to a host other than Graph has a token."));
            }
            Quota::None => Vec::new(),
            _ => lock(&self.tokens).check(header(headers, "authorization"), now)?,
        };
        if info.method != "GET" {
            return Err(Response::error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."));
        }
        permission::check(route, &roles, &tenant.switches)?;
        let query = Query::parse(&info.query);
        if tenant.switches.refuses_top.contains(&info.class) && query.get("$top").is_some() {
            return Err(Response::bad_request("The query specified in the URI is not valid. Query option 'Top' is not allowed."));
        }
        let every = tenant.switches.empty_pages;
        let base = format!("{}/v1.0/", self.graph_url);
        let ctx = Context {
            tenant,
            ids: &info.ids,
            base: &base,
            now,
            query: &query,
            unknown_members: prefers_unknown_members(headers),
            empty_page: fault == Some(&Fault::EmptyPage) || every > 0 && info.class_number.is_multiple_of(every),
            loops_back: fault == Some(&Fault::Cycle),
            roles: &roles,
        };
        (route.handler)(&ctx)
    }

    /// The response of a fault that replaces the correct response. None for faults that change it.
    fn fault_response(&self, fault: Option<&Fault>, now: Time) -> Option<Response> {
        let html = |status| {
            Response::bytes(status, "text/html; charset=utf-8", b"<!DOCTYPE html><html><head><title>Our services aren't available right now</title></head><body><h1>Service Unavailable</h1></body></html>".to_vec())
        };
        Some(match fault? {
            Fault::Graph { status, code, message, retry_after } => {
                let response = Response::error(*status, code, message);
                match retry_after {
                    RetryAfter::Absent => response,
                    RetryAfter::Seconds(seconds) => response.header("Retry-After", seconds.to_string()),
                    RetryAfter::Date(seconds) => response.header("Retry-After", now.plus_ticks(seconds * 10_000_000).http_date()),
                    RetryAfter::Text(text) => response.header("Retry-After", text),
                }
            }
            Fault::Aadsts(code) => login::aadsts(*code, now),
            Fault::Respond { status, headers, body } => {
                let content_type =
                    headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map_or(JSON, |(_, value)| value);
                let response = Response::bytes(*status, content_type, body.clone());
                let others = headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                others.fold(response, |response, (name, value)| response.header(name, value))
            }
            Fault::InvalidUtf8 => Response::json(b"{\"value\":[{\"id\":\"1\",\"subject\":\"\xff\xfe\"}]}".to_vec()),
            Fault::Html { status } => html(*status),
            Fault::Empty { status } => Response::empty(*status),
            Fault::ErrorIn200 => Response { status: 200, ..Response::error(200, "UnknownError", "Something went wrong.") },
            Fault::Redirect(to) => Response::empty(302).header("Location", to),
            _ => return None,
        })
    }

    /// Builds the HTTP response. Also returns the size of the body before compression.
    fn respond(&self, outcome: Outcome, info: &RequestInfo, headers: &HeaderMap, abort: Abort) -> (hyper::Response<BodyStream>, u64) {
        let now = self.clock.now();
        let request_id = guid(self.seed ^ 0x7265_7173, info.number);
        let Outcome { mut response, fault } = outcome;
        if fault == Some(Fault::Partial) && response.status == 200 {
            response.status = 206;
        }
        if let (ResponseBody::Bytes(body), Some(fault)) = (&mut response.body, &fault) {
            self.damage(body, &mut response.content_type, fault, info);
        }
        if fault.is_some() {
            self.fill_placeholders(&mut response, headers);
        }
        let (status, content_type) = (response.status, std::mem::take(&mut response.content_type));
        let mut extra = std::mem::take(&mut response.headers);
        let plain = response.into_bytes(now, request_id, info.client_request_id.as_deref());
        let size = plain.len() as u64;
        let accepts_gzip = header(headers, "accept-encoding").is_some_and(|encodings| encodings.contains("gzip"));
        let is_encoded = extra.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
        let mut body = match fault {
            Some(Fault::BrokenGzip) => broken_gzip(&plain),
            Some(Fault::GzipMembers) if accepts_gzip => plain.chunks(plain.len() / 3 + 1).flat_map(gzip).collect(),
            _ if self.gzip && accepts_gzip && !is_encoded && plain.len() > 512 => gzip(&plain),
            _ => plain.clone(),
        };
        if body != plain {
            extra.push(("Content-Encoding".to_owned(), "gzip".to_owned()));
        }
        let whole = body.len();
        let ending = match fault {
            Some(Fault::Truncate) => Ending::Early,
            Some(Fault::ResetInBody) => Ending::Reset(abort),
            Some(Fault::StallInBody) => Ending::Never,
            Some(Fault::Trickle(millis)) => Ending::Trickle(Duration::from_millis(millis)),
            _ => Ending::Whole,
        };
        if !matches!(ending, Ending::Whole) {
            body.truncate(whole / 2);
        }
        let (body, ending) = match fault {
            Some(Fault::Huge { mebibytes, gzip }) => {
                extra.retain(|(name, _)| name != "Content-Encoding");
                extra.extend(gzip.then(|| ("Content-Encoding".to_owned(), "gzip".to_owned())));
                huge(mebibytes, gzip)
            }
            _ => (Bytes::from(body), ending),
        };
        let date = match &fault {
            Some(Fault::Date(text)) => text.clone(),
            Some(Fault::DatedAhead(seconds)) => now.plus(Duration::from_secs(*seconds)).http_date(),
            _ => now.http_date(),
        };
        let length = if ending.has_length() { whole.to_string() } else { String::new() };
        let mut response = hyper::Response::new(BodyStream::new(body, ending));
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        let own = [
            ("Date", date),
            ("Content-Length", length),
            ("Content-Type", content_type),
            (if info.host == Host::Login { "x-ms-request-id" } else { "request-id" }, request_id.to_string()),
            ("client-request-id", info.client_request_id.clone().unwrap_or_else(|| request_id.to_string())),
            (
                "x-ms-ags-diagnostic",
                r#"{"ServerInfo":{"DataCenter":"West Europe","Slice":"E","Ring":"5","ScaleUnit":"003","RoleInstance":"SIM"}}"#.to_owned(),
            ),
            ("Strict-Transport-Security", "max-age=31536000".to_owned()),
            ("Vary", "Accept-Encoding".to_owned()),
        ];
        for (name, value) in own {
            set(response.headers_mut(), name, &value);
        }
        for (name, value) in extra {
            set(response.headers_mut(), &name, &value);
        }
        (response, size)
    }

    /// Replaces placeholders in the texts of faults: `$TOKEN$` (the token of the request, or else the last issued one), `$FIRST_TOKEN$` and
    /// `$SECRET$`; with a prefix percent-encoded (`$PERCENT:TOKEN$`) or with JSON escapes (`$ESCAPED:TOKEN$`).
    fn fill_placeholders(&self, response: &mut Response, headers: &HeaderMap) {
        let [first, last] = lock(&self.tokens).first_and_last();
        let token = header(headers, "authorization").and_then(|header| header.strip_prefix("Bearer ")).map_or(last, str::to_owned);
        let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let escaped = |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let fill = |text: String| {
            [("TOKEN", &token), ("FIRST_TOKEN", &first), ("SECRET", &self.credentials.client_secret)].into_iter().fold(
                text,
                |text, (name, value)| {
                    let forms: [(_, String); 3] = [("", value.clone()), ("PERCENT:", percent(value)), ("ESCAPED:", escaped(value))];
                    forms.into_iter().fold(text, |text, (form, value)| text.replace(&format!("${form}{name}$"), &value))
                },
            )
        };
        response.headers.iter_mut().for_each(|(_, value)| *value = fill(std::mem::take(value)));
        match &mut response.body {
            ResponseBody::Error { code, message } => (*code, *message) = (fill(std::mem::take(code)), fill(std::mem::take(message))),
            ResponseBody::Bytes(body) => {
                if let Ok(text) = str::from_utf8(body) {
                    *body = fill(text.to_owned()).into_bytes();
                }
            }
        }
    }

    /// Damages the correct body.
    fn damage(&self, body: &mut Vec<u8>, content_type: &mut String, fault: &Fault, info: &RequestInfo) {
        match fault {
            Fault::MalformedJson => body.truncate(body.len() / 2),
            Fault::NoValue => *body = page::without_value(body),
            Fault::ValueIsObject => *body = page::with_value_object(body),
            Fault::Replace { from, to } => *body = String::from_utf8_lossy(body).replace(from.as_str(), to).into_bytes(),
            Fault::ContentType(kind) => kind.clone_into(content_type),
            Fault::ByteOrderMark => drop(body.splice(..0, *b"\xef\xbb\xbf")),
            Fault::Partial => *body = page::damage_link(body, &LinkFault::Neither, "", ""),
            Fault::Link(link) => {
                let first = format!("{}{}", self.graph_url, info.path);
                let own = if info.query.is_empty() { first.clone() } else { format!("{first}?{}", info.query) };
                *body = page::damage_link(body, link, &own, &first);
            }
            _ => {}
        }
    }
}

/// Locks a mutex even if a test's closure panicked while it held the lock.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes())) {
        headers.insert(name, value);
    }
}

fn prefers_unknown_members(headers: &HeaderMap) -> bool {
    let mut preferences =
        headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split([',', ';']));
    preferences.any(|preference| preference.trim() == "include-unknown-enum-members")
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    let written = encoder.write_all(plain);
    written.and_then(|()| encoder.finish()).unwrap_or_else(|_| plain.to_vec())
}

/// A gzip stream with a damaged middle.
fn broken_gzip(plain: &[u8]) -> Vec<u8> {
    let mut bytes = gzip(plain);
    let (from, to) = (bytes.len() / 3, bytes.len() * 2 / 3);
    bytes[from..to].fill(0xAA);
    bytes
}
