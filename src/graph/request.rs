//! A GET request to Graph v1.0, built from path segments and query options or from a link, with the rate limits that it counts against.

use std::{
    fmt::{self, Display, Write},
    hash::{Hash, Hasher},
};

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Class, Link, pace::scope::Scope};
use crate::level::Partition;

/// The characters that are encoded in path segments: all except unreserved characters, `:` and `@`. Graph's documentation does not encode the
/// last two in channel ids (RFC 3986, 3.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'@');

/// The characters that are encoded in the value of a query option.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'<').add(b'>');

/// A GET request without a host: every request goes to the one [`Host`](super::Host).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    path_and_query: String,
    scope: Scope,
    /// Whether it is a link from Graph, which must not be changed.
    is_link: bool,
}

impl Request {
    /// A request for a partition, or for the resource at these path segments below it.
    pub fn get<'a>(class: &'static Class, partition: &'a Partition, segments: impl IntoIterator<Item = &'a str>) -> Self {
        let path = format!("/v1.0{}", path(partition.path().into_iter().chain(segments)));
        Self { path_and_query: path, scope: Scope::new(class, partition), is_link: false }
    }

    /// A request for a function below `segment`, such as `/reports/getTeamsDeviceUsageUserDetail(period='D7')`.
    pub fn function(class: &'static Class, segment: &str, name: &str, argument: (&str, &str)) -> Self {
        // A quote in a string is doubled (OData 4.01, URL conventions 5.1.1.6.1).
        let value = utf8_percent_encode(&argument.1.replace('\'', "''"), SEGMENT).to_string().replace("%27", "'");
        let path = format!("/v1.0{}({}='{value}')", path([segment, name]), argument.0);
        Self { path_and_query: path, scope: Scope::new(class, &Partition::default()), is_link: false }
    }

    /// The request for a link in this list. The link already contains the query options.
    #[must_use]
    pub fn follow(&self, link: &Link) -> Self {
        Self { path_and_query: link.as_str().to_owned(), scope: self.scope.clone(), is_link: true }
    }

    /// Adds an OData query option, such as `$top`.
    #[must_use]
    pub fn query(mut self, option: &str, value: impl Display) -> Self {
        let separator = if self.path_and_query.contains('?') { '&' } else { '?' };
        let _ = write!(self.path_and_query, "{separator}{option}={}", utf8_percent_encode(&value.to_string(), QUERY));
        self
    }

    /// The same request without `$top`. [`None`] if this program did not add a `$top` to it.
    pub(super) fn without_top(&self) -> Option<Self> {
        let (path, query) = self.path_and_query.split_once('?').filter(|_| !self.is_link)?;
        let others: Vec<_> = query.split('&').filter(|option| !option.starts_with("$top=")).collect();
        let path_and_query = if others.is_empty() { path.to_owned() } else { format!("{path}?{}", others.join("&")) };
        (path_and_query != self.path_and_query).then_some(Self { path_and_query, scope: self.scope.clone(), is_link: false })
    }

    pub fn class(&self) -> &'static Class {
        self.scope.class()
    }

    pub(super) fn has_options(&self) -> bool {
        self.path_and_query.contains('?')
    }

    /// The kind of list: the last segment of the path, such as `members`.
    pub(super) fn kind(&self) -> &str {
        let path = self.path_and_query.split('?').next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// The rate limits that the request counts against.
    pub(super) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The encoded path and query.
    pub(super) fn path_and_query(&self) -> &str {
        &self.path_and_query
    }
}

/// Joins encoded segments to a path, so that an id cannot change the path.
pub(super) fn path<'a>(segments: impl IntoIterator<Item = &'a str>) -> String {
    let mut path = String::new();
    for segment in segments {
        // "." and ".." change the path even if they are encoded once. Graph never uses them as ids.
        let is_relative = matches!(segment, "." | "..");
        let segment = if is_relative { segment.replace('.', "%252E") } else { utf8_percent_encode(segment, SEGMENT).to_string() };
        let _ = write!(path, "/{segment}");
    }
    path
}

/// The scope is not hashed, because it follows from the path.
impl Hash for Request {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.path_and_query.hash(state);
    }
}

/// Shows method and path. The query may contain tokens.
impl Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "GET {}", self.path_and_query.split('?').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::graph::Host;

    fn messages(team: &str, channel: &str) -> Request {
        Request::get(&Class::MESSAGES, &Partition::channel(team, channel), ["messages"])
    }

    #[test]
    fn a_link_has_the_scope_of_its_list() {
        let messages = messages("t", "c");
        let followed = messages.follow(&Link::from_path("/v1.0/users('u')/members?$skiptoken=x").unwrap());
        assert_eq!((followed.scope(), followed.is_link), (messages.scope(), true));
    }

    #[test]
    fn ids_are_encoded_as_graph_writes_them() {
        let request = messages("a b", "19:x@thread.tacv2").query("$top", 50).query("$filter", "a gt 'é'");
        assert_eq!(request.path_and_query(), "/v1.0/teams/a%20b/channels/19:x@thread.tacv2/messages?$top=50&$filter=a%20gt%20'%C3%A9'");
        assert_eq!(request.to_string(), "GET /v1.0/teams/a%20b/channels/19:x@thread.tacv2/messages");
    }

    #[test]
    fn the_argument_of_a_function_stays_one_string() {
        let of = |value: &str| Request::function(&Class::OTHER, "reports", "getX", ("period", value)).to_string();
        assert_eq!(of("D7"), "GET /v1.0/reports/getX(period='D7')");
        assert_eq!(of("a'/../b?c"), "GET /v1.0/reports/getX(period='a''%2F..%2Fb%3Fc')");
    }

    #[test]
    fn the_page_size_is_removed_from_requests_but_not_from_links() {
        let messages = messages("t", "c");
        let request = messages.clone().query("$top", 50).query("$expand", "replies");
        let bare = request.without_top().unwrap();
        assert_eq!((bare.path_and_query(), bare.kind()), ("/v1.0/teams/t/channels/c/messages?$expand=replies", "messages"));
        assert_eq!(messages.clone().query("$top", 50).without_top(), Some(messages.clone()));
        assert_eq!((bare.without_top(), messages.without_top()), (None, None));
        let link = Link::from_path("/v1.0/groups?$top=5&$skiptoken=x").unwrap();
        assert_eq!(messages.follow(&link).without_top(), None);
    }

    proptest! {
        #[test]
        fn no_id_changes_the_path(id in r"(\PC|[./\\?#%\r\n\x00]){1,12}") {
            let host = Host::new(&Url::parse("https://graph.microsoft.com").unwrap()).unwrap();
            let url = host.url(Request::get(&Class::CHANNELS, &Partition::team(&id), ["channels"]).path_and_query()).unwrap();
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 4);
            prop_assert_eq!((segments[0], segments[1], segments[3]), ("v1.0", "teams", "channels"));
            prop_assert_eq!((url.query(), url.fragment()), (None, None));
        }
    }
}
