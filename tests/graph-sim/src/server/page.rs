//! The JSON around the items of a page: its annotations; and faults that damage it.

use crate::{encode::JsonOut, faults::LinkFault};

/// The annotations of a page.
#[derive(Debug, Default)]
pub(crate) struct Head<'a> {
    pub(crate) context: &'a str,
    pub(crate) count: Option<usize>,
    pub(crate) next_link: Option<String>,
    pub(crate) delta_link: Option<String>,
}

impl Head<'_> {
    /// Writes the start of a page. Items separated by commas and [`close`] must follow.
    pub(crate) fn open(&self, out: &mut Vec<u8>) {
        out.raw("{\"@odata.context\":");
        out.string(self.context);
        if let Some(count) = self.count {
            out.raw(",\"@odata.count\":");
            out.number(count as u64);
        }
        for (name, link) in [(",\"@odata.nextLink\":", &self.next_link), (",\"@odata.deltaLink\":", &self.delta_link)] {
            if let Some(link) = link {
                out.raw(name);
                out.string(link);
            }
        }
        out.raw(VALUE);
    }
}

const VALUE: &str = ",\"value\":[";

pub(crate) fn close(out: &mut Vec<u8>) {
    out.raw("]}");
}

/// Damages the link of a page that [`Head::open`] started. `own` is the URL of the request, `first` the URL of the first page of the list.
pub(crate) fn damage_link(page: &[u8], fault: &LinkFault, own: &str, first: &str) -> Vec<u8> {
    let Some((head, items)) = split(page) else { return page.to_vec() };
    let (key, link) = match (between(&head, "\"@odata.nextLink\":\""), between(&head, "\"@odata.deltaLink\":\"")) {
        (Some(link), _) => ("\"@odata.nextLink\":\"", link),
        (None, Some(link)) => ("\"@odata.deltaLink\":\"", link),
        (None, None) => return page.to_vec(),
    };
    let whole = format!(",{key}{link}\"");
    let with = |link: &str| head.replace(&whole, &format!(",{key}{link}\""));
    let head = match fault {
        LinkFault::Origin(origin) => with(&format!("{origin}{}", path_of(&link))),
        LinkFault::Same => with(own),
        LinkFault::First => with(first),
        LinkFault::To(text) => with(text),
        LinkFault::Neither => head.replace(&whole, ""),
        LinkFault::Both => {
            let other = if key.contains("next") { "\"@odata.deltaLink\":\"" } else { "\"@odata.nextLink\":\"" };
            format!("{head},{other}{link}\"")
        }
    };
    [head.as_bytes(), VALUE.as_bytes(), items].concat()
}

/// Renames `value` of a page.
pub(crate) fn without_value(page: &[u8]) -> Vec<u8> {
    match split(page) {
        Some((head, items)) => [head.as_bytes(), b",\"values\":[", items].concat(),
        None => page.to_vec(),
    }
}

/// Replaces `value` of a page by an object.
pub(crate) fn with_value_object(page: &[u8]) -> Vec<u8> {
    match split(page) {
        Some((head, _)) => [head.as_bytes(), b",\"value\":{\"id\":\"1\"}}"].concat(),
        None => page.to_vec(),
    }
}

fn split(page: &[u8]) -> Option<(String, &[u8])> {
    let at = page.windows(VALUE.len()).position(|window| window == VALUE.as_bytes())?;
    let head = String::from_utf8_lossy(&page[..at]).into_owned();
    Some((head, &page[at + VALUE.len()..]))
}

fn between(text: &str, key: &str) -> Option<String> {
    let (_, rest) = text.split_once(key)?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

/// The URL without scheme and host.
fn path_of(url: &str) -> &str {
    url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|slash| &rest[slash..])).unwrap_or(url)
}
