//! The HTTP client, and what the environment says about its way: proxy and certificates.

use std::{
    env,
    ffi::OsString,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{
    Uri,
    header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, USER_AGENT},
};
use percent_encoding::percent_decode_str;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::{Host, answer::Describe};
use crate::secrets::Secrets;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What Graph may send ahead of one body.
const STREAM_WINDOW: u32 = 256 * 1024;

/// The variables that name a proxy for https, in the order in which the first that says something counts.
const PROXIES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// The variable that names a file with certificates to be trusted.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// Why there is no client.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoClient {
    /// The environment names a proxy that cannot be used. To go past it could go against what its owner wants.
    #[error(
        "cannot use the proxy that {variable} names (its value is not shown, since it may hold a password): {reason}; \
        hint: {variable}=http://user:password@host:port, special characters percent-encoded"
    )]
    Proxy {
        /// The variable.
        variable: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// TLS cannot be set up, or an endpoint is no `http` or `https` URL.
    #[error("{0}")]
    Setup(String),
}

/// The way to a host. All requests over HTTP/2 share one connection, and a client uses it as long as it is open: where it brings no answer
/// any more, both are replaced.
#[derive(Debug)]
pub(super) struct Way {
    host: Host,
    secrets: Secrets,
    client: Mutex<Arc<reqwest::Client>>,
}

impl Way {
    /// The way to that host; nothing is connected yet.
    pub(super) fn new(host: &Host, secrets: &Secrets) -> Result<Self, NoClient> {
        let client = Mutex::new(Arc::new(http_client(host, secrets)?));
        Ok(Self { host: host.clone(), secrets: secrets.clone(), client })
    }

    /// The client of the next request.
    pub(super) fn client(&self) -> Arc<reqwest::Client> {
        self.current().clone()
    }

    /// Further requests take new connections, not those of the client that was used. What is under way on these goes on.
    pub(super) fn renew(&self, used: &Arc<reqwest::Client>) {
        let mut current = self.current();
        // Several requests may have waited on the same connection. Without a new client the old one must do.
        if Arc::ptr_eq(&current, used)
            && let Ok(fresh) = http_client(&self.host, &self.secrets)
        {
            *current = Arc::new(fresh);
        }
    }

    fn current(&self) -> MutexGuard<'_, Arc<reqwest::Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client for requests to that host. They go past every proxy if it is this machine, and through the one that the environment names
/// otherwise: what is not encrypted is only sent to this machine, so no proxy ever reads it.
fn http_client(host: &Host, secrets: &Secrets) -> Result<reqwest::Client, NoClient> {
    // The first caller wins; a second client finds the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tap-microsoft-teams/", env!("CARGO_PKG_VERSION"))));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    // Else new members of an enumeration come as unknownFutureValue (graph.md 2.0). Not remembered in links: sent with each request.
    headers.insert(PREFER, HeaderValue::from_static("include-unknown-enum-members"));
    // Bundled roots beside those of the system (SSL_CERT_FILE included): an image without certificates works too.
    let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|der| reqwest::Certificate::from_der(der).ok());
    let client = reqwest::Client::builder()
        .default_headers(headers)
        .tls_certs_merge(bundled)
        .redirect(reqwest::redirect::Policy::none())
        // Bodies are decompressed here, into the room that they have.
        .no_gzip()
        .no_brotli()
        .connect_timeout(Duration::from_secs(30))
        // A body that waits for room takes nothing off the connection: its window must have room for all that are in flight.
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(64 * STREAM_WINDOW)
        .pool_idle_timeout(Duration::from_secs(60));
    let client = if host.is_this_machine() {
        client.no_proxy()
    } else {
        check_proxy(|name| env::var_os(name), secrets)?;
        client
    };
    client.build().map_err(|error| NoClient::Setup(format!("cannot set up HTTPS: {}", error.describe())))
}

/// Fails if a proxy is named that the client would ignore. Its password becomes a secret of the run.
fn check_proxy(variable: impl Fn(&str) -> Option<OsString>, secrets: &Secrets) -> Result<(), NoClient> {
    let named =
        |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, variable(name).filter(|value| !value.is_empty())?)));
    let Some((variable, value)) = PROXIES.into_iter().find_map(named) else { return Ok(()) };
    let wrong = |reason| Err(NoClient::Proxy { variable, reason });
    let Ok(value) = value.into_string() else { return wrong("it is not text in UTF-8") };
    let Ok(uri) = value.parse::<Uri>() else { return wrong("it is not a URL") };
    let Some(authority) = uri.authority() else { return wrong("it has no host") };
    if let Some((_, password)) = authority.as_str().rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
        secrets.add(&percent_decode_str(password).decode_utf8_lossy());
    }
    match uri.scheme_str() {
        _ if authority.host().is_empty() => wrong("it has no host"),
        None | Some("http" | "https") => Ok(()),
        Some(scheme) if scheme.starts_with("socks") => wrong("proxies of the SOCKS kind are not supported"),
        Some(_) => wrong("it is neither http nor https"),
    }
}

/// What people should know if the environment names a file of certificates none of which can be trusted. An empty file says that there are
/// none.
pub fn unusable_certificates() -> Option<String> {
    let path = env::var_os(CERTIFICATES).filter(|path| !path.is_empty())?;
    let reason = match std::fs::read(&path) {
        Err(error) => error.to_string(),
        Ok(text) => {
            let mut certificates = CertificateDer::pem_slice_iter(&text).filter_map(Result::ok);
            let is_used = text.is_empty() || certificates.any(|certificate| RootCertStore::empty().add(certificate).is_ok());
            if is_used {
                return None;
            }
            "it holds no certificate in PEM".to_owned()
        }
    };
    let path = path.display();
    Some(format!("the certificates of {path}, which {CERTIFICATES} names, are not trusted: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(variables: &[(&str, &str)]) -> Result<(), String> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        check_proxy(variable, &Secrets::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_proxy_that_the_client_would_ignore_is_an_error_that_does_not_show_it() {
        for value in
            ["http://proxy:3128", "https://proxy", "proxy", "proxy:3128", "http://us%40er:p%40ss@proxy:3128/path", "http://[::1]:3128", ""]
        {
            for name in PROXIES.as_flattened() {
                assert_eq!(checked(&[(name, value)]), Ok(()), "{name}={value}");
            }
        }
        for (value, said) in [
            ("socks5h://me:hidden-5ecret@proxy:1080", "SOCKS"),
            ("ftp://proxy", "neither http nor https"),
            ("http://", "not a URL"),
            ("/proxy", "no host"),
            ("http://me:hidden 5ecret@proxy", "not a URL"),
            ("http://me:hidden-5ecret@", "no"),
            ("::", "not a URL"),
        ] {
            for name in PROXIES.as_flattened() {
                let error = checked(&[(name, value)]).unwrap_err();
                assert!(error.contains(said) && error.contains(name) && !error.contains("5ecret"), "{name}={value}: {error}");
            }
        }
        // What is not used does no harm.
        assert_eq!(checked(&[("HTTPS_PROXY", "http://proxy"), ("ALL_PROXY", "socks5://proxy"), ("HTTP_PROXY", "::")]), Ok(()));
    }

    #[test]
    fn the_password_of_a_proxy_is_a_secret() {
        let secrets = Secrets::default();
        check_proxy(|name| (name == "https_proxy").then(|| "http://me:hidden%2D5ecret@proxy".into()), &secrets).unwrap();
        assert_eq!(secrets.hide("me:hidden-5ecret"), "me:***");
    }
}
