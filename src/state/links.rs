//! The links in a state: which ones are safe to follow, and how they are shortened by the ids of their partition.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::level::{Trail, ids};

const ROOT: &str = "/v1.0/";

/// The characters that Graph percent-encodes in an id.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The ways in which Graph writes ids in a path (`teams/T` or `teams('T')`, encoded or not), each with the prefix that replaces it in a state.
const SPELLINGS: [(&str, Spelling); 4] = [
    ("()", Spelling { is_bracketed: true, is_encoded: false }),
    ("(%)", Spelling { is_bracketed: true, is_encoded: true }),
    ("%", Spelling { is_bracketed: false, is_encoded: true }),
    ("", Spelling { is_bracketed: false, is_encoded: false }),
];

#[derive(Clone, Copy)]
struct Spelling {
    is_bracketed: bool,
    is_encoded: bool,
}

/// Whether a link, without scheme and host, is a page of the list of the partition with this key: `/v1.0/teams/T/channels/C/messages?...`
/// for a channel, `.../messages/M/replies?...` for a thread.
pub fn is_page_link(link: &str, key: &str, trail: &Trail) -> bool {
    segments_below(link, key, trail).is_some_and(|below| below.is_empty())
}

/// Whether a link, without scheme and host, is a delta link of the partition with this key.
pub fn is_delta_link(link: &str, key: &str, trail: &Trail) -> bool {
    let is_function = |name: &str| {
        let name = name.strip_suffix("()").unwrap_or(name);
        ["delta", "microsoft.graph.delta"].iter().any(|function| name.eq_ignore_ascii_case(function))
    };
    segments_below(link, key, trail).is_some_and(|below| matches!(below.as_slice(), [name] if is_function(name)))
}

/// The path segments of a link after the list of the partition. [`None`] if the link does not lead there, or could lead elsewhere.
fn segments_below(link: &str, key: &str, trail: &Trail) -> Option<Vec<String>> {
    let (path, query) = link.split_once('?')?;
    let ids: Vec<String> = ids(key).collect();
    let is_unsafe = |id: &String| id.contains(['/', '\\']) || id.chars().all(|char| char == '.');
    if query.is_empty() || link.contains(|char: char| char == '#' || char.is_control()) || ids.is_empty() || ids.iter().any(is_unsafe) {
        return None;
    }
    let segments: Option<Vec<_>> = path.strip_prefix(ROOT)?.split('/').map(decode_segment).collect();
    let mut segments = segments?.into_iter();
    let mut names = trail.iter();
    for (id, name) in ids.iter().zip(&mut names) {
        let segment = segments.next()?;
        let matches_id = if segment.eq_ignore_ascii_case(name) {
            is_same_id(&segments.next()?, id)
        } else {
            let (start, rest) = segment.split_at_checked(name.len())?;
            start.eq_ignore_ascii_case(name) && is_same_id(rest.strip_prefix("('")?.strip_suffix("')")?, id)
        };
        if !matches_id {
            return None;
        }
    }
    segments.next()?.eq_ignore_ascii_case(names.next()?).then(|| segments.collect())
}

/// Decodes one path segment. [`None`] if it could be read as several segments or decoded twice.
fn decode_segment(segment: &str) -> Option<String> {
    let segment = percent_decode_str(segment).decode_utf8().ok()?;
    (!segment.contains(['/', '\\', '%'])).then(|| segment.into_owned())
}

/// Whether an id in a path is the expected one. GUIDs (teams and users) match in any case, because Graph always returns them in lower case. All
/// other ids are case-sensitive.
fn is_same_id(found: &str, id: &str) -> bool {
    found == id || found.eq_ignore_ascii_case(id) && id.len() == 36 && uuid::Uuid::try_parse(id).is_ok()
}

/// The link as it is stored: without the part that follows from the partition's key.
pub(super) fn shorten<'l>(link: &'l str, key: &str, trail: &Trail) -> Cow<'l, str> {
    let starts_with_list = |rest: &&str| rest.starts_with(|char: char| char.is_ascii_alphabetic());
    let short = SPELLINGS.iter().find_map(|(mark, spelling)| {
        let rest = link.strip_prefix(&spelling.prefix(key, trail)?)?;
        Some((mark, rest)).filter(|(_, rest)| starts_with_list(rest))
    });
    match short {
        Some((&"", rest)) => Cow::Borrowed(rest),
        Some((mark, rest)) => Cow::Owned(format!("{mark}{rest}")),
        None => Cow::Borrowed(link),
    }
}

/// The full link of a stored one.
pub(super) fn expand(stored: &str, key: &str, trail: &Trail) -> Option<String> {
    if stored.starts_with('/') {
        return Some(stored.to_owned());
    }
    let (spelling, rest) = SPELLINGS.iter().find_map(|(mark, spelling)| Some((spelling, stored.strip_prefix(mark)?)))?;
    Some(format!("{}{rest}", spelling.prefix(key, trail)?))
}

