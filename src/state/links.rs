//! The links in a state: which of them are taken back, and how those are written that hold the ids of their own partition.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::level::{Trail, ids};

const ROOT: &str = "/v1.0/";

/// What is encoded in an id where Graph encodes it.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How a path names the ids, with the mark that stands in its place in a state: `teams/T`, `teams('T')`, each with the id as it is or encoded.
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

/// Whether a link, without scheme and host, is a page of the list of the partition of this key: `/v1.0/teams/T/channels/C/messages?...`, or
/// of a thread `.../messages/M/replies?...`.
pub fn is_page(link: &str, key: &str, trail: &Trail) -> bool {
    below(link, key, trail).is_some_and(|below| below.is_empty())
}

/// Whether a link, without scheme and host, is one of the delta of the partition of this key.
pub fn is_delta(link: &str, key: &str, trail: &Trail) -> bool {
    let is_function = |name: &str| {
        let name = name.strip_suffix("()").unwrap_or(name);
        ["delta", "microsoft.graph.delta"].iter().any(|function| name.eq_ignore_ascii_case(function))
    };
    below(link, key, trail).is_some_and(|below| matches!(below.as_slice(), [name] if is_function(name)))
}

/// What the path of a link has below the list of the partition; [`None`] if it does not lead there, or if it could lead elsewhere.
fn below(link: &str, key: &str, trail: &Trail) -> Option<Vec<String>> {
    let (path, query) = link.split_once('?')?;
    let ids: Vec<String> = ids(key).collect();
    let climbs = |id: &String| id.contains(['/', '\\']) || id.chars().all(|char| char == '.');
    if query.is_empty() || link.contains(|char: char| char == '#' || char.is_control()) || ids.is_empty() || ids.iter().any(climbs) {
        return None;
    }
    let segments: Option<Vec<_>> = path.strip_prefix(ROOT)?.split('/').map(decoded).collect();
    let mut segments = segments?.into_iter();
    let mut names = trail.iter();
    for (id, name) in ids.iter().zip(&mut names) {
        let segment = segments.next()?;
        let is_named = if segment.eq_ignore_ascii_case(name) {
            is_id(&segments.next()?, id)
        } else {
            let (start, rest) = segment.split_at_checked(name.len())?;
            start.eq_ignore_ascii_case(name) && is_id(rest.strip_prefix("('")?.strip_suffix("')")?, id)
        };
        if !is_named {
            return None;
        }
    }
    segments.next()?.eq_ignore_ascii_case(names.next()?).then(|| segments.collect())
}

/// A segment of a path; [`None`] if it is more than one, or none that is certain.
fn decoded(segment: &str) -> Option<String> {
    let segment = percent_decode_str(segment).decode_utf8().ok()?;
    (!segment.contains(['/', '\\', '%'])).then(|| segment.into_owned())
}

/// Whether a path names this id. Ids of teams and users are GUIDs, which Graph writes in small letters however they were asked for; all
/// others differ by case.
fn is_id(named: &str, id: &str) -> bool {
    named == id || named.eq_ignore_ascii_case(id) && id.len() == 36 && uuid::Uuid::try_parse(id).is_ok()
}

/// The link as it is written: without what the partition's ids say already.
pub(super) fn shortened<'l>(link: &'l str, key: &str, trail: &Trail) -> Cow<'l, str> {
    let is_list = |rest: &&str| rest.starts_with(|char: char| char.is_ascii_alphabetic());
    let short = SPELLINGS.iter().find_map(|(mark, spelling)| {
        let rest = link.strip_prefix(&spelling.start(key, trail)?)?;
        Some((mark, rest)).filter(|(_, rest)| is_list(rest))
    });
    match short {
        Some((&"", rest)) => Cow::Borrowed(rest),
        Some((mark, rest)) => Cow::Owned(format!("{mark}{rest}")),
        None => Cow::Borrowed(link),
    }
}

/// The link that was written.
pub(super) fn whole(written: &str, key: &str, trail: &Trail) -> Option<String> {
    if written.starts_with('/') {
        return Some(written.to_owned());
    }
    let spelled = SPELLINGS.iter().find_map(|(mark, spelling)| Some((spelling, written.strip_prefix(mark)?)));
    let (spelling, rest) = spelled?;
    Some(format!("{}{rest}", spelling.start(key, trail)?))
}

