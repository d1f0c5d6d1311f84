//! Page tokens: opaque to clients, bound to their list, and all that the simulator needs to go on (it keeps nothing a client).

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::answer::Answer;
use crate::{
    encode::{base64, from_base64, percent_encode},
    rng::hash,
    switches::LinkStyle,
    tenant::Tenant,
    time::Time,
};

static SERIAL: AtomicU64 = AtomicU64::new(1);

/// The number of the next link: links never repeat, and those before a number can be refused.
pub(crate) fn next_link_serial() -> u64 {
    SERIAL.fetch_add(1, Ordering::Relaxed)
}

/// Where a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    Start,
    /// Behind this item in the list's order.
    After(i64, u64),
    /// After so many items.
    Offset(u64),
}

/// What a `$skiptoken` or `$deltatoken` remembers.
#[derive(Clone, Debug)]
pub(crate) struct PageToken {
    pub(crate) serial: u64,
    pub(crate) issued: Time,
    pub(crate) top: usize,
    pub(crate) expand: bool,
    /// `$filter=lastModifiedDateTime gt` of delta.
    pub(crate) filter: Option<Time>,
    pub(crate) position: Position,
    /// Of delta: log entries told before this round, and at its start.
    pub(crate) from: u64,
    pub(crate) upto: u64,
    /// Of delta: the first round, which lists instead of telling changes.
    pub(crate) baseline: bool,
    /// Following it gets 400.
    pub(crate) broken: bool,
    /// The query of the first page, of lists whose options matter on each page.
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

    /// The same list, further on.
    pub(crate) fn moved(&self, position: Position, now: Time) -> PageToken {
        PageToken { position, issued: now, ..self.clone() }
    }

    /// The text of the token for a list.
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
        // Links of any number are equally long.
        let text = format!("{:010}~{text}~{}", next_link_serial(), self.memo);
        base64(format!("{:016x}{text}", hash(list) ^ hash(&text)).as_bytes())
    }

    /// Takes a token back: none when it is not one of this list.
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

    /// It was given before this number, or longer ago than `lifetime` seconds.
    pub(crate) fn is_older(&self, serial: u64, lifetime: Option<u64>, now: Time) -> bool {
        self.serial < serial || lifetime.is_some_and(|seconds| now.since(self.issued) > Duration::from_secs(seconds))
    }

    /// The `$skiptoken` of a request.
    pub(crate) fn of_skip(text: &str, list: &str, tenant: &Tenant, now: Time) -> Result<PageToken, Answer> {
        let token = PageToken::open(text, list);
        token
            .filter(|token| !token.is_older(tenant.first_good_link, tenant.switches.link_lifetime, now))
            .ok_or_else(|| Answer::bad_request("The provided skip token is not valid."))
    }
}

/// The path of a channel's list for links, spelled in one of the ways of graph.md 2.0.
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

/// One entity below another, spelled as the rest of the path.
pub(crate) fn below(path: &str, collection: &str, id: &str) -> String {
    if path.contains("('") { format!("{path}/{collection}('{id}')") } else { format!("{path}/{collection}/{id}") }
}
