//! Bad input, in both protocols: messages name the file or the option, exit code and status are as consumers expect, and no secret is shown
//! (`support/tap.rs` checks this for every run).

use std::fmt::Write;

use serde_json::{Value, json};
use tap_microsoft_teams::config::{Audience, Kind, SETTINGS, Setting};

use crate::support::{ALL, Tap, config, configured, everything, tenant};

const READ: [&str; 5] = ["read", "--config", "config.json", "--catalog", "catalog.json"];

/// A secret that must not be shown, even from a file that is not JSON.
const SECRET: &str = "hidden-5ecret-of-a-test";

/// A tap with valid files for an unreachable tenant: bad input is noticed before any request.
fn tap() -> Tap {
    let settings = json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": SECRET, "login_url": "http://127.0.0.1:1", "graph_url": "http://127.0.0.1:1", "pace": 0});
    let tap = Tap::new(&settings);
    write_catalogs(&tap);
    tap
}

fn write_catalogs(tap: &Tap) {
    let all = ALL.map(configured);
    tap.file("catalog.json", json!({"streams": all}).to_string());
    tap.file("singer.json", tap.catalog().to_string());
    tap.file("state.json", "[]");
    tap.file("bookmarks.json", "{}");
}

/// The only message of `read`: a configuration error.
fn read_error(tap: &Tap, arguments: &[&str]) -> String {
    let output = tap.run(arguments);
    let [("config_error", "", sentence)] = output.errors()[..] else { panic!("{:?} {}", output.messages, output.stderr) };
    assert_eq!((output.status, output.messages.len(), output.stderr.as_str()), (Some(1), 1, ""));
    sentence.to_owned()
}

/// The only output of a Singer sync: one line on stderr.
fn sync_error(tap: &Tap, arguments: &[&str]) -> String {
    let output = tap.sync_with(arguments, &[]);
    assert_eq!((output.status, output.lines.len(), output.stderr.lines().count()), (Some(1), 0, 1), "{}", output.stderr);
    output.critical().to_owned()
}

/// The message of every command about `config.json`, which must be the same.
fn config_error(tap: &Tap) -> String {
    let sentence = read_error(tap, &READ);
    assert_eq!(read_error(tap, &["discover", "--config", "config.json"]), sentence);
    let check = tap.check();
    assert_eq!((check.status, check.verdict()), (Some(0), ("FAILED", sentence.as_str())));
    assert_eq!(sync_error(tap, &["--config", "config.json"]), sentence);
    assert!(!sentence.contains(SECRET));
    sentence
}

/// A named way to break a file.
type Damage = fn(&Tap, &str);

const BAD_FILES: [(&str, Damage); 9] = [
    ("absent", |tap, name| std::fs::remove_file(tap.folder().join(name)).unwrap()),
    ("directory", |tap, name| {
        std::fs::remove_file(tap.folder().join(name)).unwrap();
        std::fs::create_dir(tap.folder().join(name)).unwrap();
    }),
    ("empty", |tap, name| _ = tap.file(name, "")),
    ("white space", |tap, name| _ = tap.file(name, " \r\n")),
    ("cut short", |tap, name| _ = tap.file(name, format!("{{\"client_secret\": \"{SECRET}\", \"streams\": ["))),
    ("damaged", |tap, name| _ = tap.file(name, format!("{{\n  \"client_secret\": \"{SECRET}\"\n  \"streams\": []\n}}"))),
    ("several values", |tap, name| _ = tap.file(name, format!("{{\"a\": 1}}\n{{\"client_secret\": \"{SECRET}\"}}\n"))),
    ("not JSON", |tap, name| _ = tap.file(name, format!("client_secret = {SECRET}"))),
    ("UTF-16", |tap, name| {
        let text = std::fs::read_to_string(tap.folder().join(name)).unwrap();
        let bytes: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        tap.file(name, bytes);
    }),
];

#[test]
fn every_command_reports_an_unusable_configuration_file() {
    let mut reported = String::new();
    let not_an_object = |text: &'static str| move |tap: &Tap| _ = tap.file("config.json", text);
    for (what, spoil) in BAD_FILES {
        let tap = tap();
        spoil(&tap, "config.json");
        writeln!(reported, "{what}:\n    {}", config_error(&tap)).unwrap();
    }
    for (what, spoil) in [("a list", not_an_object("[1]")), ("a text", not_an_object("\"text\"")), ("null", not_an_object("null"))] {
        let tap = tap();
        spoil(&tap);
        writeln!(reported, "{what}:\n    {}", config_error(&tap)).unwrap();
    }
    assert!(reported.lines().skip(1).step_by(2).all(|line| line.contains("config.json")));
    insta::assert_snapshot!(reported);
}

