//! Fault injection: which faults apply to which requests, and how often.

use std::collections::{BTreeMap, HashSet};

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use crate::{
    journal::{Class, Host, PageKind, RequestInfo},
    rng::hash,
};

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// An error in Graph's format.
    Graph {
        status: u16,
        code: String,
        message: String,
        #[serde(default)]
        retry_after: RetryAfter,
    },
    /// An error of the token endpoint with this AADSTS code (graph.md 1.4).
    Aadsts(u32),
    /// Any response.
    Respond {
        status: u16,
        #[serde(default)]
        headers: Vec<(String, String)>,
        #[serde(with = "as_text")]
        body: Vec<u8>,
    },
    /// The connection is reset before the headers.
    Reset,
    /// The connection is reset in the middle of the body.
    ResetInBody,
    /// The body ends before its content-length.
    Truncate,
    /// There is never a response.
    Stall,
    /// The connection goes silent: it never transfers anything again, for this request or others.
    Silence,
    /// Half of the body is sent, then nothing.
    StallInBody,
    /// 200 with half of the JSON and a matching content-length.
    MalformedJson,
    /// 200 whose body is not UTF-8.
    InvalidUtf8,
    /// A web page instead of JSON.
    Html { status: u16 },
    /// No body.
    Empty { status: u16 },
    /// The correct body with another content type.
    ContentType(String),
    /// `Content-Encoding: gzip` with damaged content.
    BrokenGzip,
    /// The correct body, compressed as several concatenated gzip streams if the client accepts gzip.
    GzipMembers,
    /// The correct body after a byte order mark.
    ByteOrderMark,
    /// 206 with the correct page but without its link, as a cache might return.
    Partial,
    /// 200 with an error object.
    ErrorIn200,
    /// A page without `value`.
    NoValue,
    /// A page whose `value` is an object.
    ValueIsObject,
    /// The correct body with each `from` replaced by `to`, to change types or values or to duplicate keys.
    Replace { from: String, to: String },
    /// 302 to this URL.
    Redirect(String),
    /// The correct page with a wrong link.
    Link(LinkFault),
    /// An empty page with a nextLink to the items that it should have had. For all requests of a list: endless empty pages.
    EmptyPage,
    /// The correct page, but its nextLink is a new link to the first page. For all later pages of a list: an endless cycle.
    Cycle,
    /// The correct response after this many milliseconds of real time.
    Delay(u64),
    /// Half of the body, then endless spaces, one every this many milliseconds of real time.
    Trickle(u64),
    /// An empty page with this many MiB of spaces. Compressed, it has a thousandth of that size.
    Huge { mebibytes: u32, gzip: bool },
    /// The correct response with this `Date`, or without one if it is empty.
    Date(String),
    /// The correct response with a `Date` that is this many seconds ahead.
    DatedAhead(u64),
}

/// Bodies are bytes, but text in the control API.
mod as_text {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(deserializer).map(String::into_bytes)
    }
}

/// How the nextLink of a page is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkFault {
    /// The same link at another origin, such as `https://evil.example`.
    Origin(String),
    /// The URL of the request itself.
    Same,
    /// The URL of the first page of the list.
    First,
    /// Both a nextLink and a deltaLink.
    Both,
    /// No link, though there are more pages.
    Neither,
    /// This text.
    To(String),
}

/// The formats of `Retry-After` (graph.md 5.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    #[default]
    Absent,
    Seconds(u64),
    /// An HTTP date this many seconds of simulated time from now, which may be negative.
    Date(i64),
    /// Any text: `2.128`, `-5`, `soon`.
    Text(String),
}

impl Fault {
    /// An error with the code and message that Graph returns with this status (graph.md 5.2).
    pub fn status(status: u16) -> Fault {
        let (code, message) = match status {
            400 => ("BadRequest", "Invalid request."),
            401 => ("InvalidAuthenticationToken", "CompactToken validation failed with reason code: 80049228."),
            403 => ("Forbidden", "UnknownError"),
            404 => ("UnknownError", "404 page not found"),
            410 => ("resyncRequired", "Resync required."),
            429 => ("TooManyRequests", "Too Many Requests"),
            500 => ("generalException", "General exception while processing"),
            502 => ("BadGateway", "Failed to execute backend request."),
            503 => ("serviceNotAvailable", "The service is temporarily unavailable."),
            504 => ("GatewayTimeout", "The gateway timed out."),
            _ => ("UnknownError", ""),
        };
        Fault::graph(status, code, message)
    }

    pub fn graph(status: u16, code: &str, message: &str) -> Fault {
        Fault::Graph { status, code: code.to_owned(), message: message.to_owned(), retry_after: RetryAfter::Absent }
    }

    /// 429 with this `Retry-After`.
    pub fn throttled(after: RetryAfter) -> Fault {
        Fault::status(429).retry_after(after)
    }

    /// Adds a `Retry-After` to an error in Graph's format.
    #[must_use]
    pub fn retry_after(mut self, after: RetryAfter) -> Fault {
        if let Fault::Graph { retry_after, .. } = &mut self {
            *retry_after = after;
        }
        self
    }

