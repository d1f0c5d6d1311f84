//! Proxies and certificates from the environment: what a proxy may see, and unusable values.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use graph_sim::{GraphSim, Options, TenantSpec, Tls};
use serde_json::{Value, json};

use crate::support::{ALL, Tap, config, configured, everything, tenant};

/// A proxy on this machine that records what it receives.
struct Proxy {
    url: String,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (url, seen) = (format!("http://{}", listener.local_addr().unwrap()), Arc::<Mutex<Vec<u8>>>::default());
        let keep = seen.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let keep = keep.clone();
                thread::spawn(move || refuse(stream.unwrap(), &keep));
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).into_owned()
    }

    /// The environment variables that send every request through the proxy.
    fn environment(&self) -> [(&str, &str); 6] {
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, self.url.as_str()))
    }
}

/// Records the request, even if the connection is closed without one.
fn refuse(mut stream: TcpStream, keep: &Mutex<Vec<u8>>) {
    keep.lock().unwrap().extend(b"connected ");
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut request = [0; 4096];
    let length = stream.read(&mut request).unwrap_or(0);
    keep.lock().unwrap().extend(&request[..length]);
    let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

/// Runs every command; returns the exit codes.
fn runs(tap: &Tap, environment: &[(&str, &str)]) -> Vec<Option<i32>> {
    tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
    let commands: [&[&str]; 4] = [&["check"], &["read", "--catalog", "catalog.json"], &[], &["plan"]];
    commands.map(|command| tap.execute(&[command, &["--config", "config.json"]].concat(), environment).status).into()
}

#[test]
fn no_proxy_is_used_for_this_machine() {
    let proxy = Proxy::start();
    let tls = GraphSim::start(Options { tls: Tls::On, ..Options::new(TenantSpec::uniform(1, 1, 5)) }).unwrap();
    let plain = tenant(1, 1, 5);
    let by_name = plain.login_url().replace("127.0.0.1", "localhost");
    for (sim, more) in [(&plain, json!({})), (&plain, json!({"login_url": by_name})), (&tls, json!({}))] {
        let mut settings = everything();
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let tap = Tap::new(&config(sim, settings));
        let ca = tap.file("ca.pem", sim.ca_pem().unwrap_or_default());
        for no_proxy in ["", "example.com"] {
            let mut environment = proxy.environment().to_vec();
            environment.extend([("SSL_CERT_FILE", ca.to_str().unwrap()), ("NO_PROXY", no_proxy)]);
            assert_eq!(runs(&tap, &environment), [Some(0); 4], "{more}");
        }
    }
    assert_eq!(proxy.seen(), "");
}

/// If only one of the two hosts is this machine, the other one is contacted through the proxy, which sees only its name.
#[test]
fn a_proxy_sees_only_the_host_name() {
    let sim = tenant(1, 1, 5);
    for (door, host) in [("login_url", "login.invalid"), ("graph_url", "graph.invalid")] {
        let proxy = Proxy::start();
        let tap = Tap::new(&config(&sim, json!({"fetch_all_teams": true, door: format!("https://{host}")})));
        assert!(runs(&tap, &proxy.environment()).iter().all(|status| *status != Some(0)));
        let seen = proxy.seen();
        assert!(seen.contains(&format!("CONNECT {host}:443 ")) && !seen.to_lowercase().contains("bearer"), "{seen}");
        assert!(!seen.contains("127.0.0.1") && !seen.contains("secret") && !seen.contains("POST"), "{seen}");
    }
}

#[test]
fn an_unusable_proxy_is_an_error_and_never_bypassed() {
    let sim = tenant(1, 1, 5);
    let away = config(&sim, json!({"fetch_all_teams": true, "login_url": "https://login.invalid"}));
    let mut reported = Vec::new();
    for (name, value) in [
        ("HTTPS_PROXY", "socks5://me:hidden-5ecret@127.0.0.1:1"),
        ("https_proxy", "http://me:hidden 5ecret@proxy"),
        ("ALL_PROXY", "ftp://me:hidden-5ecret@proxy"),
    ] {
        let tap = Tap::new(&away);
        let checked = tap.run_with(&["check", "--config", "config.json"], &[(name, value)]);
        let status = &checked.only("CONNECTION_STATUS")["connectionStatus"];
        assert_eq!((checked.status, &status["status"]), (Some(0), &Value::from("FAILED")), "{name}");
        assert!(!status.to_string().contains("5ecret"), "{status}");
        reported.push(status["message"].as_str().unwrap().to_owned());
        for finished in [
            tap.execute(&["--config", "config.json"], &[(name, value)]),
            tap.execute(&["plan", "--config", "config.json"], &[(name, value)]),
        ] {
            let text = finished.stdout + &finished.stderr;
            assert!(finished.status == Some(1) && text.contains(&format!("CRITICAL cannot use the proxy in {name} ")), "{text}");
            assert!(!text.contains("5ecret"), "{text}");
        }
        // An unusable proxy is no problem if no proxy is used.
        assert_eq!(runs(&Tap::new(&config(&sim, everything())), &[(name, value)]), [Some(0); 4], "{name}");
    }
    insta::assert_snapshot!(reported.join("\n"));
}

#[test]
fn unusable_certificates_are_a_warning() {
    let sim = tenant(1, 1, 5);
    let tap = Tap::new(&config(&sim, everything()));
    tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
    tap.file("key.pem", "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n");
    tap.file("empty.pem", "");
    for (path, reported) in [
        ("absent.pem", "No such file or directory"),
        (".", "Is a directory"),
        ("config.json", "it contains no PEM certificate"),
        ("key.pem", "it contains no PEM certificate"),
        ("empty.pem", ""),
    ] {
        let environment = [("SSL_CERT_FILE", path)];
        let text = format!("ignoring the certificates in {path} (from SSL_CERT_FILE): {reported}");
        let commands: [&[&str]; 4] = [&["check"], &["read", "--catalog", "catalog.json"], &[], &["plan"]];
        for command in commands {
            let finished = tap.execute(&[command, &["--config", "config.json"]].concat(), &environment);
            let written = finished.stdout + &finished.stderr;
            assert_eq!((finished.status, written.contains(&text)), (Some(0), !reported.is_empty()), "{path} {command:?}: {written}");
        }
    }
}
