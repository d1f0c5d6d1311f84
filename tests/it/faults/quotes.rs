//! Responses that quote a secret or a token, in every place and encoding. `support/tap.rs` searches all output for them.

use std::thread;

use graph_sim::{Class, Fault, GraphSim, Host, Options, Rule, TenantSpec};
use serde_json::{Value, json};

use crate::{
    incremental::{BOTH, HOUR, MESSAGES, reader},
    support::{ALL, Finished, Tap, config, everything, incremental},
};

/// Placeholders that the simulator replaces.
const QUOTES: [&str; 6] = ["$TOKEN$", "$PERCENT:TOKEN$", "$ESCAPED:TOKEN$", "$SECRET$", "$PERCENT:SECRET$", "$ESCAPED:SECRET$"];

fn sim() -> GraphSim {
    GraphSim::start(Options::new(TenantSpec::uniform(1, 1, 12))).unwrap()
}

/// Runs every command with the most detailed log; returns the output except records.
fn all_output(sim: &GraphSim) -> Vec<String> {
    let tap = Tap::new(&config(sim, everything()));
    tap.file("catalog.json", json!({"streams": ALL.map(incremental::configured)}).to_string());
    let commands: [&[&str]; 4] = [&["check"], &["read", "--catalog", "catalog.json"], &[], &["plan", "--format", "json"]];
    let written = commands.map(|command| {
        let Finished { stdout, stderr, .. } = tap.execute(&[command, &["--config", "config.json", "--log-level", "trace"]].concat(), &[]);
        let is_record = |line: &&str| line.starts_with(r#"{"type":"RECORD""#);
        stdout.lines().filter(|line| !is_record(line)).chain(stderr.lines()).collect::<Vec<_>>().join("\n")
    });
    written.into()
}

#[test]
fn a_secret_quoted_in_an_error_is_masked() {
    let reported = format!("you have sent {}", QUOTES.join(", and "));
    for class in [Class::Groups, Class::Members, Class::Messages] {
        for fault in [Fault::graph(403, "Forbidden", &reported), Fault::graph(500, &reported, "")] {
            let sim = sim();
            sim.inject(Rule::new(fault).class(class));
            for written in all_output(&sim) {
                assert!(written.contains("you have sent ***, and ***, and ***, and ***, and ***, and ***"), "{class:?} {written}");
            }
        }
    }
}

#[test]
fn a_secret_quoted_next_to_an_error_is_masked() {
    for quote in ["$TOKEN$", "$PERCENT:SECRET$"] {
        let sim = sim();
        let headers = [("x-request-id", quote), ("request-id", quote), ("Location", quote), ("Retry-After", quote)];
        let body = json!({"error": {"code": "", "message": "", "innerError": {"message": quote}}}).to_string();
        sim.inject(Rule::new(Fault::respond(302, &headers, body)).class(Class::Members));
        let written = all_output(&sim);
        assert!(written.iter().all(|written| written.contains("302 Found (request-id ***")), "{written:?}");
    }
}

/// A JSON body that is not from Graph is not shown at all.
#[test]
fn a_response_that_is_only_text_is_not_quoted() {
    let quotes = QUOTES.join(" ");
    for body in [
        format!("\"{quotes} said Zaphod\""),
        format!("[\"{quotes} said Zaphod\"]"),
        format!("{{\"value\":\"{quotes} said Zaphod\"}}"),
        format!("{{\"value\":[],\"@odata.nextLink\":[\"{quotes} said Zaphod\"]}}"),
        format!("{{\"{quotes} said Zaphod"),
        format!("{quotes} said Zaphod"),
    ] {
        let sim = sim();
        sim.inject(Rule::new(Fault::respond(200, &[], body.clone())).class(Class::Members));
        let written = all_output(&sim).concat();
        assert!(written.contains("unexpected response"), "{body}");
        assert!(!written.contains("Zaphod") && !written.contains("***"), "{body}: {written}");
    }
}

#[test]
fn the_size_of_a_text_is_reported_instead_of_the_text() {
    let sim = sim();
    let body = format!("\"{}\"", "words of a person ".repeat(100_000));
    sim.inject(Rule::new(Fault::respond(200, &[], body)).class(Class::Members));
    let output = Tap::new(&config(&sim, everything())).read(&["members"]);
    let (_, _, reported) = &output.errors()[0];
    assert!(
        reported.contains("it is a string, not an object with a list `value`, at line 1, column 1800002 of 1800002 bytes"),
        "{reported}"
    );
    assert!(output.lines.iter().all(|line| line.len() < 2000 && !line.contains("person")));
}

#[test]
fn a_link_with_a_secret_is_neither_followed_nor_shown() {
    let check = |quote: &str, class: Class| {
        let sim = sim();
        let (graph, foreign) = (sim.graph_url(), sim.foreign_url());
        for link in [
            format!("https://{quote}.example/v1.0/groups"),
            format!("{foreign}/{quote}"),
            format!("https://{quote}@graph.microsoft.com/"),
            format!("{graph}/v1.0/groups?$skiptoken=of-others-{quote}"),
            quote.to_owned(),
        ] {
            sim.clear_faults();
            sim.clear_journal();
            let body = json!({"value": [], "@odata.nextLink": "LINK"}).to_string().replace("LINK", &link);
            sim.inject(Rule::new(Fault::respond(200, &[], body)).class(class));
            let written = all_output(&sim);
            let is_named = |written: &String| written.contains("a link contains a secret");
            assert!(written[1..3].iter().all(is_named), "{class:?} {link} {written:?}");
            let is_followed = sim.journal().entries().any(|entry| entry.host == Host::Foreign || entry.query.contains("of-others"));
            assert!(!is_followed, "{class:?} {link}");
        }
    };
    thread::scope(|scope| {
        for (quote, class) in [("$TOKEN$", Class::Messages), ("$PERCENT:TOKEN$", Class::Groups), ("$ESCAPED:SECRET$", Class::Members)] {
            scope.spawn(move || check(quote, class));
        }
    });
}

#[test]
fn an_item_with_a_secret_in_its_id_is_skipped() {
    for (quote, class) in [
        ("$TOKEN$", Class::Groups),
        ("$PERCENT:TOKEN$", Class::Channels),
        ("$ESCAPED:SECRET$", Class::Members),
        ("$SECRET$", Class::Messages),
    ] {
        let sim = sim();
        let id = Fault::Replace { from: "\"id\":\"".to_owned(), to: format!("\"id\":\"{quote}") };
        sim.inject(Rule::new(id).class(class));
        let written = all_output(&sim);
        assert!(written[1..3].iter().all(|written| written.contains("or no usable id")), "{class:?} {quote}: {written:?}");
    }
}

#[test]
fn a_secret_in_a_name_is_masked() {
    let sim = sim();
    let name = Fault::Replace { from: "\"displayName\":\"".to_owned(), to: format!("\"displayName\":\"{} of ", QUOTES.join(" ")) };
    for class in [Class::Groups, Class::Team, Class::Channels] {
        sim.inject(Rule::new(name.clone()).class(class));
    }
    let tap = Tap::new(&config(&sim, everything()));
    for format in ["json", "table"] {
        let finished = tap.execute(&["plan", "--format", format, "--config", "config.json", "--log-level", "trace"], &[]);
        assert!(finished.stdout.contains("*** *** ***"), "{}", finished.stdout);
    }
}

#[test]
fn no_state_contains_a_link_with_a_secret() {
    for protocol in BOTH {
        for quote in ["$TOKEN$", "$PERCENT:TOKEN$", "$ESCAPED:SECRET$"] {
            let mut reader = reader(30).streams(&[MESSAGES]).with_protocol(protocol);
            // On the same path, because foreign links are never stored.
            let quoting = Fault::Replace { from: "token=".to_owned(), to: format!("token={quote}") };
            reader.sim.inject(Rule::new(quoting).class(Class::Delta));
            for _ in 0..3 {
                reader.read();
                reader.later(HOUR);
            }
            reader.sim.clear_faults();
            reader.read();
            reader.assert_complete();
        }
    }
}

#[test]
fn a_sign_in_error_that_quotes_a_token_or_the_secret_shows_neither() {
    for quote in ["$FIRST_TOKEN$", "$PERCENT:FIRST_TOKEN$", "$SECRET$", "$ESCAPED:SECRET$"] {
        let body = json!({"error": quote, "error_description": format!("AADSTS7000222: {quote} has expired"), "error_codes": [7_000_222]});
        for skip in [0, 1] {
            let sim = sim();
            sim.inject(Rule::new(Fault::respond(401, &[], body.to_string())).class(Class::Token).skip(skip));
            // The first token is replaced during the run.
            sim.inject(Rule::new(Fault::status(401)).class(Class::Messages).times(1));
            let output = Tap::new(&config(&sim, everything())).read(&ALL);
            let errors = output.errors();
            // A token that was never issued cannot be recognised.
            let is_quoted = skip > 0 || quote.contains("SECRET");
            assert!(errors[0].2.contains("AADSTS7000222") && (errors[0].2.contains("***") || !is_quoted), "{quote}: {errors:?}");
        }
    }
}

/// A secret that was pasted into the wrong option is not shown.
#[test]
fn a_secret_entered_as_an_id_is_not_shown() {
    let sim = sim();
    let secret = sim.config()["client_secret"].as_str().unwrap().to_owned();
    for settings in [json!({"team_id": secret}), json!({"team_id": "t", "channel_id": secret}), json!({"start_date": secret})] {
        let mut written: Value = config(&sim, settings);
        written["fetch_all_messages"] = true.into();
        let tap = Tap::new(&written);
        tap.check();
        tap.read(&ALL);
        tap.sync(&["--debug"]);
    }
}

#[test]
fn bidirectional_marks_are_escaped_in_logs() {
    let sim = sim();
    let reported = "first\u{2028}second\u{2029}third \u{202e}txet\u{202c} \u{2066}\u{feff}\u{200b}end\u{85}";
    sim.inject(Rule::new(Fault::graph(403, "Forbidden", reported)).class(Class::Members));
    let shown = r"first second third \u{202e}txet\u{202c} \u{2066}\u{feff}\u{200b}end";
    let tap = Tap::new(&config(&sim, everything()));
    let output = tap.read(&["members"]);
    assert!(output.errors()[0].2.contains(shown), "{:?}", output.errors());
    let output = tap.sync(&["--log-format", "json"]);
    assert!(output.stderr.contains(&shown.replace('\\', r"\\")), "{}", output.stderr);
    let output = tap.sync(&[]);
    assert!(output.critical().contains(shown), "{}", output.stderr);
    for text in all_output(&sim) {
        assert!(!text.contains(|char: char| "\u{2028}\u{2029}\u{202e}\u{202c}\u{2066}\u{feff}\u{200b}\u{85}".contains(char)), "{text}");
    }
}