#[test]
fn an_unusable_catalog_is_reported() {
    let mut reported = String::new();
    let mut bad = |what: &str, spoil: &dyn Fn(&Tap, &str)| {
        let tap = tap();
        spoil(&tap, "catalog.json");
        spoil(&tap, "singer.json");
        let sentences = [read_error(&tap, &READ), sync_error(&tap, &["--config=config.json", "--catalog=singer.json"])];
        assert_eq!(sync_error(&tap, &["--config=config.json", "--properties=singer.json"]), sentences[1]);
        assert!(sentences[0].contains("catalog.json") && sentences[1].contains("singer.json"), "{sentences:?}");
        writeln!(reported, "{what}:\n    {}", sentences.join("\n    ")).unwrap();
    };
    for (what, spoil) in BAD_FILES {
        bad(what, &spoil);
    }
    let with = |text: &'static str| move |tap: &Tap, name: &str| _ = tap.file(name, text);
    bad("a number", &with("3"));
    bad("null", &with("null"));
    bad("no streams", &with("{}"));
    bad("streams that are no list", &with("{\"streams\": {}}"));
    bad("a stream without a name", &with("{\"streams\": [{\"stream\": {}}]}"));
    bad("a stream that is a number", &with("{\"streams\": [1]}"));
    insta::assert_snapshot!(reported);
}

#[test]
fn an_unknown_sync_mode_is_an_error_and_nothing_is_read() {
    let tap = tap();
    let mut reported = String::new();
    for mode in [json!("INVALID"), json!(null), json!(1)] {
        for name in ["messages", "no_such_stream"] {
            let mut stream = configured(name);
            stream["sync_mode"] = mode.clone();
            let streams = [configured("teams"), stream];
            tap.file("catalog.json", json!({"streams": streams}).to_string());
            writeln!(reported, "{mode}: {}", read_error(&tap, &READ)).unwrap();
        }
    }
    insta::assert_snapshot!(reported);
}

#[test]
fn an_unusable_state_is_reported() {
    let mut reported = String::new();
    let sync = ["--config", "config.json", "--state", "bookmarks.json"];
    for (what, spoil) in BAD_FILES {
        let tap = tap();
        spoil(&tap, "state.json");
        spoil(&tap, "bookmarks.json");
        // For Airbyte an empty file is an empty state, not an error.
        let is_none = ["empty", "white space"].contains(&what);
        let read = (!is_none).then(|| read_error(&tap, &[&READ[..], &["--state", "state.json"]].concat()));
        let sentences: Vec<_> = read.into_iter().chain([sync_error(&tap, &sync)]).collect();
        assert!(sentences.iter().all(|sentence| sentence.contains("state.json") || sentence.contains("bookmarks.json")));
        writeln!(reported, "{what}:\n    {}", sentences.join("\n    ")).unwrap();
    }
    let tap = tap();
    for state in [
        json!("text"),
        json!([1]),
        json!([{"type": "STREAM"}]),
        json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "teams"}, "stream_state": 3}}]),
        json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "teams"}, "stream_state": {"cursor": "s3cret"}}}]),
        json!({"bookmarks": {"messages": {"version": 1}}}),
        json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s3cret"}),
    ] {
        tap.file("state.json", state.to_string());
        writeln!(reported, "{state}:\n    {}", read_error(&tap, &[&READ[..], &["--state", "state.json"]].concat())).unwrap();
    }
    for state in [
        json!("text"),
        json!([]),
        json!({"bookmarks": []}),
        json!({"value": 3}),
        json!({"bookmarks": {"teams": {"replication_key_value": "s3cret"}}}),
        json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "messages"}, "stream_state": {"version": 2}}}]),
        json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "s3cret"}),
    ] {
        tap.file("bookmarks.json", state.to_string());
        writeln!(reported, "{state}:\n    {}", sync_error(&tap, &sync)).unwrap();
    }
    // The message contains the position and nothing from the file.
    assert!(reported.lines().filter(|line| line.starts_with(' ')).all(|line| !line.contains("s3cret")), "{reported}");
    insta::assert_snapshot!(reported);
}

