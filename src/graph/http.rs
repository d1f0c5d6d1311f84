//! The HTTP client, with the proxy and certificates from the environment.

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

use super::{Host, response::Describe};
use crate::secrets::Secrets;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The HTTP/2 flow-control window of a stream: how many bytes Graph may send before they are read.
const STREAM_WINDOW: u32 = 256 * 1024;

/// The environment variables that set a proxy for https. The first one that is set is used.
const PROXY_VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// The environment variable with the path of a file of trusted certificates.
const CERTIFICATES_VARIABLE: &str = "SSL_CERT_FILE";

/// Why a client could not be created.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The configured proxy cannot be used. It is not bypassed, because that could violate the network's policy.
    #[error(
        "cannot use the proxy in {variable} (its value is hidden, because it may contain a password): {reason}; \
        hint: set {variable}=http://user:password@host:port, with special characters percent-encoded"
    )]
    Proxy { variable: &'static str, reason: &'static str },
    /// TLS cannot be set up, or an endpoint is not an `http` or `https` URL.
    #[error("{0}")]
    Setup(String),
}

/// The HTTP client for one host. With HTTP/2, all requests share one connection for as long as it is open, so if a connection no longer
/// responds, it is replaced together with its client.
#[derive(Debug)]
pub(super) struct Connection {
    host: Host,
    secrets: Secrets,
    client: Mutex<Arc<reqwest::Client>>,
}

impl Connection {
    /// Creates the client without connecting.
    pub(super) fn new(host: &Host, secrets: &Secrets) -> Result<Self, ClientError> {
        let client = Mutex::new(Arc::new(http_client(host, secrets)?));
        Ok(Self { host: host.clone(), secrets: secrets.clone(), client })
    }

    /// The client for the next request.
    pub(super) fn client(&self) -> Arc<reqwest::Client> {
        self.current().clone()
    }

    /// Makes later requests use a new connection instead of the `used` client's connection. Requests in flight are not affected.
    pub(super) fn replace(&self, used: &Arc<reqwest::Client>) {
        let mut current = self.current();
        // Another request may have replaced the client already. If no new client can be created, the old one is kept.
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

/// Creates a client for requests to the host. Requests to this machine bypass every proxy; all others use the proxy from the environment.
/// Only requests to this machine may be unencrypted, so a proxy never reads one.
fn http_client(host: &Host, secrets: &Secrets) -> Result<reqwest::Client, ClientError> {
    // The provider is global. Installing it a second time fails, which is harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("tap-microsoft-teams/", env!("CARGO_PKG_VERSION"))));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    // Without this header, Graph sends new enum members as unknownFutureValue (graph.md 2.0). Links do not preserve it, so it is sent with each
    // request.
    headers.insert(PREFER, HeaderValue::from_static("include-unknown-enum-members"));
    // Bundled root certificates in addition to those of the system (including SSL_CERT_FILE), so that an image without certificates works.
    let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|der| reqwest::Certificate::from_der(der).ok());
    let client = reqwest::Client::builder()
        .default_headers(headers)
        .tls_certs_merge(bundled)
        .redirect(reqwest::redirect::Policy::none())
        // This crate decompresses bodies itself, into bounded buffers.
        .no_gzip()
        .no_brotli()
        .connect_timeout(Duration::from_secs(30))
        // While a body waits for memory, it is not read from the connection, so the connection's window must fit all streams in flight.
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(64 * STREAM_WINDOW)
        .pool_idle_timeout(Duration::from_secs(60));
    let client = if host.is_loopback() {
        client.no_proxy()
    } else {
        check_proxy(|name| env::var_os(name), secrets)?;
        client
    };
    client.build().map_err(|error| ClientError::Setup(format!("cannot set up HTTPS: {}", error.describe())))
}

/// Fails if the environment sets a proxy that the client would ignore. Adds its password to the secrets.
fn check_proxy(variable: impl Fn(&str) -> Option<OsString>, secrets: &Secrets) -> Result<(), ClientError> {
    let first_set =
        |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, variable(name).filter(|value| !value.is_empty())?)));
    let Some((variable, value)) = PROXY_VARIABLES.into_iter().find_map(first_set) else { return Ok(()) };
    let unusable = |reason| Err(ClientError::Proxy { variable, reason });
    let Ok(value) = value.into_string() else { return unusable("it is not UTF-8 text") };
    let Ok(uri) = value.parse::<Uri>() else { return unusable("it is not a URL") };
    let Some(authority) = uri.authority() else { return unusable("it has no host") };
    if let Some((_, password)) = authority.as_str().rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
        secrets.add(&percent_decode_str(password).decode_utf8_lossy());
    }
    match uri.scheme_str() {
        _ if authority.host().is_empty() => unusable("it has no host"),
        None | Some("http" | "https") => Ok(()),
        Some(scheme) if scheme.starts_with("socks") => unusable("SOCKS proxies are not supported"),
        Some(_) => unusable("its scheme is neither http nor https"),
    }
}

/// Returns a warning if the environment sets a certificate file that contains no usable certificate. An empty file is accepted.
pub fn unusable_certificates() -> Option<String> {
    let path = env::var_os(CERTIFICATES_VARIABLE).filter(|path| !path.is_empty())?;
    let reason = match std::fs::read(&path) {
        Err(error) => error.to_string(),
        Ok(text) => {
            let mut certificates = CertificateDer::pem_slice_iter(&text).filter_map(Result::ok);
            let is_used = text.is_empty() || certificates.any(|certificate| RootCertStore::empty().add(certificate).is_ok());
            if is_used {
                return None;
            }
            "it contains no PEM certificate".to_owned()
        }
    };
    let path = path.display();
    Some(format!("ignoring the certificates in {path} (from {CERTIFICATES_VARIABLE}): {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(variables: &[(&str, &str)]) -> Result<(), String> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        check_proxy(variable, &Secrets::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_unusable_proxy_is_an_error_that_hides_its_value() {
        for value in
            ["http://proxy:3128", "https://proxy", "proxy", "proxy:3128", "http://us%40er:p%40ss@proxy:3128/path", "http://[::1]:3128", ""]
        {
            for name in PROXY_VARIABLES.as_flattened() {
                assert_eq!(checked(&[(name, value)]), Ok(()), "{name}={value}");
            }
        }
        for (value, reason) in [
            ("socks5h://me:hidden-5ecret@proxy:1080", "SOCKS"),
            ("ftp://proxy", "neither http nor https"),
            ("http://", "not a URL"),
            ("/proxy", "no host"),
            ("http://me:hidden 5ecret@proxy", "not a URL"),
            ("http://me:hidden-5ecret@", "no"),
            ("::", "not a URL"),
        ] {
            for name in PROXY_VARIABLES.as_flattened() {
                let error = checked(&[(name, value)]).unwrap_err();
                assert!(error.contains(reason) && error.contains(name) && !error.contains("5ecret"), "{name}={value}: {error}");
            }
        }
        // An unusable value is not an error if the variable is not used.
        assert_eq!(checked(&[("HTTPS_PROXY", "http://proxy"), ("ALL_PROXY", "socks5://proxy"), ("HTTP_PROXY", "::")]), Ok(()));
    }

    #[test]
    fn the_password_of_a_proxy_is_a_secret() {
        let secrets = Secrets::default();
        check_proxy(|name| (name == "https_proxy").then(|| "http://me:hidden%2D5ecret@proxy".into()), &secrets).unwrap();
        assert_eq!(secrets.hide("me:hidden-5ecret"), "me:***");
    }
}
