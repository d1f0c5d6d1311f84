//! The Graph client: tokens, headers, links, retries, TLS, proxies, tested by the requests to the simulator.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use graph_sim::{Class, Fault, GraphSim, Host, LinkFault, Options, PageKind, RetryAfter, Rule, TenantSpec, Tls, TokenExpiry};
use serde_json::json;

use crate::support::{ALL, Output, Tap, config, everything, tenant, truth};

fn small() -> GraphSim {
    let mut spec = TenantSpec::uniform(2, 2, 60);
    spec.groups_without_team = 0;
    GraphSim::start(Options::new(spec)).unwrap()
}

fn read(sim: &GraphSim) -> Output {
    Tap::new(&config(sim, everything())).read(&ALL)
}

fn assert_whole(sim: &GraphSim, output: &Output) {
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    let truth = sim.truth();
    for stream in ALL {
        truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
    }
}

#[test]
fn one_token_serves_a_run_and_is_sent_only_to_graph() {
    let sim = small();
    assert_whole(&sim, &read(&sim));
    let journal = sim.journal();
    assert_eq!(journal.count(Class::Token), 1);
    for entry in journal.entries() {
        assert_eq!(entry.authorized, entry.host == Host::Graph, "{} {}", entry.method, entry.path);
    }
}

#[test]
fn a_token_is_renewed_before_it_expires() {
    let sim = small();
    // A token is used for half of its lifetime, here two seconds; Graph's clock advances a second with every request.
    sim.switches(|switches| switches.token_lifetime = 2);
    sim.latency(graph_sim::Latency::Fixed(std::time::Duration::from_millis(60)));
    let mut config = config(&sim, everything());
    config["max_concurrent_threads"] = 1.into();
    assert_whole(&sim, &Tap::new(&config).read(&ALL));
    let journal = sim.journal();
    assert!(journal.count(Class::Token) >= 2, "{}", journal.count(Class::Token));
    assert_eq!(journal.with_status(401), 0, "no request went with a token that had ended");
}

#[test]
fn a_token_is_accepted_with_any_form_of_lifetime() {
    for expiry in [TokenExpiry::Text, TokenExpiry::Float, TokenExpiry::On, TokenExpiry::OnText] {
        let sim = tenant(1, 1, 4);
        sim.switches(|switches| switches.token_expiry = expiry);
        assert_whole(&sim, &read(&sim));
        assert_eq!(sim.count(Class::Token), 1, "{expiry:?}");
    }
}

#[test]
fn a_token_that_graph_refuses_is_replaced_once_for_all_waiting_requests() {
    let sim = small();
    let mut refused = false;
    // Every token expires during the run.
    sim.on_request(move |request, _| {
        if request.class == Class::Members && !refused {
            refused = true;
            return Some(Fault::status(401));
        }
        None
    });
    assert_whole(&sim, &read(&sim));
    assert_eq!(sim.count(Class::Token), 2);

    // If a new token is refused too, another one does not help.
    let sim = small();
    sim.inject(Rule::new(Fault::status(401)).class(Class::Members));
    let output = read(&sim);
    assert_eq!(output.status, Some(1));
    assert_eq!(output.errors()[0].0, "config_error");
    assert!(sim.count(Class::Token) <= 3, "{}", sim.count(Class::Token));
    assert_eq!(output.statuses("messages").last(), Some(&"COMPLETE"));
}

#[test]
fn every_request_has_a_user_agent_and_its_own_id() {
    let sim = small();
    read(&sim);
    let journal = sim.journal();
    let graph: Vec<_> = journal.entries().filter(|entry| entry.host == Host::Graph).collect();
    let mut ids: Vec<_> = graph.iter().map(|entry| entry.client_request_id.clone().unwrap()).collect();
    assert!(ids.iter().all(|id| id.len() == 36));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), graph.len());
    assert!(graph.iter().all(|entry| entry.user_agent.as_deref().is_some_and(|agent| agent.starts_with("tap-microsoft-teams/"))));
}

#[test]
fn a_run_that_cannot_sign_in_fails_every_stream_with_the_reason() {
    let sim = small();
    let mut wrong = everything();
    wrong["client_secret"] = "not the secret".into();
    let output = Tap::new(&config(&sim, wrong)).read(&ALL);
    assert_eq!(output.status, Some(1));
    let errors = output.errors();
    assert_eq!(errors.len(), 5);
    assert!(
        errors.iter().all(|(kind, _, text)| *kind == "config_error" && text.contains("AADSTS7000215") && !text.contains("not the secret"))
    );
    assert_eq!(sim.count(Class::Token), 1, "a wrong secret does not become right");
}