#[test]
fn byte_order_marks_and_windows_line_endings_are_accepted() {
    let sim = tenant(1, 1, 20);
    let tap = Tap::new(&config(&sim, everything()));
    write_catalogs(&tap);
    for name in ["config.json", "catalog.json", "singer.json", "state.json", "bookmarks.json"] {
        let value: Value = serde_json::from_slice(&std::fs::read(tap.folder().join(name)).unwrap()).unwrap();
        tap.file(name, format!("\u{feff}{value:#}\n").replace('\n', "\r\n"));
    }
    let read = tap.run(&[&READ[..], &["--state", "state.json"]].concat());
    assert_eq!((read.status, read.counts().len()), (Some(0), 5), "{:?}", read.errors());
    let sync = tap.sync(&["--catalog", "singer.json", "--state", "bookmarks.json"]);
    assert_eq!((sync.status, sync.counts().len()), (Some(0), 5), "{}", sync.stderr);
}

/// Values that an option of this kind does not accept.
fn bad_values(setting: &Setting) -> Vec<Value> {
    match setting.kind {
        Kind::Text => vec![json!({"a": SECRET}), json!([SECRET, 1]), json!(true)],
        Kind::Secret => vec![json!([SECRET]), json!({"a": SECRET}), json!(true)],
        Kind::Flag => vec![json!("perhaps"), json!(2), json!([true])],
        Kind::Integer { min, max } => {
            let mut values = vec![json!(max + 1), json!((max + 1).to_string()), json!("many"), json!(1.5), json!(-1), json!(true)];
            values.extend(min.checked_sub(1).map(|below| json!(below)));
            values
        }
        Kind::Number => vec![json!(-1), json!("-0.5"), json!("NaN"), json!("fast"), json!([1])],
        Kind::DateTime => vec![json!("soon"), json!("2026-13-01"), json!("2026-01-01T25:00:00Z"), json!(20_260_101)],
        Kind::Ids => vec![json!(".."), json!("a,.."), json!([1]), json!({"a": SECRET}), json!(true)],
        Kind::Choice(_) => vec![json!("mars"), json!(1)],
        Kind::Url => vec![
            json!("nonsense"),
            json!("http://graph.microsoft.com"),
            json!("https://graph.microsoft.com/v1.0"),
            json!(format!("https://user:{SECRET}@host")),
            json!(1),
        ],
        Kind::PerStream => vec![
            json!("nonsense"),
            json!(format!("{{\"messages\": {{\"client_secret\": \"{SECRET}\"")),
            json!([1]),
            json!({"chats": {"client_secret": SECRET}}),
            json!({"teams": SECRET}),
            json!({"messages": {"client_secret": SECRET}}),
        ],
    }
}

/// The configuration with one option changed, at the top level or for a stream.
fn changed(stream: Option<&str>, name: &str, value: &Value) -> Value {
    let mut config = json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": SECRET, "pace": 0});
    match stream {
        None => config[name] = value.clone(),
        Some(stream) => config["stream_options"] = json!({stream: {name: value}}),
    }
    config
}

#[test]
fn every_bad_value_of_every_option_is_reported() {
    let mut reported = String::new();
    let tap = tap();
    // Options for the operator differ between the commands: see people/secret.rs.
    for setting in SETTINGS.iter().filter(|setting| setting.audience != Audience::Operator) {
        let mut values = bad_values(setting);
        if setting.required {
            values.extend([json!(null), json!(""), json!(" ")]);
        }
        for value in values {
            tap.file("config.json", changed(None, setting.name, &value).to_string());
            let sentence = config_error(&tap);
            assert!(sentence.contains(&format!("`{}", setting.name)), "{sentence}");
            writeln!(reported, "{}: {value}\n    {sentence}", setting.name).unwrap();
        }
    }
    insta::assert_snapshot!(reported);
}

#[test]
fn a_bad_stream_option_is_reported_with_its_path() {
    let tap = tap();
    for setting in SETTINGS.iter().filter(|setting| setting.per_stream) {
        for (stream, value) in ALL.into_iter().cycle().zip(bad_values(setting)) {
            tap.file("config.json", changed(Some(stream), setting.name, &value).to_string());
            let sentence = sync_error(&tap, &["--config", "config.json"]);
            assert!(sentence.starts_with(&format!("option `stream_options.{stream}.{}`: invalid value ", setting.name)), "{sentence}");
            assert!(!sentence.contains(SECRET));
        }
    }
    tap.file("config.json", changed(Some("message_replies"), "top", &json!(51)).to_string());
    assert_eq!(config_error(&tap), "option `stream_options.message_replies.top`: invalid value 51; allowed: a whole number from 1 to 50");
}

