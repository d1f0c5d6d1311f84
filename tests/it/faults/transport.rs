//! Connection failures: broken, stalled, trickling or misdirected connections, certificates, proxies.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::Stdio,
    thread,
};

use graph_sim::{Class, Fault, GraphSim, Options, Rule, TenantSpec, Tls};
use serde_json::{Value, json};

use super::{ROUTES, with_threads};
use crate::{
    incremental::{HOUR, MESSAGES, reader},
    support::{ALL, Output, Protocol, Tap, config, configured, everything, tenant},
};

/// Graph's time is sped up so that a stall lasts a tenth of a second.
fn fast_clock(sim: &GraphSim) -> Value {
    let mut settings = everything();
    settings["pace"] = 1000.into();
    config(sim, settings)
}

#[test]
fn a_connection_that_breaks_or_stalls_permanently_is_reported_with_its_cause() {
    let broken = "the request failed: client error (SendRequest)";
    let faults = [
        (Fault::Reset, broken),
        (Fault::ResetInBody, "the response body is truncated or corrupt"),
        (Fault::Truncate, "the response body is truncated or corrupt"),
        (Fault::Stall, "no response in time"),
        (Fault::StallInBody, "no response in time"),
    ];
    let check = |class: Class, fails: &[&str]| {
        let sim = with_threads();
        for (fault, reported) in &faults {
            sim.clear_faults();
            sim.inject(Rule::new(fault.clone()).class(class));
            let output = Tap::new(&fast_clock(&sim)).read(&ALL);
            assert_eq!(output.status, Some(1), "{fault:?} {class:?}");
            let errors = output.errors();
            assert_eq!(errors.iter().map(|error| error.1).collect::<BTreeSet<_>>(), fails.iter().copied().collect(), "{fault:?} {class:?}");
            for (kind, _, text) in errors {
                // A reset discards unread data, including headers.
                let is_said = text.contains(reported) || matches!(fault, Fault::ResetInBody) && text.contains(broken);
                assert!(kind == "transient_error" && is_said && text.contains("tried 7 times"), "{fault:?} {class:?}: {text}");
            }
            for stream in ALL {
                let status = if fails.contains(&stream) { "INCOMPLETE" } else { "COMPLETE" };
                assert_eq!(output.statuses(stream).last(), Some(&status), "{fault:?} {class:?} {stream}");
            }
        }
    };
    thread::scope(|scope| {
        for (class, fails) in ROUTES.into_iter().chain([(Class::Token, &ALL[..])]) {
            scope.spawn(move || check(class, fails));
        }
        scope.spawn(|| {
            for (fault, reported) in &faults {
                // Delta only saves requests: the walk finds what delta does not report.
                let mut reader = reader(20).streams(&[MESSAGES]).with(json!({"pace": 1000}));
                for _ in 0..2 {
                    reader.read();
                    reader.later(HOUR);
                }
                reader.post("new");
                reader.sim.inject(Rule::new(fault.clone()).class(Class::Delta));
                let run = reader.read();
                assert_eq!((run.request_count(Class::Delta), run.warnings(reported).len()), (7, 1), "{fault:?}");
                reader.assert_complete();
            }
        });
    });
}

/// Reads a tenant of 40 messages over HTTP/2 with this fault once, and these environment variables.
fn over_http2(fault: Fault, class: Class, variables: &[(&str, &str)]) -> (GraphSim, Tap, Output) {
    let mut spec = TenantSpec::uniform(1, 2, 20);
    spec.groups_without_team = 0;
    let sim = GraphSim::start(Options { tls: Tls::On, ..Options::new(spec).manual_clock() }).unwrap();
    sim.inject(Rule::new(fault).class(class).times(1));
    let tap = Tap::new(&fast_clock(&sim));
    let ca = tap.file("ca.pem", sim.ca_pem().unwrap());
    tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
    let variables: Vec<_> = [("SSL_CERT_FILE", ca.to_str().unwrap())].into_iter().chain(variables.iter().copied()).collect();
    let output = tap.run_with(&["read", "--config", "config.json", "--catalog", "catalog.json"], &variables);
    (sim, tap, output)
}

/// Over HTTP/2 all requests share a connection, which may stay open without data, for example after the machine was suspended.
#[test]
fn a_silent_connection_is_replaced() {
    for class in [Class::Messages, Class::Token] {
        let (_sim, _tap, output) = over_http2(Fault::Silence, class, &[]);
        assert_eq!((output.status, output.counts()["messages"]), (Some(0), 40), "{class:?}: {:?}", output.errors());
    }
}

#[test]
fn broken_http_2_requests_are_retried() {
    for fault in [Fault::Reset, Fault::ResetInBody, Fault::Truncate, Fault::Stall, Fault::StallInBody] {
        let (_sim, _tap, output) = over_http2(fault.clone(), Class::Messages, &[]);
        assert_eq!((output.status, output.counts()["messages"]), (Some(0), 40), "{fault:?}: {:?}", output.errors());
    }
}

