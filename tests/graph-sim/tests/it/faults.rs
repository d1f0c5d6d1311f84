//! Injected faults.

use std::time::Duration;

use graph_sim::{Class, Fault, LinkFault, PageKind, RetryAfter, Rule, TenantSpec};

use crate::client::{Reply, Sim};

const GROUPS: &str = "/v1.0/groups?$top=1";

fn sim() -> Sim {
    Sim::new(TenantSpec::uniform(3, 1, 30))
}

fn once(sim: &Sim, fault: Fault) -> Result<Reply, String> {
    sim.inject(Rule::new(fault).times(1));
    let reply = sim.try_get(GROUPS);
    assert_eq!(sim.get(GROUPS).status, 200, "the fault must apply once");
    reply
}

/// graph.md 5.2
#[test]
fn statuses_have_the_codes_of_graph() {
    let sim = sim();
    for (status, code) in [
        (400, "BadRequest"),
        (401, "InvalidAuthenticationToken"),
        (403, "Forbidden"),
        (404, "UnknownError"),
        (410, "resyncRequired"),
        (500, "generalException"),
        (502, "BadGateway"),
        (503, "serviceNotAvailable"),
        (504, "GatewayTimeout"),
    ] {
        let reply = once(&sim, Fault::status(status)).unwrap();
        assert_eq!((reply.status, reply.error().0.as_str()), (status, code));
    }
    assert_eq!(sim.faults_applied(), 9);
}

/// graph.md 5.3
#[test]
fn retry_after_has_several_formats() {
    let sim = sim();
    for (after, text) in [
        (RetryAfter::Absent, ""),
        (RetryAfter::Seconds(10), "10"),
        (RetryAfter::Text("2.128".to_owned()), "2.128"),
        (RetryAfter::Text("-5".to_owned()), "-5"),
        (RetryAfter::Date(90), "Mon, 25 Nov 2024 08:01:30 GMT"),
        (RetryAfter::Date(-90), "Mon, 25 Nov 2024 07:58:30 GMT"),
    ] {
        let reply = once(&sim, Fault::throttled(after)).unwrap();
        assert_eq!((reply.status, reply.header("retry-after")), (429, text));
    }
}

#[test]
fn connections_break_before_and_within_the_body() {
    let sim = sim();
    for fault in [Fault::Reset, Fault::ResetInBody, Fault::Truncate] {
        assert!(once(&sim, fault.clone()).is_err(), "{fault:?}");
    }
    let journal = sim.journal();
    assert_eq!((journal.count_status(Class::Groups, 0), journal.entries_of(Class::Groups).filter(|entry| entry.fault).count()), (1, 3));
}

/// After a reset the connection fails; after a truncated body it is closed normally.
#[test]
fn a_broken_body_is_sent_in_part() {
    let sim = sim();
    for (fault, kind) in [(Fault::ResetInBody, Some(std::io::ErrorKind::ConnectionReset)), (Fault::Truncate, None)] {
        sim.inject(Rule::new(fault).times(1));
        let mut seen = Vec::new();
        let outcome = std::io::Read::read_to_end(&mut raw_request(&sim), &mut seen);
        assert_eq!(outcome.err().map(|error| error.kind()), kind);
        let text = String::from_utf8(seen).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK") && text.contains("\"@odata.context\":") && !text.ends_with("]}"), "{text}");
    }
}

/// Sends a request; the caller reads the bytes of the response.
fn raw_request(sim: &Sim) -> std::net::TcpStream {
    let mut stream = std::net::TcpStream::connect(sim.graph_url().trim_start_matches("http://")).unwrap();
    let request = format!("GET {GROUPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n", sim.token);
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    stream
}