    pub fn respond(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Fault {
        let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Fault::Respond { status, headers, body: body.into() }
    }
}

/// A fault, and the conditions for the requests that it applies to. All of them must match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub fault: Fault,
    #[serde(default)]
    pub class: Option<Class>,
    #[serde(default)]
    pub host: Option<Host>,
    /// Ids in the path by their names, such as `team`, `channel` and `message`.
    #[serde(default)]
    pub ids: BTreeMap<String, String>,
    /// A part of the path or query.
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub page: Option<PageKind>,
    /// True for retries only, false for first attempts only.
    #[serde(default)]
    pub retry: Option<bool>,
    /// The number of matching requests to skip first.
    #[serde(default)]
    pub skip: u64,
    /// The number of requests to apply the fault to; none for all.
    #[serde(default)]
    pub times: Option<u64>,
    /// The probability that the fault applies to a matching request, drawn from the seed of the simulator.
    #[serde(default = "always")]
    pub rate: f64,
}

fn always() -> f64 {
    1.0
}

impl Rule {
    /// Applies to every request until conditions are added.
    pub fn new(fault: Fault) -> Rule {
        Rule { fault, class: None, host: None, ids: BTreeMap::new(), path: None, page: None, retry: None, skip: 0, times: None, rate: 1.0 }
    }

    #[must_use]
    pub fn class(mut self, class: Class) -> Rule {
        self.class = Some(class);
        self
    }

    #[must_use]
    pub fn host(mut self, host: Host) -> Rule {
        self.host = Some(host);
        self
    }

    /// Only requests with this id in their path.
    #[must_use]
    pub fn id(mut self, name: &str, id: &str) -> Rule {
        self.ids.insert(name.to_owned(), id.to_owned());
        self
    }

    #[must_use]
    pub fn team(self, id: &str) -> Rule {
        self.id("team", id)
    }

    #[must_use]
    pub fn channel(self, id: &str) -> Rule {
        self.id("channel", id)
    }

    #[must_use]
    pub fn message(self, id: &str) -> Rule {
        self.id("message", id)
    }

    #[must_use]
    pub fn path(mut self, part: &str) -> Rule {
        self.path = Some(part.to_owned());
        self
    }

    #[must_use]
    pub fn page(mut self, page: PageKind) -> Rule {
        self.page = Some(page);
        self
    }

    /// True for retries only, false for first attempts only.
    #[must_use]
    pub fn retry(mut self, retry: bool) -> Rule {
        self.retry = Some(retry);
        self
    }

    #[must_use]
    pub fn skip(mut self, requests: u64) -> Rule {
        self.skip = requests;
        self
    }

    #[must_use]
    pub fn times(mut self, times: u64) -> Rule {
        self.times = Some(times);
        self
    }

    /// Only the n-th matching request, counted from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Rule {
        self.skip(n.saturating_sub(1)).times(1)
    }

    #[must_use]
    pub fn rate(mut self, rate: f64) -> Rule {
        self.rate = rate;
        self
    }

    fn matches(&self, request: &RequestInfo) -> bool {
        fn is<T: PartialEq>(expected: Option<&T>, actual: Option<&T>) -> bool {
            expected.is_none_or(|expected| actual == Some(expected))
        }
        is(self.class.as_ref(), Some(&request.class))
            && is(self.host.as_ref(), Some(&request.host))
            && self.ids.iter().all(|(name, id)| request.id(name) == Some(id))
            && is(self.page.as_ref(), Some(&request.page))
            && is(self.retry.as_ref(), Some(&request.retry))
            && self.path.as_ref().is_none_or(|part| format!("{}?{}", request.path, request.query).contains(part))
    }
}

/// The active rules.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    rng: Rng,
    /// Hashes of URLs whose last response was an error or broken.
    failed: HashSet<u64>,
    applied: u64,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Faults {
        Faults { rules: Vec::new(), rng: Rng::with_seed(seed ^ 0xfa17), failed: HashSet::new(), applied: 0 }
    }

    pub(crate) fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(crate) fn applied(&self) -> u64 {
        self.applied
    }

    /// The fault of the first rule that applies to a request.
    pub(crate) fn draw(&mut self, request: &RequestInfo) -> Option<Fault> {
        for rule in &mut self.rules {
            if !rule.matches(request) || rule.times == Some(0) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if rule.rate < 1.0 && self.rng.f64() >= rule.rate {
                continue;
            }
            if let Some(left) = &mut rule.times {
                *left -= 1;
            }
            self.applied += 1;
            return Some(rule.fault.clone());
        }
        None
    }

    pub(crate) fn is_retry(&self, path: &str, query: &str) -> bool {
        !self.failed.is_empty() && self.failed.contains(&url_key(path, query))
    }

    pub(crate) fn note(&mut self, path: &str, query: &str, succeeded: bool) {
        if succeeded {
            if !self.failed.is_empty() {
                self.failed.remove(&url_key(path, query));
            }
        } else {
            self.failed.insert(url_key(path, query));
        }
    }
}

fn url_key(path: &str, query: &str) -> u64 {
    hash(path) ^ hash(query).rotate_left(1)
}