#[test]
fn temporary_failures_are_retried_and_nothing_is_lost() {
    let garbage = RetryAfter::Text("soon".to_owned());
    let faults = [
        Fault::throttled(RetryAfter::Seconds(0)),
        Fault::throttled(RetryAfter::Absent),
        Fault::throttled(RetryAfter::Date(0)),
        Fault::throttled(RetryAfter::Text("0.01".to_owned())),
        Fault::throttled(garbage),
        Fault::status(500),
        Fault::status(502),
        Fault::status(503),
        Fault::status(504),
        Fault::Html { status: 503 },
        Fault::Empty { status: 503 },
        Fault::Reset,
        Fault::ResetInBody,
        Fault::Truncate,
        Fault::MalformedJson,
        Fault::Html { status: 200 },
        Fault::BrokenGzip,
        Fault::NoValue,
        Fault::ValueIsObject,
    ];
    let sim = small();
    for class in [Class::Groups, Class::Channels, Class::Members, Class::Messages, Class::Replies] {
        // A request is sent at most seven times.
        for faults in faults.chunks(6) {
            sim.clear_faults();
            let before = sim.faults_applied();
            for fault in faults {
                sim.inject(Rule::new(fault.clone()).class(class).times(1));
            }
            sim.inject(Rule::new(Fault::status(503)).class(Class::Token).times(1));
            assert_whole(&sim, &read(&sim));
            assert_eq!(sim.faults_applied() - before, faults.len() as u64 + 1, "{class:?}");
        }
    }
}

#[test]
fn a_permanent_failure_ends_only_its_stream() {
    let sim = small();
    sim.inject(Rule::new(Fault::status(503)).class(Class::Members));
    let output = read(&sim);
    assert_eq!(output.status, Some(1));
    let errors = output.errors();
    assert_eq!(errors.iter().map(|(kind, stream, _)| (*kind, *stream)).collect::<Vec<_>>(), [("transient_error", "members")]);
    assert!(errors[0].2.contains("503") && errors[0].2.contains("tried 7 times"), "{}", errors[0].2);
    for stream in ["teams", "channels", "messages", "message_replies"] {
        assert_eq!(output.statuses(stream).last(), Some(&"COMPLETE"));
    }
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    assert_eq!(sim.journal().entries_of(Class::Members).filter(|entry| entry.team() == Some(&team)).count(), 7);
}

#[test]
fn foreign_links_are_not_followed() {
    let sim = small();
    let foreign = sim.foreign_url().to_owned();
    for (fault, kind, reported) in [
        (LinkFault::Origin(foreign.clone()), "system_error", "not the configured Graph host"),
        (LinkFault::Origin("http://127.0.0.1:1".to_owned()), "system_error", "http://127.0.0.1:1"),
        (LinkFault::Same, "system_error", "a nextLink was repeated"),
        (LinkFault::First, "system_error", "a nextLink was repeated"),
    ] {
        sim.clear_faults();
        sim.inject(Rule::new(Fault::Link(fault.clone())).class(Class::Messages));
        let output = read(&sim);
        assert_eq!(output.status, Some(1), "{fault:?}");
        assert!(
            output.errors().iter().all(|(failure, _, text)| *failure == kind && text.contains(reported)),
            "{fault:?}: {:?}",
            output.errors()
        );
        assert_eq!(output.statuses("members").last(), Some(&"COMPLETE"));
    }
    assert!(sim.journal().entries().all(|entry| entry.host != Host::Foreign), "a token never leaves");

    sim.clear_faults();
    sim.inject(Rule::new(Fault::Redirect(format!("{foreign}/v1.0/groups"))).class(Class::Groups));
    assert_eq!(read(&sim).status, Some(1));
    assert!(sim.journal().entries().all(|entry| entry.host != Host::Foreign), "redirects are not followed");
}

#[test]
fn empty_pages_are_followed_and_endless_ones_are_an_error() {
    let sim = small();
    sim.switches(|switches| {
        switches.empty_pages = 2;
        switches.trailing_link = true;
    });
    assert_whole(&sim, &read(&sim));

    sim.inject(Rule::new(Fault::EmptyPage).class(Class::Members));
    let output = read(&sim);
    assert_eq!(output.status, Some(1));
    assert!(output.errors()[0].2.contains("empty pages in a row"), "{:?}", output.errors());
}