/// Environment variables for other programs. `SSLKEYLOGFILE` would allow others to decrypt the traffic.
#[test]
fn variables_for_other_programs_change_nothing() {
    let variables = [
        ("SSLKEYLOGFILE", "keys"),
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "full"),
        ("TZ", "Nowhere/Else"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("COLUMNS", "0"),
        ("TERM", ""),
        ("HOME", "/nonexistent"),
        ("TMPDIR", "/nonexistent"),
        ("HTTPS_PROXY", "http://127.0.0.1:1"),
    ];
    let (_sim, tap, output) = over_http2(Fault::Stall, Class::Messages, &variables);
    assert_eq!((output.status, output.counts()["messages"]), (Some(0), 40), "{:?}", output.errors());
    let files = std::fs::read_dir(tap.folder()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(files.collect::<BTreeSet<_>>(), ["ca.pem", "catalog.json", "config.json"].map(str::to_owned).into());
}

#[test]
fn a_misdirected_request_is_sent_over_another_connection() {
    let sim = with_threads();
    sim.inject(Rule::new(Fault::respond(421, &[], "")).class(Class::Messages).times(1));
    let output = Tap::new(&fast_clock(&sim)).read(&ALL);
    assert_eq!((output.status, output.errors().len()), (Some(0), 0));
}

#[test]
fn an_endless_response_fails() {
    thread::scope(|scope| {
        for (class, reported) in [(Class::Messages, "cannot read the messages"), (Class::Token, "cannot sign in")] {
            scope.spawn(move || {
                let sim = tenant(1, 1, 20);
                sim.inject(Rule::new(Fault::Trickle(10)).class(class));
                let tap = Tap::new(&fast_clock(&sim));
                tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
                let arguments = ["read", "--config", "config.json", "--catalog", "catalog.json"];
                let output = Output::new(Protocol::Airbyte, tap.start(&arguments, Stdio::piped()).end());
                let errors = output.errors();
                assert_eq!(output.status, Some(1));
                assert!(
                    errors.iter().all(|(kind, _, text)| *kind == "transient_error"
                        && text.contains(reported)
                        && text.contains("no response in time")
                        && text.ends_with("; tried 7 times")),
                    "{errors:?}"
                );
            });
        }
    });
}

#[test]
fn certificate_problems_are_reported() {
    let cases = [
        ("by nobody known", Tls::On, false, "UnknownIssuer", "SSL_CERT_FILE"),
        ("of the past", Tls::Expired, true, "certificate expired", "check this machine's clock"),
        ("for another host", Tls::OtherName, true, "not valid for name", "SSL_CERT_FILE"),
        ("none at all", Tls::Off, false, "InvalidContentType", "HTTPS_PROXY"),
    ];
    let check = |what: &str, tls: Tls, is_trusted: bool, reported: &str, hint: &str, door: &str| {
        let whole = tenant(1, 1, 1);
        let wrong = GraphSim::start(Options { tls, ..Options::new(TenantSpec::uniform(1, 1, 1)) }).unwrap();
        let url = if door == "graph_url" { wrong.graph_url() } else { wrong.login_url() };
        let tap = Tap::new(&config(&whole, json!({"fetch_all_teams": true, door: url.replace("http://", "https://")})));
        let ca = tap.file("ca.pem", wrong.ca_pem().filter(|_| is_trusted).unwrap_or_default());
        let output = tap.run_with(&["check", "--config", "config.json"], &[("SSL_CERT_FILE", ca.to_str().unwrap())]);
        let errors = output.errors();
        assert_eq!((output.status, errors.len()), (Some(1), 1), "{what}, {door}");
        assert!(errors[0].0 == "transient_error" && errors[0].2.contains(reported), "{what}, {door}: {errors:?}");
        assert!(errors[0].2.split("; hint: ").nth(1).unwrap().contains(hint), "{what}, {door}: {errors:?}");
        assert_eq!(wrong.journal().total(), 0, "{what}: nothing is sent");
    };
    thread::scope(|scope| {
        for door in ["graph_url", "login_url"] {
            for (what, tls, is_trusted, reported, hint) in cases {
                scope.spawn(move || check(what, tls, is_trusted, reported, hint, door));
            }
        }
    });
}

/// A proxy that returns this response to every request and forwards nothing.
fn proxy(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let request = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            assert!(request.count() > 0);
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = (&stream).write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn a_proxy_that_refuses_is_reported() {
    let sim = tenant(1, 1, 1);
    for (status, reported) in [
        ("403 Forbidden", "tunnel error"),
        ("407 Proxy Authentication Required", "proxy authorization required"),
        ("502 Bad Gateway", "tunnel error"),
    ] {
        let tap = Tap::new(&config(&sim, json!({"fetch_all_teams": true, "login_url": "https://login.invalid"})));
        let output = tap.run_with(&["check", "--config", "config.json"], &[("HTTPS_PROXY", &proxy(status))]);
        let errors = output.errors();
        assert_eq!((output.status, errors.len()), (Some(1), 1), "{status}");
        assert!(errors[0].0 == "transient_error" && errors[0].2.contains(reported), "{status}: {errors:?}");
        assert!(errors[0].2.contains("; hint: check HTTPS_PROXY"), "{status}: {errors:?}");
    }
    assert_eq!(sim.journal().total(), 0);
}
