//! A link and the two ids of a channel, each on its own line: where links and requests lead.

use percent_encoding::percent_decode_str;
use tap_microsoft_teams::{
    graph::{Class, Request, fuzzing},
    level::{MESSAGE, Partition, key},
    state::{is_delta_link, is_page_link},
};
use url::Url;

use crate::place::{CHANNEL, TEAM, assert_link_to_graph, below_messages, destination, host};

pub(crate) fn link(lines: &[u8]) {
    let Ok(text) = str::from_utf8(lines) else { return };
    let mut lines = text.splitn(3, '\n');
    let link = lines.next().unwrap_or_default();
    let (team, channel) = (lines.next().unwrap_or(TEAM), lines.next().unwrap_or(CHANNEL));
    assert_link_from_graph(text);
    assert_link_from_graph(link);
    for path in [link, text] {
        assert_link_from_state(path, team, channel);
        // If it is a URL at all, it leads to Graph.
        if fuzzing::url(host(), path).is_some() {
            destination(path);
        }
    }
    assert_values_stay_in_place(team, channel, text);
}

/// Checks that an accepted link of a response leads where it says and is kept unchanged.
fn assert_link_from_graph(text: &str) {
    let Ok(link) = fuzzing::link(host(), text) else { return };
    assert_link_to_graph(&link);
    assert_eq!(Url::parse(text), Ok(destination(link.as_str())), "{text:?} became {link:?}");
    assert!(text.ends_with(link.as_str()), "{text:?} became {link:?}");
    assert!(destination(link.as_str()).path().starts_with("/v1.0/"), "{text:?} became {link:?}");
}

/// Checks that an accepted link of a state stays below its channel.
fn assert_link_from_state(path: &str, team: &str, channel: &str) {
    let key = key(&[team, channel]);
    if is_page_link(path, &key, &MESSAGE.trail()) {
        assert!(below_messages(&destination(path), team, channel).is_some_and(|below| below.is_empty()), "{path:?} is not a page of {key}");
    }
    if is_delta_link(path, &key, &MESSAGE.trail()) {
        assert!(
            below_messages(&destination(path), team, channel).is_some_and(|below| below.len() == 1),
            "{path:?} is not a delta link of {key}"
        );
    }
}

/// Checks that an id stays one segment of a path, and that the value of a query option stays one value.
fn assert_values_stay_in_place(team: &str, channel: &str, value: &str) {
    if team.is_empty() || channel.is_empty() {
        return;
    }
    let request = Request::get(&Class::MESSAGES, &Partition::channel(team, channel), ["messages"]);
    let path = fuzzing::path_and_query(&request);
    let url = destination(path);
    assert_eq!((url.path(), url.query(), url.fragment()), (path, None, None));
    let segments: Vec<_> =
        url.path_segments().into_iter().flatten().map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
    // `.` and `..` are encoded, and mean nothing to Graph.
    let encoded = |id: &str| if matches!(id, "." | "..") { id.replace('.', "%2E") } else { id.to_owned() };
    assert_eq!(segments, ["v1.0", "teams", &encoded(team), "channels", &encoded(channel), "messages"]);
    let description = request.to_string();
    let request = request.clone().query("$filter", value).query("$top", 50);
    let url = destination(fuzzing::path_and_query(&request));
    let options: Vec<_> = url.query_pairs().collect();
    assert_eq!(options, [("$filter".into(), value.into()), ("$top".into(), "50".into())]);
    assert_eq!((url.path(), url.fragment()), (path, None));
    // The description of a request has no query, because a query can contain tokens.
    assert_eq!(request.to_string(), description);
}