#[test]
fn an_empty_list_of_channels_is_requested_again_and_then_an_error() {
    let sim = small();
    let empty = || Fault::respond(200, &[("Content-Type", "application/json")], r#"{"value":[]}"#);
    sim.inject(Rule::new(empty()).class(Class::Channels).times(1));
    assert_whole(&sim, &read(&sim));
    sim.clear_faults();
    sim.inject(Rule::new(empty()).class(Class::Channels));
    let output = read(&sim);
    assert_eq!(output.status, Some(1));
    assert!(output.errors().iter().all(|(kind, _, text)| *kind == "transient_error" && text.contains("but every team has at least one")));
    assert_eq!(output.statuses("members").last(), Some(&"COMPLETE"));
}

#[test]
fn a_list_that_refuses_its_page_size_is_read_without_it() {
    for class in [Class::Groups, Class::Members, Class::Messages, Class::Replies] {
        let sim = small();
        sim.switches(|switches| {
            switches.refuses_top = vec![class];
            (switches.inline_replies, switches.replies_page) = (0, 20);
        });
        let output = read(&sim);
        assert_whole(&sim, &output);
        assert_eq!(
            output.logs("INFO").iter().filter(|line| line.contains("Graph does not accept a page size for")).count(),
            1,
            "{class:?}"
        );
        // Concurrent requests cannot know it yet.
        let refused = sim.journal().with_status(400);
        assert!((1..=8).contains(&refused), "{class:?}: {refused}");
        let check = Tap::new(&config(&sim, everything())).check();
        assert_eq!(check.verdict().0, "SUCCEEDED", "{class:?}: {:?}", check.verdict());
        let plan = Tap::new(&config(&sim, everything())).execute(&["plan", "--config", "config.json"], &[]);
        assert_eq!(plan.status, Some(0), "{class:?}: {}", plan.stderr);
    }
    // A list that always fails is requested twice, and the first response is reported.
    let sim = small();
    sim.inject(Rule::new(Fault::graph(400, "BadRequest", "Nothing helps.")).class(Class::Members));
    let output = read(&sim);
    assert!(output.errors()[0].2.contains("400 Bad Request (BadRequest: Nothing helps."), "{:?}", output.errors());
    assert_eq!(sim.faults_applied(), 4, "two teams");
}

#[test]
fn pages_of_all_link_styles_are_followed() {
    for style in [graph_sim::LinkStyle::FunctionEncoded, graph_sim::LinkStyle::Function, graph_sim::LinkStyle::Slash] {
        for paging in [graph_sim::Paging::Position, graph_sim::Paging::Offset] {
            let sim = small();
            sim.switches(|switches| {
                switches.link_style = Some(style);
                switches.paging = paging;
                switches.channels_page = 1;
            });
            assert_whole(&sim, &read(&sim));
            assert!(sim.journal().entries_of(Class::Messages).any(|entry| entry.page == PageKind::Next));
        }
    }
}

#[test]
fn https_requires_a_trusted_certificate() {
    let mut options = Options::new(TenantSpec::uniform(1, 1, 5));
    options.tls = Tls::On;
    let sim = GraphSim::start(options).unwrap();
    let tap = Tap::new(&config(&sim, everything()));
    let ca = tap.file("ca.pem", sim.ca_pem().unwrap());
    let output = tap.run_with(&["check", "--config", "config.json"], &[("SSL_CERT_FILE", ca.to_str().unwrap())]);
    assert_eq!(output.only("CONNECTION_STATUS")["connectionStatus"]["status"], "SUCCEEDED");
    let output = tap.check();
    assert_eq!(output.status, Some(1));
    let (kind, _, text) = output.errors()[0];
    assert_eq!(kind, "transient_error");
    assert!(text.contains("certificate"), "{text}");
}

#[test]
fn a_proxy_from_the_environment_is_used() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let requested = std::thread::spawn(move || {
        let mut request = [0; 1024];
        let (mut stream, _) = proxy.accept().unwrap();
        let length = stream.read(&mut request).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let config =
        json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s", "login_url": "https://login.invalid", "pace": 0});
    Tap::new(&config).run_with(&["check", "--config", "config.json"], &[("HTTPS_PROXY", &format!("http://{address}"))]);
    assert!(requested.join().unwrap().starts_with("CONNECT login.invalid:443 "));
}
