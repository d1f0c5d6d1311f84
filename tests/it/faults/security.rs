//! Secrets in output, and ids that lead to other hosts or paths. Every other test searches for secrets too (`support/tap.rs`).

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use graph_sim::{Class, Fault, Host, Rule};
use serde_json::json;

use crate::support::{ALL, Tap, config, everything, tenant};

/// A server that responds to every request with this status and quotes the request in an error of Graph or of the sign-in service.
fn echo_server(status: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || quote(&stream.unwrap(), status));
        }
    });
    format!("http://{address}")
}

fn quote(stream: &TcpStream, status: u16) {
    let mut reader = BufReader::new(stream);
    let mut request = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        length = line.to_lowercase().strip_prefix("content-length: ").map_or(length, |length| length.trim().parse().unwrap());
        request += &line;
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    request += &String::from_utf8_lossy(&body);
    let reported = request.replace("\r\n", "; ");
    let graph = json!({"error": {"code": reported, "message": reported}, "error_description": reported});
    let login = json!({"error": reported, "error_description": reported});
    let answer = if request.starts_with("POST") { login } else { graph }.to_string();
    let _ = write!(
        &mut &*stream,
        "HTTP/1.1 {status} Refused\r\nrequest-id: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        reported.replace(|char: char| !char.is_ascii_graphic() && char != ' ', "?"),
        answer.len()
    );
}

#[test]
fn a_response_that_quotes_a_secret_does_not_reveal_it() {
    let sim = tenant(1, 1, 1);
    for status in [400, 401, 403, 429, 500] {
        // The secret has characters that a form encodes.
        let secret = "a s3cret & more+of%it";
        let graph = json!({"graph_url": echo_server(status), "team_id": "11111111-2222-3333-4444-555555555555", "fetch_all_channels": true, "fetch_all_messages": true});
        let login = json!({"login_url": echo_server(status), "client_secret": secret});
        for (settings, quotes) in [(graph, "authorization: Bearer ***"), (login, "client_secret=***")] {
            let tap = Tap::new(&config(&sim, settings));
            let output = tap.run_with(&["check", "--config", "config.json"], &[("LOG_LEVEL", "trace")]);
            assert!(output.lines.iter().any(|line| line.contains(quotes)), "{status}: {:?}", output.lines);
            let output = tap.sync(&["--debug"]);
            assert!(output.status == Some(1) && output.stderr.contains(quotes), "{status}: {}", output.stderr);
        }
    }
}

#[test]
fn the_most_detailed_log_shows_no_secret() {
    let sim = tenant(1, 2, 60);
    for class in [Class::Members, Class::Messages] {
        for fault in [Fault::status(401), Fault::status(503), Fault::Reset, Fault::BrokenGzip] {
            sim.inject(Rule::new(fault).class(class).times(1));
        }
    }
    sim.inject(Rule::new(Fault::status(503)).class(Class::Token).times(1));
    let tap = Tap::new(&config(&sim, everything()));
    tap.file("catalog.json", json!({"streams": ALL.map(crate::support::configured)}).to_string());
    let read = ["read", "--config", "config.json", "--catalog", "catalog.json"];
    let output = tap.run_with(&read, &[("LOG_LEVEL", "trace"), ("RUST_LOG", "trace")]);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    let logged: Vec<_> = ["DEBUG", "TRACE"].into_iter().flat_map(|level| output.logs(level)).collect();
    assert!(logged.len() > 5, "{logged:?}");
    let reported = output.lines.concat().to_lowercase();
    for word in ["authorization", "bearer"] {
        assert!(!reported.contains(word), "{word}");
    }
    let output = tap.sync(&["--debug"]);
    let reported = output.stderr.to_lowercase();
    assert!(output.logged("DEBUG").len() > 5 && !reported.contains("authorization") && !reported.contains("bearer"), "{reported}");
}

/// Ids that would lead elsewhere if used as paths.
const FOREIGN_IDS: [&str; 9] = [
    "../../users",
    "a/../../../users",
    "..%2f..%2fusers",
    "x?$filter=y",
    "x#y",
    "x\r\nHost: evil.example",
    "@evil.example",
    "\\..\\users",
    "ü/é",
];

#[test]
fn an_id_never_leads_to_another_path() {
    let sim = tenant(1, 1, 2);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    let channel = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(0));
    for id in FOREIGN_IDS {
        // In the configuration, and in a response of Graph.
        let requested = sim.journal().total();
        for option in ["tenant_id", "team_id", "channel_id", "message_id", "exclude"] {
            let mut settings = json!({"team_id": team, "channel_id": channel, "message_id": "1"});
            settings[option] = id.into();
            let output = Tap::new(&config(&sim, settings)).read(&ALL);
            let [(kind, _, text)] = output.errors()[..] else { panic!("{id}: {:?}", output.errors()) };
            assert!(kind == "config_error" && text.contains(&format!("option `{option}`: invalid value ")), "{id}: {text}");
        }
        assert_eq!(sim.journal().total(), requested, "{id}: no request is sent");
        for (class, from) in [(Class::Groups, &team), (Class::Channels, &channel), (Class::Messages, &"\"id\":\"1".to_owned())] {
            let to = json!(id).to_string();
            let to = if from.starts_with('"') { format!("\"id\":\"{}", &to[1..to.len() - 1]) } else { to[1..to.len() - 1].to_owned() };
            sim.clear_faults();
            sim.inject(Rule::new(Fault::Replace { from: from.clone(), to }).class(class));
            Tap::new(&config(&sim, everything())).read(&ALL);
        }
    }
    sim.clear_faults();
    let journal = sim.journal();
    let mut requested = 0;
    for entry in journal.entries().filter(|entry| entry.host == Host::Graph) {
        let segments: Vec<_> = entry.path.split('/').collect();
        let known = match segments[..] {
            ["", "v1.0", "groups"] | ["", "v1.0", "teams", _] | ["", "v1.0", "teams", _, "members" | "channels"] => true,
            ["", "v1.0", "teams", _, "channels", _] | ["", "v1.0", "teams", _, "channels", _, "messages"] => true,
            ["", "v1.0", "teams", _, "channels", _, "messages", _, "replies"] => true,
            _ => entry.path.contains("teams('"),
        };
        assert!(known && entry.method == "GET" && !segments.contains(&".."), "{} {}", entry.method, entry.path);
        requested += 1;
    }
    assert!(requested > 50, "{requested}");
}

#[test]
fn foreign_texts_are_logged_on_one_line_without_escapes() {
    let sim = tenant(1, 1, 2);
    let fault = Fault::graph(403, "For\u{1b}[31mbidden", "first\r\nCRITICAL second\u{7}\u{85}");
    sim.inject(Rule::new(fault).class(Class::Members));
    let tap = Tap::new(&config(&sim, everything()));
    let output = tap.read(&["members"]);
    assert!(output.errors()[0].2.contains("For\\u{1b}[31mbidden: first  CRITICAL second\\u{7}"), "{:?}", output.errors());
    assert!(output.messages.iter().all(|message| !message.to_string().contains("\\u001b")));
    let output = tap.sync(&[]);
    assert!(output.critical().contains("For\\u{1b}[31mbidden: first  CRITICAL second\\u{7}"));
    assert!(output.stderr.chars().all(|char| char == '\n' || !char.is_control()), "{:?}", output.stderr);
}
