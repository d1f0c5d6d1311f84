//! The Graph host, channel and time of all targets, and checks of links that do not depend on the tap's own parser.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use tap_microsoft_teams::{
    graph::{Class, Host, Link, Request, fuzzing},
    level::{self, Partition},
    state::Position,
};
use url::Url;

pub(crate) const TEAM: &str = "02bd9fd6-8f93-4758-87c3-1fb73740a315";
pub(crate) const CHANNEL: &str = "19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2";

static GRAPH: LazyLock<Url> = LazyLock::new(|| Url::parse("https://graph.microsoft.com").expect("a URL"));
static HOST: LazyLock<Host> = LazyLock::new(|| Host::new(&GRAPH).expect("a host"));

pub(crate) fn host() -> &'static Host {
    &HOST
}

pub(crate) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_600_000, 0).expect("a time")
}

/// The URL of a link that the tap follows, which must be on the Graph host.
pub(crate) fn destination(path_and_query: &str) -> Url {
    let url = fuzzing::url(host(), path_and_query).unwrap_or_else(|| panic!("{path_and_query:?} is not a URL"));
    assert_eq!(url.origin(), GRAPH.origin(), "{path_and_query:?}");
    assert!(url.username().is_empty() && url.password().is_none(), "{path_and_query:?}");
    url
}

fn list() -> Request {
    Request::get(&Class::MESSAGES, &Partition::channel(TEAM, CHANNEL), ["messages"])
}

/// Checks a link that was accepted from a response.
pub(crate) fn assert_link_to_graph(link: &Link) {
    destination(link.as_str());
    assert_eq!(fuzzing::path_and_query(&list().follow(link)), link.as_str());
    assert_eq!(Link::from_path(link.as_str()).as_ref(), Some(link));
}

/// Checks the links in the position of a channel or a thread.
pub(crate) fn assert_links_stay_below(key: &str, channel: &Position) {
    let ids: Vec<_> = level::ids(key).collect();
    let below = |link: &str| match ids.as_slice() {
        [team, channel] => below_messages(&destination(link), team, channel),
        [team, channel, message] => {
            below_messages(&destination(link), team, channel).filter(|below| *below == [message.as_str(), "replies"]).map(|_| Vec::new())
        }
        _ => None,
    };
    let walk = channel.walk.as_ref().and_then(|walk| walk.link.as_deref());
    let round = channel.delta.round.as_ref().map(|round| round.link.as_str());
    assert!(walk.is_none_or(|link| below(link).is_some_and(|below| below.is_empty())), "{walk:?} is not a page of {key:?}");
    for link in channel.delta_link.as_deref().into_iter().chain(round).filter(|_| ids.len() == 2) {
        assert!(below(link).is_some_and(|below| below.len() == 1 && below[0].contains("delta")), "{link:?} is not a delta link of {key:?}");
    }
}

/// The path segments of a URL below the messages of a channel, if it is in a form that Graph writes: `teams/T/channels/C` or
/// `teams('T')/channels('C')`.
pub(crate) fn below_messages(url: &Url, team: &str, channel: &str) -> Option<Vec<String>> {
    let mut segments = Vec::new();
    for segment in url.path_segments()? {
        segments.push(percent_decode_str(segment).decode_utf8().ok()?.into_owned());
    }
    // Each name has its own id, with or without brackets.
    let mut parts = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        match segment.split_once("('").and_then(|(name, id)| Some((name, id.strip_suffix("')")?))) {
            Some((name, id)) if at > 0 => parts.extend([name.to_owned(), id.to_owned()]),
            _ => parts.push(segment.clone()),
        }
    }
    let is_same = |part: &str, expected: &str| part == expected || expected.len() == 36 && part.eq_ignore_ascii_case(expected);
    let names = [parts.first()?.as_str(), parts.get(1)?.as_str(), parts.get(3)?.as_str(), parts.get(5)?.as_str()];
    let are_names = names.iter().zip(["v1.0", "teams", "channels", "messages"]).all(|(name, expected)| name.eq_ignore_ascii_case(expected));
    let is_below =
        are_names && is_same(&parts[2], team) && parts[4] == channel && !parts.iter().any(|part| matches!(part.as_str(), "." | ".."));
    is_below.then(|| parts.split_off(6))
}
