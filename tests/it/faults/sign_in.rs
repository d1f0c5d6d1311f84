//! Responses of the sign-in service that are not a token.

use std::{thread, time::Duration};

use graph_sim::{Class, Fault, GraphSim, Host, RetryAfter, Rule};
use serde_json::{Value, json};

use crate::support::{ALL, Protocol, Tap, config, everything, in_parallel, incremental::Runs, tenant, truth};

/// A simulator whose sign-in service always returns this response.
fn simulator(fault: Fault) -> GraphSim {
    let sim = tenant(1, 1, 1);
    sim.inject(Rule::new(fault).class(Class::Token));
    sim
}

/// The failure type and message of `check` and of a Singer run, which must be equal except for the number of attempts.
fn reported(sim: &GraphSim, settings: Value) -> (String, String) {
    let tap = Tap::new(&config(sim, settings));
    let (check, sync) = thread::scope(|scope| {
        let check = scope.spawn(|| tap.check());
        let sync = tap.sync(&[]);
        (check.join().unwrap(), sync)
    });
    let (kind, sentence) = if check.status == Some(0) {
        assert_eq!(check.verdict().0, "FAILED");
        // The dialog has a short version.
        ("config_error", check.logs("ERROR")[0])
    } else {
        let (kind, stream, sentence) = check.errors()[0];
        assert_eq!((check.status, check.errors().len(), stream), (Some(1), 1, ""));
        (kind, sentence)
    };
    let sentence = sentence.replace("tried 3 times", "tried 7 times");
    assert_eq!((sync.status, sync.critical(), sync.lines.len()), (Some(1), sentence.as_str(), 0));
    (kind.to_owned(), sentence)
}

