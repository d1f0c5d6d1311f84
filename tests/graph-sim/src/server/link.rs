//! Page tokens: opaque to clients and bound to one list. They contain the position, so that the simulator keeps no state per client.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::response::Response;
use crate::{
    encode::{base64, from_base64, percent_encode},
    rng::hash,
    switches::LinkStyle,
    tenant::Tenant,
    time::Time,
};

static SERIAL: AtomicU64 = AtomicU64::new(1);

/// The serial number of the next link. It makes each link unique, and lets the simulator refuse links older than a given one.
pub(crate) fn next_link_serial() -> u64 {
    SERIAL.fetch_add(1, Ordering::Relaxed)
}

/// Where a list continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    Start,
    /// After the item with this sort key.
    After(i64, u64),
    /// After this number of items.
    Offset(u64),
}

/// The content of a `$skiptoken` or `$deltatoken`.
#[derive(Clone, Debug)]
pub(crate) struct PageToken {
    pub(crate) serial: u64,
    pub(crate) issued: Time,
    pub(crate) top: usize,
    pub(crate) expand: bool,
    /// Of delta: the time of `$filter=lastModifiedDateTime gt …`.
    pub(crate) filter: Option<Time>,
    pub(crate) position: Position,
    /// Of delta: the round reports the log entries from `from` to before `upto`.
    pub(crate) from: u64,
    pub(crate) upto: u64,
    /// Of delta: this is the first round, which lists all messages instead of changes.
    pub(crate) baseline: bool,
    /// The request that follows it returns 400.
    pub(crate) broken: bool,
    /// The query of the first page, for lists whose options apply to all pages.
    pub(crate) memo: String,
}

impl PageToken {
    pub(crate) fn new(position: Position, now: Time) -> PageToken {
        PageToken {
            serial: 0,
            issued: now,
            top: 0,
            expand: false,
            filter: None,
            position,
            from: 0,
            upto: 0,
            baseline: false,
            broken: false,
            memo: String::new(),
        }
    }

    /// The token for a later position of the same list.
    pub(crate) fn moved(&self, position: Position, now: Time) -> PageToken {
        PageToken { position, issued: now, ..self.clone() }
    }

    /// Encodes the token for a list.
    pub(crate) fn seal(&self, list: &str) -> String {
        let (kind, a, b) = match self.position {
            Position::Start => (0, 0, 0),
            Position::After(a, b) => (1, a, b),
            Position::Offset(b) => (2, 0, b),
        };
        let fields = [
            self.issued.ticks(),
            self.top as i64,
            i64::from(self.expand),
            self.filter.map_or(i64::MIN, Time::ticks),
            kind,
            a,
            b as i64,
            self.from as i64,
            self.upto as i64,
            i64::from(self.baseline),
            i64::from(self.broken),
        ];
        let text = fields.map(|field| field.to_string()).join("~");
        // All links of a list have the same length.
        let text = format!("{:010}~{text}~{}", next_link_serial(), self.memo);
        base64(format!("{:016x}{text}", hash(list) ^ hash(&text)).as_bytes())
    }

    /// Decodes a token. None if it is not a token of this list.
    pub(crate) fn open(text: &str, list: &str) -> Option<PageToken> {
        let bytes = from_base64(text)?;
        let (check, text) = std::str::from_utf8(&bytes).ok()?.split_at_checked(16)?;
        if check != format!("{:016x}", hash(list) ^ hash(text)) {
            return None;
        }
        let mut parts = text.splitn(13, '~');
        let fields: Vec<i64> = parts.by_ref().take(12).map(str::parse).collect::<Result<_, _>>().ok()?;
        let &[serial, issued, top, expand, filter, kind, a, b, from, upto, baseline, broken] = fields.as_slice() else { return None };
        let position = match kind {
            0 => Position::Start,
            1 => Position::After(a, b as u64),
            _ => Position::Offset(b as u64),
        };
        Some(PageToken {
            serial: serial as u64,
            issued: Time::from_ticks(issued),
            top: top as usize,
            expand: expand != 0,
            filter: (filter != i64::MIN).then(|| Time::from_ticks(filter)),
            position,
            from: from as u64,
            upto: upto as u64,
            baseline: baseline != 0,
            broken: broken != 0,
            memo: parts.next()?.to_owned(),
        })
    }

    /// Whether it was issued before this serial number or more than `lifetime` seconds ago.
    pub(crate) fn is_older(&self, serial: u64, lifetime: Option<u64>, now: Time) -> bool {
        self.serial < serial || lifetime.is_some_and(|seconds| now.since(self.issued) > Duration::from_secs(seconds))
    }

    /// Decodes the `$skiptoken` of a request and checks that it is still valid.
    pub(crate) fn from_skip_token(text: &str, list: &str, tenant: &Tenant, now: Time) -> Result<PageToken, Response> {
        let token = PageToken::open(text, list);
        token
            .filter(|token| !token.is_older(tenant.first_good_link, tenant.switches.link_lifetime, now))
            .ok_or_else(|| Response::bad_request("The provided skip token is not valid."))
    }
}

/// The path of a channel in links, in one of the styles of graph.md 2.0.
pub(crate) fn channel_path(tenant: &Tenant, team: &str, channel: &str) -> String {
    let style = tenant.switches.link_style.unwrap_or(match hash(channel) % 3 {
        0 => LinkStyle::FunctionEncoded,
        1 => LinkStyle::Function,
        _ => LinkStyle::Slash,
    });
    match style {
        LinkStyle::FunctionEncoded => format!("teams('{team}')/channels('{}')", percent_encode(channel)),
        LinkStyle::Function => format!("teams('{team}')/channels('{channel}')"),
        LinkStyle::Slash => format!("teams/{team}/channels/{channel}"),
    }
}

/// The path of an entity below another, in the same style.
pub(crate) fn below(path: &str, collection: &str, id: &str) -> String {
    if path.contains("('") { format!("{path}/{collection}('{id}')") } else { format!("{path}/{collection}/{id}") }
}