impl Spelling {
    /// How all links of a partition begin that are spelled so, up to the name of their list.
    fn start(self, key: &str, trail: &Trail) -> Option<String> {
        let mut start = ROOT.to_owned();
        let mut names = trail.iter();
        for id in ids(key) {
            let name = names.next()?;
            let id = if self.is_encoded { utf8_percent_encode(&id, ENCODED).to_string() } else { id };
            start += &if self.is_bracketed { format!("{name}('{id}')/") } else { format!("{name}/{id}/") };
        }
        Some(start)
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
    fn links_lead_to_their_own_list_only() {
        let team = TEAM.to_uppercase();
        for page in [
            format!("/v1.0/teams('{TEAM}')/channels('{CHANNEL}')/messages?$skiptoken=../x"),
            format!("/v1.0/teams('{TEAM}')/channels('19%3Ac_D-e%40thread.tacv2')/messages?$skiptoken=a"),
            format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages?$top=50&$skiptoken=a%23'\\"),
            // Graph writes a GUID in small letters, whatever it was asked for; and names as it likes.
            format!("/v1.0/teams/{team}/Channels('{CHANNEL}')/Messages?a"),
        ] {
            assert!(is_page(&page, &key(), &trail()) && !is_delta(&page, &key(), &trail()), "{page}");
        }
        for name in ["delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()", "Microsoft.Graph.Delta%28%29"] {
            let delta = format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/{name}?$deltatoken=a");
            assert!(is_delta(&delta, &key(), &trail()) && !is_page(&delta, &key(), &trail()), "{delta}");
        }
        let thread = format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/161/replies?a");
        assert!(is_page(&thread, &format!("{}/161", key()), &trail()) && !is_page(&thread, &format!("{}/162", key()), &trail()));
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
            // Each name has its own id, and the root has none.
            format!("/v1.0('teams')/{TEAM}('channels')/{CHANNEL}('messages')?a"),
            format!("/v1.0/teams('{TEAM}')('..')/channels('{CHANNEL}')/messages?a"),
            String::new(),
        ] {
            assert!(!is_page(&bad, &key(), &trail()) && !is_delta(&bad, &key(), &trail()), "{bad}");
        }
        for key in ["../c", "t/..", "t%2Fx/c", "t\\x/c", ""] {
            let ids: Vec<_> = ids(key).collect();
            let link =
                format!("/v1.0/teams('{}')/channels('{}')/messages?a", ids.first().map_or("", |id| id), ids.get(1).map_or("", |id| id));
            assert!(!is_page(&link, key, &trail()), "{link}");
        }
    }

    #[test]
    fn what_the_ids_say_already_is_not_written() {
        for (link, short) in [
            (format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/delta?a"), "messages/delta?a"),
            (format!("/v1.0/teams('{TEAM}')/channels('{CHANNEL}')/messages?a"), "()messages?a"),
            (format!("/v1.0/teams('{TEAM}')/channels('19%3Ac_D-e%40thread.tacv2')/messages?a"), "(%)messages?a"),
            (format!("/v1.0/teams/{TEAM}/channels/19%3Ac_D-e%40thread.tacv2/messages?a"), "%messages?a"),
        ] {
            assert_eq!(shortened(&link, &key(), &trail()), short);
        }
        let other = format!("/v1.0/teams/{TEAM}/channels/19%3ac_D-e@thread.tacv2/messages?a");
        assert_eq!(shortened(&other, &key(), &trail()), other.as_str());
    }

    proptest! {
        #[test]
        fn a_link_that_was_shortened_is_the_same_again(
            start in "/|(/v1.0/teams(/|\\(')t('\\))?/channels(/|\\(')19(:|%3A)c('\\))?/)",
            rest in "[a-z/()%'?=$.:0-9]{0,20}",
        ) {
            let (link, key) = (format!("{start}{rest}"), "t/19:c");
            prop_assert_eq!(whole(&shortened(&link, key, &trail()), key, &trail()), Some(link));
        }

        #[test]
        fn a_url_that_is_taken_is_one_of_the_partition(link in "/v1.0/teams(/|\\(')(t|T|\\.\\.|%2e)('\\))?(/|/\\./|\\\\|/channels/|/channels\\('){1,2}(c|C|\\.\\.)('\\))?(/messages|/delta|/replies|/\\.\\.|\\('x'\\)){1,3}\\?a") {
            if is_page(&link, "t/c", &trail()) || is_delta(&link, "t/c", &trail()) {
                let url = url::Url::parse(&format!("https://graph.microsoft.com{link}")).unwrap();
                prop_assert_eq!(format!("{}?a", url.path()), link.clone());
                prop_assert!(link.contains("channels/c/messages") || link.contains("channels('c')/messages"), "{}", link);
            }
        }
    }
}