fn snapshot(name: &str, reported: &[(String, String, String)]) {
    let text: Vec<_> = reported.iter().map(|(what, kind, sentence)| format!("{what}, {kind}:\n    {sentence}")).collect();
    let ids = vec![(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<guid>"), (r"http://127\.0\.0\.1:\d+", "<url>")];
    insta::with_settings!({filters => ids}, {
        insta::assert_snapshot!(name, text.join("\n"));
    });
}

#[test]
fn a_compressed_token_response_is_accepted() {
    for fault in [Fault::GzipMembers, Fault::ByteOrderMark] {
        assert_eq!(Tap::new(&config(&simulator(fault), everything())).read(&ALL).status, Some(0));
    }
    let brotli = Fault::respond(200, &[("Content-Encoding", "br")], "x");
    let (kind, sentence) = reported(&simulator(brotli), json!({}));
    assert!(
        kind == "transient_error" && sentence.contains("returned no token: it uses a compression that was not requested"),
        "{sentence}"
    );
}

/// Gateways rewrite responses. A damaged key does not affect the other keys.
#[test]
fn a_refusal_with_unusual_or_missing_codes_still_has_a_hint() {
    let description = "AADSTS7000222: The provided client secret keys are expired.\r\nTrace ID: x";
    let codes =
        [json!(["7000222"]), json!([-1, 7_000_222]), json!([7_000_222.5, {}]), json!([]), json!(null), json!(7_000_222), json!("x")];
    let bodies = codes.map(|codes| json!({"error": "invalid_client", "error_description": description, "error_codes": codes}));
    let others = [json!({"error": {"code": 5}, "error_description": description}), json!({"error_description": description})];
    for body in bodies.into_iter().chain(others) {
        let (kind, sentence) = reported(&simulator(Fault::respond(401, &[], body.to_string())), json!({}));
        assert!(kind == "config_error" && sentence.contains("keys are expired.") && !sentence.contains("Trace"), "{body}: {sentence}");
        assert!(sentence.contains("; hint: the client secret has expired"), "{body}: {sentence}");
    }
}

#[test]
fn every_sign_in_code_has_a_cause_and_a_hint() {
    let another = "11111111-2222-3333-4444-555555555555";
    let mistakes = [
        ("wrong secret", json!({"client_secret": "not the secret"})),
        ("wrong application", json!({"client_id": another})),
        ("wrong tenant", json!({"tenant_id": another})),
        ("tenant that is no tenant", json!({"tenant_id": "not-a-tenant.example"})),
    ];
    let of_user = [
        7_000_112, 7_000_215, 7_000_222, 7_000_216, 7_000_218, 700_016, 700_011, 90002, 900_023, 50059, 70001, 500_011, 90038, 900_382,
        900_432, 53003, 70011, 900_144, 90014, 7_000_229, 7_000_232, 5_000_224, 5_000_225, 700_025, 700_027, 50012, 700_030, 700_024,
    ];
    let of_moment = [90006, 90012, 90024, 90033, 90055, 90090];
    let busy = json!({"error": "temporarily_unavailable", "error_description": "Come back later.", "error_codes": []}).to_string();
    let coded =
        |codes: &[u32]| codes.iter().map(|&code| (format!("AADSTS{code}"), json!({}), Some(Fault::Aadsts(code)))).collect::<Vec<_>>();
    let mut cases: Vec<_> = mistakes.into_iter().map(|(what, settings)| (what.to_owned(), settings, None)).collect();
    cases.extend(coded(&of_user));
    let first_of_moment = cases.len();
    cases.extend(coded(&of_moment));
    cases.push(("temporarily_unavailable".to_owned(), json!({}), Some(Fault::respond(400, &[], busy))));
    let emitted = in_parallel(cases.into_iter().enumerate(), |(at, (what, settings, fault))| {
        let sim = fault.map_or_else(|| tenant(1, 1, 1), simulator);
        let (kind, sentence) = reported(&sim, settings);
        let (expected, requests) = if at < first_of_moment { ("config_error", 1 + 1) } else { ("transient_error", 3 + 7) };
        assert_eq!((kind.as_str(), sim.count(Class::Token)), (expected, requests), "{what}: {sentence}");
        assert_eq!(sentence.contains("; tried 7 times"), requests > 2, "{sentence}");
        assert_eq!(sim.journal().graph_total(), 0, "{what}");
        (what, kind, sentence)
    });
    snapshot("every_sign_in_code_has_a_cause_and_a_hint", &emitted);
}

#[test]
fn temporary_sign_in_failures_are_retried() {
    let sim = tenant(1, 2, 4);
    for status in [429, 500, 502, 503, 504] {
        sim.inject(Rule::new(Fault::status(status)).class(Class::Token).times(1));
    }
    let output = Tap::new(&config(&sim, everything())).read(&ALL);
    assert_eq!((output.status, sim.count(Class::Token)), (Some(0), 6), "{:?}", output.errors());
    let truth = sim.truth();
    for stream in ALL {
        truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
    }
    in_parallel([429, 500, 502, 503, 504], |status| {
        let (kind, sentence) = reported(&simulator(Fault::status(status)), json!({}));
        let is_told = sentence.contains(&format!(" returned {status} ")) && sentence.contains("tried 7 times");
        assert!(kind == "transient_error" && is_told, "{kind}: {sentence}");
    });
}

#[test]
fn an_invalid_token_response_is_retried() {
    let json = [("Content-Type", "application/json")];
    let answers = [
        ("reset", Fault::Reset),
        ("reset in the body", Fault::ResetInBody),
        ("cut short", Fault::Truncate),
        ("half of the JSON", Fault::MalformedJson),
        ("damaged gzip", Fault::BrokenGzip),
        ("a web page", Fault::Html { status: 200 }),
        ("a web page that is an error", Fault::Html { status: 503 }),
        ("nothing", Fault::Empty { status: 200 }),
        ("no token", Fault::respond(200, &json, r#"{"token_type":"Bearer","expires_in":3599}"#)),
        ("a list", Fault::respond(200, &json, "[]")),
        ("too large", Fault::respond(200, &json, vec![b' '; 1024 * 1024 + 1])),
    ];
    let emitted = in_parallel(answers, |(what, fault)| {
        let sim = simulator(fault.clone());
        let (kind, sentence) = reported(&sim, json!({}));
        assert_eq!((kind.as_str(), sim.count(Class::Token)), ("transient_error", 3 + 7), "{what}: {sentence}");
        sim.clear_faults();
        sim.inject(Rule::new(fault).class(Class::Token).times(2));
        let output = Tap::new(&config(&sim, everything())).read(&ALL);
        assert_eq!((output.status, sim.count(Class::Token)), (Some(0), 13), "{what}: {:?}", output.errors());
        (what.to_owned(), kind, sentence)
    });
    snapshot("an_invalid_token_response_is_retried", &emitted);
}

#[test]
fn a_wrong_sign_in_host_is_reported_and_gets_the_secret_only_once() {
    let foreign = tenant(1, 1, 1);
    let to = |status: u16, url: &str| Fault::respond(status, &[("Location", url)], "");
    let elsewhere = format!("{}/oauth2/v2.0/token", foreign.foreign_url());
    let mut answers: Vec<_> = [301, 302, 303, 307, 308].map(|status| (format!("{status} to another host"), to(status, &elsewhere))).into();
    answers.extend([
        ("404".to_owned(), Fault::status(404)),
        ("404 of a web page".to_owned(), Fault::Html { status: 404 }),
        ("403 of a web page".to_owned(), Fault::Html { status: 403 }),
        ("407 of a proxy".to_owned(), Fault::Empty { status: 407 }),
        ("511 of a captive portal".to_owned(), Fault::Html { status: 511 }),
    ]);
    let emitted = in_parallel(answers, |(what, fault)| {
        let sim = simulator(fault);
        let (kind, sentence) = reported(&sim, json!({}));
        assert_eq!((kind.as_str(), sim.journal().total()), ("config_error", 2), "{what}: {sentence}");
        assert!(sentence.contains("; hint: "), "{sentence}");
        (what, kind, sentence)
    });
    assert_eq!(foreign.journal().entries().filter(|entry| entry.host == Host::Foreign).count(), 0);
    snapshot("a_wrong_sign_in_host_is_reported_and_gets_the_secret_only_once", &emitted);
}

/// Far more channels than requests in flight, and a token that expires at this page of messages.
fn many_channels(page: u64) -> (GraphSim, Tap) {
    let sim = tenant(2, 10, 16);
    sim.on_request(move |request, tenant| {
        if request.class == Class::Messages && request.class_number == page {
            tenant.clock().advance(Duration::from_secs(3600));
        }
        None
    });
    let mut settings = everything();
    settings["top"] = 4.into();
    let tap = Tap::new(&config(&sim, settings));
    (sim, tap)
}

#[test]
fn a_secret_that_expires_during_a_run_ends_it_with_its_states() {
    for protocol in [Protocol::Airbyte, Protocol::Singer] {
        let (sim, tap) = many_channels(60);
        let mut runs = Runs::new(tap, protocol);
        sim.inject(Rule::new(Fault::Aadsts(7_000_222)).class(Class::Token).skip(1));
        let first = runs.run();
        assert_eq!((first.status, sim.count(Class::Token)), (Some(1), 2), "one more request, however much is under way");
        let is_told = |text: &str| text.contains("AADSTS7000222") && text.contains("set `client_secret` to its value");
        if protocol == Protocol::Airbyte {
            let incomplete: Vec<_> = ALL.into_iter().filter(|stream| first.statuses(stream).last() == Some(&"INCOMPLETE")).collect();
            assert!(incomplete.contains(&"messages") && incomplete.contains(&"message_replies"), "{incomplete:?}");
            assert_eq!(first.errors().iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), incomplete);
            assert!(first.errors().iter().all(|(kind, _, text)| *kind == "config_error" && is_told(text)), "{:?}", first.errors());
        } else {
            assert!(is_told(first.critical()), "{}", first.stderr);
        }
        let emitted = first.records("messages").count();
        assert!((100..320).contains(&emitted), "{emitted}");
        sim.clear_hook();
        sim.clear_faults();
        let second = runs.run();
        assert_eq!(second.status, Some(0), "{}", second.stderr);
        // Only the page that closes the walk of each channel is emitted again.
        let again = emitted + second.records("messages").count() - 320;
        assert!(again <= 20 * 4, "{again} of {emitted}");
        runs.assert_complete(&sim);
    }
    // A check tries one stream after the other.
    let sim = tenant(1, 1, 1);
    sim.inject(Rule::new(Fault::Aadsts(7_000_222)).class(Class::Token).skip(1));
    sim.inject(Rule::new(Fault::status(401)).host(Host::Graph));
    let check = Tap::new(&config(&sim, everything())).check();
    let (verdict, sentence) = check.verdict();
    assert!(verdict == "FAILED" && sentence.contains("AADSTS7000222") && !sentence.contains("tried"), "{sentence}");
    assert_eq!(sim.count(Class::Token), 2);
}

#[test]
fn a_throttled_sign_in_is_not_repeated_for_every_channel() {
    let (sim, tap) = many_channels(20);
    let wait = Duration::from_secs(1);
    let busy = Fault::status(503).retry_after(RetryAfter::Seconds(wait.as_secs()));
    sim.inject(Rule::new(busy).class(Class::Token).skip(1).times(1));
    let output = tap.read(&ALL);
    assert_eq!((output.status, sim.count(Class::Token)), (Some(0), 3), "{:?}", output.errors());
    let journal = sim.journal();
    let requested: Vec<_> = journal.entries_of(Class::Token).collect();
    assert!(requested[1].fault && requested[2].started >= requested[1].started + requested[1].took + wait);
}