#[test]
fn a_stall_lasts_until_the_client_gives_up() {
    let sim = sim();
    for fault in [Fault::Stall, Fault::StallInBody] {
        sim.inject(Rule::new(fault).times(1));
        let mut stream = raw_request(&sim);
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let error = std::io::Read::read_to_end(&mut stream, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn a_silent_connection_never_responds_again_but_others_do() {
    let sim = sim();
    sim.inject(Rule::new(Fault::Silence).times(1));
    let mut stream = raw_request(&sim);
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    for _ in 0..2 {
        let error = std::io::Read::read_to_end(&mut stream, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    }
    assert_eq!(sim.get(GROUPS).status, 200);
}

#[test]
fn a_trickling_body_never_ends() {
    let sim = sim();
    sim.inject(Rule::new(Fault::Trickle(1)).times(1));
    let mut stream = std::io::BufReader::new(raw_request(&sim));
    let mut line = String::new();
    let lines = std::iter::from_fn(|| {
        line.clear();
        std::io::BufRead::read_line(&mut stream, &mut line).ok()?;
        Some(line.clone())
    });
    // Each space is a chunk of its own.
    assert_eq!(lines.filter(|line| line == " \r\n").take(20).count(), 20);
}

#[test]
fn huge_pages_are_valid_with_and_without_compression() {
    let sim = sim();
    let plain = once(&sim, Fault::Huge { mebibytes: 3, gzip: false }).unwrap();
    assert_eq!((plain.body.len() >> 20, plain.header("content-encoding")), (3, ""));
    let bomb = once(&sim, Fault::Huge { mebibytes: 3, gzip: true }).unwrap();
    assert!(bomb.header("content-encoding") == "gzip" && bomb.body.len() < 4000, "{}", bomb.body.len());
    let mut body = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bomb.body.as_slice()), &mut body).unwrap();
    assert!(body == plain.body && plain.json()["value"].as_array().unwrap().is_empty());
}

#[test]
fn the_date_can_be_invalid_absent_or_ahead() {
    let sim = sim();
    for date in ["yesterday", ""] {
        assert_eq!(once(&sim, Fault::Date(date.to_owned())).unwrap().header("date"), date);
    }
    assert_eq!(once(&sim, Fault::DatedAhead(86_400 * 365)).unwrap().header("date"), "Tue, 25 Nov 2025 08:00:00 GMT");
}

#[test]
fn bodies_can_differ_from_what_the_headers_promise() {
    let sim = sim();
    let parse = |reply: &Reply| serde_json::from_slice::<serde_json::Value>(&reply.body);
    assert!(parse(&once(&sim, Fault::MalformedJson).unwrap()).is_err());
    let utf8 = once(&sim, Fault::InvalidUtf8).unwrap();
    assert!(String::from_utf8(utf8.body).is_err());
    let html = once(&sim, Fault::Html { status: 200 }).unwrap();
    assert!(html.header("content-type").starts_with("text/html") && html.text().starts_with("<!DOCTYPE"));
    assert_eq!(once(&sim, Fault::Empty { status: 404 }).unwrap().body, b"");
    assert_eq!(once(&sim, Fault::ContentType("text/plain".to_owned())).unwrap().header("content-type"), "text/plain");
    let gzip = once(&sim, Fault::BrokenGzip).unwrap();
    assert_eq!(gzip.header("content-encoding"), "gzip");
    assert!(std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip.body.as_slice()), &mut Vec::new()).is_err());
    let error = once(&sim, Fault::ErrorIn200).unwrap();
    assert_eq!((error.status, error.error().0.as_str()), (200, "UnknownError"));
    assert!(once(&sim, Fault::NoValue).unwrap().json().get("value").is_none());
    assert!(once(&sim, Fault::ValueIsObject).unwrap().json()["value"].is_object());
    let replaced =
        once(&sim, Fault::Replace { from: "\"displayName\":\"".to_owned(), to: "\"displayName\":17,\"x\":\"".to_owned() }).unwrap();
    assert_eq!(replaced.json()["value"][0]["displayName"], 17);
    let own = once(&sim, Fault::respond(418, &[("X-Tea", "pot"), ("Content-Type", "text/tea")], "short and stout")).unwrap();
    assert_eq!(
        (own.status, own.header("x-tea"), own.header("content-type"), own.text().as_str()),
        (418, "pot", "text/tea", "short and stout")
    );
    let moved = once(&sim, Fault::Redirect(format!("{}/v1.0/groups", sim.foreign_url()))).unwrap();
    assert_eq!((moved.status, moved.header("location").starts_with(sim.foreign_url())), (302, true));
}

#[test]
fn links_can_be_wrong() {
    let sim = sim();
    let link = |fault| once(&sim, Fault::Link(fault)).unwrap().json()["@odata.nextLink"].as_str().map(str::to_owned);
    let groups = format!("{}/v1.0/groups", sim.graph_url());
    let astray = link(LinkFault::Origin("https://evil.example".to_owned())).unwrap();
    assert!(astray.starts_with("https://evil.example/v1.0/groups?$skiptoken="), "{astray}");
    assert_eq!(link(LinkFault::Same), Some(format!("{}{GROUPS}", sim.graph_url())));
    assert_eq!(link(LinkFault::First), Some(groups));
    assert_eq!(link(LinkFault::To("not a link".to_owned())).as_deref(), Some("not a link"));
    assert_eq!(link(LinkFault::Neither), None);
    let both = once(&sim, Fault::Link(LinkFault::Both)).unwrap().json();
    assert!(both["@odata.nextLink"].is_string() && both["@odata.deltaLink"].is_string());
}

/// graph.md 2.0: a single empty page, or an endless series with a different link on each page.
#[test]
fn empty_pages_have_next_links() {
    let sim = sim();
    let page = once(&sim, Fault::EmptyPage).unwrap().json();
    assert_eq!(page["value"].as_array().unwrap().len(), 0);
    assert_eq!(sim.all(page["@odata.nextLink"].as_str().unwrap()).0.len(), 4);
    sim.inject(Rule::new(Fault::EmptyPage));
    let mut links = vec![GROUPS.to_owned()];
    for _ in 0..20 {
        let next = sim.get(&links[links.len() - 1]).json()["@odata.nextLink"].as_str().unwrap().to_owned();
        assert!(!links.contains(&next));
        links.push(next);
    }
}

#[test]
fn rules_select_requests_by_their_conditions() {
    let sim = sim();
    let teams = sim.read_tenant(|tenant| tenant.team_ids());
    let statuses = |paths: &[&str]| paths.iter().map(|path| sim.get(path).status).collect::<Vec<_>>();
    let team = |index: usize| format!("/v1.0/teams/{}", teams[index]);
    let fault = || Rule::new(Fault::status(503));

    sim.inject(fault().class(Class::Team).team(&teams[1]));
    assert_eq!(statuses(&[&team(0), &team(1), GROUPS]), [200, 503, 200]);
    sim.clear_faults();
    sim.inject(fault().path("/members").nth(2));
    let members = format!("{}/members", team(0));
    assert_eq!(statuses(&[&members, &members, &members, &team(0)]), [200, 503, 200, 200]);
    sim.clear_faults();
    sim.inject(fault().page(PageKind::Next));
    let next = sim.get(GROUPS).json()["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(statuses(&[&next, GROUPS]), [503, 200]);
    sim.clear_faults();
    sim.inject(fault().retry(false));
    assert_eq!(statuses(&[GROUPS, GROUPS, GROUPS]), [503, 200, 503]);
    sim.clear_faults();
    sim.inject(fault().rate(0.25));
    let failed = (0..200).filter(|_| sim.get(GROUPS).status == 503).count();
    assert!((30..70).contains(&failed), "{failed}");
}