#[test]
fn several_problems_are_reported_together() {
    let tap = tap();
    tap.file("config.json", json!({"client_secret": SECRET, "top": 0, "cloud": "mars", "start_date": "soon"}).to_string());
    insta::assert_snapshot!(config_error(&tap).replace("; option", ";\noption"));
}

/// The messages of three commands when sign-in or the network fails, without ids and ports.
fn errors_without_access(settings: Value, kind: &str) -> String {
    let sim = tenant(1, 1, 1);
    let mut all = everything();
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let tap = Tap::new(&config(&sim, all));
    let check = tap.check();
    let sentence = match kind {
        // A configuration error is a verdict; an outage is not.
        "config_error" => {
            assert_eq!((check.status, check.messages.len(), check.verdict().0), (Some(0), 2, "FAILED"));
            // The dialog has a short version.
            check.logs("ERROR")[0].to_owned()
        }
        _ => {
            assert_eq!((check.status, check.messages.len()), (Some(1), 1));
            assert_eq!((check.errors()[0].0, check.errors()[0].1), (kind, ""));
            check.errors()[0].2.replace("tried 3 times", "tried 7 times")
        }
    };
    let read = tap.read(&ALL);
    assert_eq!((read.status, read.counts().len(), read.errors().len()), (Some(1), 0, 5));
    assert!(read.errors().iter().all(|(of, _, text)| *of == kind && without_ids(text) == without_ids(&sentence)), "{:?}", read.errors());
    assert!(ALL.iter().all(|stream| read.statuses(stream) == ["STARTED", "INCOMPLETE"]));
    let sync = tap.sync(&[]);
    assert_eq!((sync.status, sync.lines.len(), without_ids(sync.critical())), (Some(1), 0, without_ids(&sentence)));
    without_ids(&sentence)
}

fn without_ids(sentence: &str) -> String {
    let sentence = sentence.split(" Trace ID").next().unwrap();
    let of_resolver = sentence.find("failed to lookup address").map(|at| sentence.split_at(at));
    match of_resolver {
        // The messages of resolvers differ between systems.
        Some((before, after)) => format!("{before}failed to lookup address{}", after.find(';').map_or("", |at| &after[at..])),
        None => sentence.to_owned(),
    }
}

#[test]
fn without_access_the_cause_is_reported() {
    let mut reported = String::new();
    for (what, settings, kind) in [
        ("wrong secret", json!({"client_secret": SECRET}), "config_error"),
        ("wrong tenant", json!({"tenant_id": "11111111-2222-3333-4444-555555555555"}), "config_error"),
        ("connection refused", json!({"login_url": "http://127.0.0.1:1"}), "transient_error"),
        ("a name that does not resolve", json!({"login_url": "https://login.invalid"}), "transient_error"),
    ] {
        writeln!(reported, "{what}, {kind}:\n    {}", errors_without_access(settings, kind)).unwrap();
    }
    insta::with_settings!({filters => vec![(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<guid>")]}, {
        insta::assert_snapshot!(reported);
    });
}

#[test]
fn an_unreachable_graph_after_a_successful_sign_in_is_an_outage() {
    let sim = tenant(1, 1, 1);
    let mut settings = everything();
    settings["graph_url"] = "http://127.0.0.1:1".into();
    let tap = Tap::new(&config(&sim, settings));
    let check = tap.check();
    assert_eq!((check.status, check.errors()[0].0), (Some(1), "transient_error"));
    let read = tap.read(&ALL);
    assert_eq!(read.status, Some(1));
    assert!(
        read.errors().iter().all(|(kind, _, text)| *kind == "transient_error" && text.contains("cannot connect")),
        "{:?}",
        read.errors()
    );
    let sync = tap.sync(&[]);
    assert_eq!((sync.status, sync.counts().len()), (Some(1), 0));
    assert!(sync.critical().contains("cannot connect") && sync.critical().contains("tried 7 times"), "{}", sync.stderr);
}
