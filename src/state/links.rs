//! The links in a state: which of them are taken back, and how those are written that hold the ids of their own partition.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::key::ids;

/// What stands before each id of a partition in Graph's paths, and at their end: `teams/T/channels/C/messages`.
const NAMES: [&str; 4] = ["teams", "channels", "messages", "replies"];

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
pub fn is_page(link: &str, key: &str) -> bool {
    below(link, key).is_some_and(|below| below.is_empty())
}

/// Whether a link, without scheme and host, is one of the delta of the partition of this key.
pub fn is_delta(link: &str, key: &str) -> bool {
    let is_function = |name: &str| {
        let name = name.strip_suffix("()").unwrap_or(name);
        ["delta", "microsoft.graph.delta"].iter().any(|function| name.eq_ignore_ascii_case(function))
    };
    below(link, key).is_some_and(|below| matches!(below.as_slice(), [name] if is_function(name)))
}

/// What the path of a link has below the list of the partition; [`None`] if it does not lead there, or if it could lead elsewhere.
fn below(link: &str, key: &str) -> Option<Vec<String>> {
    let (path, query) = link.split_once('?')?;
    let ids: Vec<String> = ids(key).collect();
    let climbs = |id: &String| id.contains(['/', '\\']) || id.chars().all(|char| char == '.');
    if query.is_empty() || link.contains(|char: char| char == '#' || char.is_control()) || ids.is_empty() || ids.iter().any(climbs) {
        return None;
    }
    let segments: Option<Vec<_>> = path.strip_prefix(ROOT)?.split('/').map(decoded).collect();
    let mut segments = segments?.into_iter();
    let mut names = NAMES.into_iter();
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
pub(super) fn shortened<'l>(link: &'l str, key: &str) -> Cow<'l, str> {
    let is_list = |rest: &&str| rest.starts_with(|char: char| char.is_ascii_alphabetic());
    let short = SPELLINGS.iter().find_map(|(mark, spelling)| {
        let rest = link.strip_prefix(&spelling.start(key)?)?;
        Some((mark, rest)).filter(|(_, rest)| is_list(rest))
    });
    match short {
        Some((&"", rest)) => Cow::Borrowed(rest),
        Some((mark, rest)) => Cow::Owned(format!("{mark}{rest}")),
        None => Cow::Borrowed(link),
    }
}

/// The link that was written.
pub(super) fn whole(written: &str, key: &str) -> Option<String> {
    if written.starts_with('/') {
        return Some(written.to_owned());
    }
    let spelled = SPELLINGS.iter().find_map(|(mark, spelling)| Some((spelling, written.strip_prefix(mark)?)));
    let (spelling, rest) = spelled?;
    Some(format!("{}{rest}", spelling.start(key)?))
}

impl Spelling {
    /// How all links of a partition begin that are spelled so, up to the name of their list.
    fn start(self, key: &str) -> Option<String> {
        let mut start = ROOT.to_owned();
        let mut names = NAMES.into_iter();
        for id in ids(key) {
            let name = names.next()?;
            let id = if self.is_encoded { utf8_percent_encode(&id, ENCODED).to_string() } else { id };
            start += &if self.is_bracketed { format!("{name}('{id}')/") } else { format!("{name}/{id}/") };
        }
        Some(start)
    }
}