impl Spelling {
    /// The common prefix of a partition's links in this spelling, up to the name of the list.
    fn prefix(self, key: &str, trail: &Trail) -> Option<String> {
        let mut prefix = ROOT.to_owned();
        let mut names = trail.iter();
        for id in ids(key) {
            let name = names.next()?;
            let id = if self.is_encoded { utf8_percent_encode(&id, ENCODED).to_string() } else { id };
            prefix += &if self.is_bracketed { format!("{name}('{id}')/") } else { format!("{name}/{id}/") };
        }
        Some(prefix)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::level::MESSAGE;

    const TEAM: &str = "02bd9fd6-8f93-4758-87c3-1fb73740a315";
    const CHANNEL: &str = "19:c_D-e@thread.tacv2";

    fn trail() -> Trail {
        MESSAGE.trail()
    }

    fn key() -> String {
        format!("{TEAM}/{CHANNEL}")
    }

    #[test]
    fn links_must_lead_to_their_own_list() {
        let team = TEAM.to_uppercase();
        for page in [
            format!("/v1.0/teams('{TEAM}')/channels('{CHANNEL}')/messages?$skiptoken=../x"),
            format!("/v1.0/teams('{TEAM}')/channels('19%3Ac_D-e%40thread.tacv2')/messages?$skiptoken=a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages?$top=50&$skiptoken=a%23'\\"),
            // Graph returns GUIDs in lower case and capitalizes names in different ways.
            format!("/v1.0/teams/{team}/Channels('{CHANNEL}')/Messages?a"),
        ] {
            assert!(is_page_link(&page, &key(), &trail()) && !is_delta_link(&page, &key(), &trail()), "{page}");
        }
        for name in ["delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()", "Microsoft.Graph.Delta%28%29"] {
            let delta = format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/{name}?$deltatoken=a");
            assert!(is_delta_link(&delta, &key(), &trail()) && !is_page_link(&delta, &key(), &trail()), "{delta}");
        }
        let thread = format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/161/replies?a");
        assert!(is_page_link(&thread, &format!("{}/161", key()), &trail()) && !is_page_link(&thread, &format!("{}/162", key()), &trail()));
        for bad in [
            format!("v1.0/teams/{TEAM}/channels/{CHANNEL}/messages?a"),
            format!("//v1.0/teams/{TEAM}/channels/{CHANNEL}/messages?a"),
            format!("//evil/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages?a"),
            format!("/beta/teams/{TEAM}/channels/{CHANNEL}/messages?a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages?"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages#?a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages?a\n"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/members?a"),
            format!("/v1.0/teams/{TEAM}/channels/{}/messages?a", CHANNEL.to_lowercase()),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/1/replies?a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/replies?a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/../members?a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/%2e%2e/members?a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/delta(a)?a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/delta/x?a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}\\messages?a"),
            format!("/v1.0/teams%2F{TEAM}/channels/{CHANNEL}/messages?a"),
            format!("/v1.0/teams({TEAM})/channels'{CHANNEL}/messages?a"),
            // Each name must have its own id, and the root has none.
            format!("/v1.0('teams')/{TEAM}('channels')/{CHANNEL}('messages')?a"),
            format!("/v1.0/teams('{TEAM}')('..')/channels('{CHANNEL}')/messages?a"),
            String::new(),
        ] {
            assert!(!is_page_link(&bad, &key(), &trail()) && !is_delta_link(&bad, &key(), &trail()), "{bad}");
        }
        for key in ["../c", "t/..", "t%2Fx/c", "t\\x/c", ""] {
            let ids: Vec<_> = ids(key).collect();
            let link =
                format!("/v1.0/teams('{}')/channels('{}')/messages?a", ids.first().map_or("", |id| id), ids.get(1).map_or("", |id| id));
            assert!(!is_page_link(&link, key, &trail()), "{link}");
        }
    }

    #[test]
    fn links_are_shortened_by_the_ids_of_their_partition() {
        for (link, short) in [
            (format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/delta?a"), "messages/delta?a"),
            (format!("/v1.0/teams('{TEAM}')/channels('{CHANNEL}')/messages?a"), "()messages?a"),
            (format!("/v1.0/teams('{TEAM}')/channels('19%3Ac_D-e%40thread.tacv2')/messages?a"), "(%)messages?a"),
            (format!("/v1.0/teams/{TEAM}/channels/19%3Ac_D-e%40thread.tacv2/messages?a"), "%messages?a"),
        ] {
            assert_eq!(shorten(&link, &key(), &trail()), short);
        }
        let other = format!("/v1.0/teams/{TEAM}/channels/19%3ac_D-e@thread.tacv2/messages?a");
        assert_eq!(shorten(&other, &key(), &trail()), other.as_str());
    }

    proptest! {
        #[test]
        fn a_shortened_link_expands_to_the_original(
            start in "/|(/v1.0/teams(/|\\(')t('\\))?/channels(/|\\(')19(:|%3A)c('\\))?/)",
            rest in "[a-z/()%'?=$.:0-9]{0,20}",
        ) {
            let (link, key) = (format!("{start}{rest}"), "t/19:c");
            prop_assert_eq!(expand(&shorten(&link, key, &trail()), key, &trail()), Some(link));
        }

        #[test]
        fn an_accepted_link_stays_within_its_partition(link in "/v1.0/teams(/|\\(')(t|T|\\.\\.|%2e)('\\))?(/|/\\./|\\\\|/channels/|/channels\\('){1,2}(c|C|\\.\\.)('\\))?(/messages|/delta|/replies|/\\.\\.|\\('x'\\)){1,3}\\?a") {
            if is_page_link(&link, "t/c", &trail()) || is_delta_link(&link, "t/c", &trail()) {
                let url = url::Url::parse(&format!("https://graph.microsoft.com{link}")).unwrap();
                prop_assert_eq!(format!("{}?a", url.path()), link.clone());
                prop_assert!(link.contains("channels/c/messages") || link.contains("channels('c')/messages"), "{}", link);
            }
        }
    }
}
