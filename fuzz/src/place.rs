//! Where and when all targets are: a Graph host, a channel, a moment; and whether a link leads there, told without the tap's own reading.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use tap_microsoft_teams::{
    graph::{Host, Link, Request, fuzzing},
    state::{self, ChannelState},
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

/// Where a link leads that the tap follows: to Graph.
pub(crate) fn destination(path_and_query: &str) -> Url {
    let url = fuzzing::url(host(), path_and_query).unwrap_or_else(|| panic!("{path_and_query:?} leads nowhere"));
    assert_eq!(url.origin(), GRAPH.origin(), "{path_and_query:?}");
    assert!(url.username().is_empty() && url.password().is_none(), "{path_and_query:?}");
    url
}

/// What holds of a link that was taken from Graph.
pub(crate) fn assert_leads_to_graph(link: &Link) {
    destination(link.as_str());
    assert_eq!(fuzzing::path_and_query(&Request::follow(link)), link.as_str());
    assert_eq!(Link::from_path(link.as_str()).as_ref(), Some(link));
}

/// What holds of the links in the state of a channel.
pub(crate) fn assert_links_lead_below(key: &str, channel: &ChannelState) {
    let mut ids = state::ids(key);
    let (team, channel_id) = (ids.next().unwrap_or_default(), ids.next().unwrap_or_default());
    let walk = channel.walk.as_ref().and_then(|walk| walk.link.as_deref());
    let round = channel.delta.round.as_ref().map(|round| round.link.as_str());
    for link in walk.into_iter().chain(channel.delta_link.as_deref()).chain(round) {
        assert!(is_of_messages(&destination(link), &team, &channel_id), "{link:?} does not lead below {key:?}");
    }
}

/// Whether a URL is one of the messages of a channel, in one of the forms that Graph writes: `teams/T/channels/C`, `teams('T')/channels('C')`.
pub(crate) fn is_of_messages(url: &Url, team: &str, channel: &str) -> bool {
    let mut parts = Vec::new();
    for segment in url.path_segments().into_iter().flatten() {
        let Ok(segment) = percent_decode_str(segment).decode_utf8() else { return false };
        match segment.split_once("('").and_then(|(name, id)| Some((name, id.strip_suffix("')")?))) {
            Some((name, id)) => parts.extend([name.to_owned(), id.to_owned()]),
            None => parts.push(segment.into_owned()),
        }
    }
    let expected = ["v1.0", "teams", team, "channels", channel, "messages"];
    let begins = parts.len() >= expected.len() && parts.iter().zip(expected).all(|(part, expected)| part.eq_ignore_ascii_case(expected));
    begins && !parts.iter().any(|part| matches!(part.as_str(), "." | ".."))
}
