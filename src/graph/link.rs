//! The Graph host and its links. Links to other hosts or outside `/v1.0` are rejected, so that the token cannot leak.

use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

/// The target of a link that cannot be parsed, for messages.
const NOT_A_URL: &str = "something that is not an absolute URL";

/// Scheme, host and port of Microsoft Graph in one cloud.
#[derive(Clone, Debug, PartialEq)]
pub struct Host(Url);

/// A nextLink or deltaLink that has been checked against the [`Host`]. Contains its unchanged path and query, without scheme and host.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Link(String);

impl Host {
    /// Uses the scheme, host and port of the URL. [`None`] if requests cannot be sent to it.
    pub fn new(url: &Url) -> Option<Self> {
        let mut origin = url.clone();
        origin.set_path("/");
        origin.set_query(None);
        origin.set_fragment(None);
        (url.has_host() && matches!(url.scheme(), "https" | "http")).then_some(Self(origin))
    }

    /// Whether requests stay on this machine and bypass proxies. The configuration allows plain http only for this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let is_loopback_host = match self.0.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.to_canonical().is_loopback(),
            None => false,
        };
        is_loopback_host || self.0.scheme() == "http"
    }

    /// Checks a link from Graph. It must be absolute, point to this host, and be below `/v1.0`.
    ///
    /// # Errors
    /// Returns what the link points to, for a message.
    pub(super) fn link(&self, text: &str) -> Result<Link, String> {
        let url = Url::parse(text).map_err(|_| NOT_A_URL.to_owned())?;
        let origin = url.origin().ascii_serialization();
        if url.origin() != self.0.origin() || !url.username().is_empty() || url.password().is_some() {
            return Err(format!("{origin}, which is not the configured Graph host"));
        }
        if !is_below_version(&url) {
            return Err(format!("{origin}, but not below /v1.0"));
        }
        let authority = text.find("://").map_or(0, |at| at + 3);
        let path = text[authority..].find('/').map_or("/", |at| &text[authority + at..]);
        // URL parsers tolerate backslashes and missing slashes. The stored path must result in the same URL.
        if self.url(path).as_ref() != Some(&url) {
            return Err(NOT_A_URL.to_owned());
        }
        Ok(Link(path.to_owned()))
    }

    /// The URL of a path and query on this host.
    pub(super) fn url(&self, path_and_query: &str) -> Option<Url> {
        // Joining could change the host ("//other/"); concatenating cannot.
        if !path_and_query.starts_with('/') {
            return None;
        }
        let url = Url::parse(&format!("{}{path_and_query}", self.0.as_str().trim_end_matches('/'))).ok()?;
        (url.origin() == self.0.origin()).then_some(url)
    }
}

/// Checks the redirect to a report file. It must be an https URL on a reports host or, if Graph's host is this machine, a URL on that host. The
/// path may contain a token and is never shown.
///
/// # Errors
/// Returns what the link points to, for a message.
pub(super) fn report_file(location: &str, graph: &Host) -> Result<(Host, Url), String> {
    let url = Url::parse(location).map_err(|_| NOT_A_URL.to_owned())?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_allowed = if graph.is_loopback() {
        url.origin() == graph.0.origin()
    } else {
        url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(is_reports_host)
    };
    let host = Host::new(&url).filter(|_| is_plain && is_allowed);
    let foreign = || format!("{}, which is not one of Microsoft's https report hosts", url.origin().ascii_serialization());
    Ok((host.ok_or_else(foreign)?, url))
}

/// Whether a host is `reports.office.com` or a regional one, such as `reportsweu.office.com` (graph.md 7.3).
fn is_reports_host(host: &str) -> bool {
    let region = host.strip_prefix("reports").and_then(|rest| rest.strip_suffix(".office.com"));
    region.is_some_and(|region| matches!(region.len(), 0 | 3) && region.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Whether a URL is below `/v1.0`, even if the server decodes `%2F`, `%5C` and `%2E`.
fn is_below_version(url: &Url) -> bool {
    let has_dot_segments = |path: &str| path.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."));
    url.path().starts_with("/v1.0/") && !has_dot_segments(&percent_decode_str(url.path()).decode_utf8_lossy())
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.origin().ascii_serialization())
    }
}

impl Link {
    /// Restores a stored link. A path and query cannot point to another host.
    pub fn from_path(text: &str) -> Option<Self> {
        text.starts_with('/').then(|| Self(text.to_owned()))
    }

    /// Path and query as sent by Graph.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> Host {
        Host::new(&Url::parse("https://graph.microsoft.com").unwrap()).unwrap()
    }

    #[test]
    fn links_to_this_host_are_kept_byte_for_byte() {
        for path in ["/v1.0/teams('a')/channels('19:b@thread.tacv2')/messages?$top=50&$skiptoken=W%3aM~'x'", "/v1.0/a%2Fb?x=%7e"] {
            assert_eq!(host().link(&format!("https://graph.microsoft.com{path}")).unwrap().as_str(), path);
        }
        assert_eq!(host().link("https://GRAPH.microsoft.com:443/v1.0/a").unwrap().as_str(), "/v1.0/a");
    }

    #[test]
    fn links_to_anywhere_else_are_refused() {
        for foreign in [
            "http://graph.microsoft.com/v1.0/a",
            "https://graph.microsoft.com:8443/v1.0/a",
            "https://graph.microsoft.com.evil.example/v1.0/a",
            "https://graph.microsoft.com@evil.example/v1.0/a",
            "https://user:password@graph.microsoft.com/v1.0/a",
            "//evil.example/v1.0/a",
            "/v1.0/a",
            "https:/graph.microsoft.com/v1.0/a",
            "https://graph.microsoft.com\\v1.0/a",
            "https://graph.microsoft.com?path=/v1.0/a",
            "file:///etc/passwd",
            "",
        ] {
            assert!(host().link(foreign).is_err(), "{foreign}");
        }
    }

    #[test]
    fn links_to_elsewhere_on_this_host_are_refused() {
        for path in [
            "/",
            "/v1.0",
            "/beta/teams",
            "/v1.0beta/teams",
            "/V1.0/teams",
            "//v1.0/teams",
            "/v1.0/../beta/teams",
            "/v1.0/%2e%2e/beta/teams",
            "/v1.0/..%2fbeta/teams",
            "/v1.0/.%2E%5Cbeta/teams",
            "/v1.0/..\\beta/teams",
            "?/v1.0/teams",
        ] {
            let refused = host().link(&format!("https://graph.microsoft.com{path}")).unwrap_err();
            assert!(refused == "https://graph.microsoft.com, but not below /v1.0" || refused == NOT_A_URL, "{path}: {refused}");
        }
    }

    #[test]
    fn reports_are_downloaded_from_reports_hosts_only() {
        for known in ["https://reports.office.com/data/x?token=y", "https://reportsweu.office.com:443/data/x"] {
            assert_eq!(report_file(known, &host()).map(|(_, url)| url.to_string()), Ok(known.replace(":443", "")));
        }
        for foreign in [
            "http://reports.office.com/data/s3cret",
            "https://reports.office.com:8443/data/s3cret",
            "https://reports.office.com.evil.example/s3cret",
            "https://reports.evil.office.com/s3cret",
            "https://reports-x.office.com/s3cret",
            "https://user@reports.office.com/s3cret",
            "https://graph.microsoft.com/s3cret",
            "https://127.0.0.1/s3cret",
            "/data/s3cret",
            "",
        ] {
            assert!(report_file(foreign, &host()).is_err_and(|place| !place.contains("s3cret")), "{foreign}");
        }
        let own = Host::new(&Url::parse("http://127.0.0.1:8080").unwrap()).unwrap();
        assert!(report_file("http://127.0.0.1:8080/data/x", &own).is_ok());
        for foreign in ["http://127.0.0.1:8081/data/x", "https://reports.office.com/data/x"] {
            assert!(report_file(foreign, &own).is_err(), "{foreign}");
        }
    }

    #[test]
    fn all_loopback_names_are_recognized() {
        let is_loopback = |url: &str| Host::new(&Url::parse(url).unwrap()).unwrap().is_loopback();
        let own = [
            "http://127.0.0.1:1",
            "https://127.8.9.1",
            "https://LOCALHOST",
            "https://a.localhost",
            "https://[::1]",
            "https://[::ffff:127.0.0.1]",
            "http://graph.microsoft.com",
        ];
        for url in own {
            assert!(is_loopback(url), "{url}");
        }
        for url in
            ["https://graph.microsoft.com", "https://localhost.evil.example", "https://128.0.0.1", "https://[::2]", "https://notlocalhost"]
        {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn no_path_leaves_the_host() {
        assert_eq!(host().url("/v1.0/groups?$top=1").unwrap().as_str(), "https://graph.microsoft.com/v1.0/groups?$top=1");
        for path in ["@evil.example/", ".evil.example/", ":81/", "user@graph.microsoft.com/"] {
            assert_eq!(host().url(path), None, "{path}");
        }
        assert_eq!(host().url("//evil.example/a").unwrap().host_str(), Some("graph.microsoft.com"));
    }
}
