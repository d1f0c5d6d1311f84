//! Rate limits: which waits are respected, and which are left to the next run.

use std::time::Duration;

use graph_sim::{Class, Fault, GraphSim, RetryAfter, Rule};
use serde_json::{Value, json};

use crate::support::{ALL, Protocol, Tap, config, everything, in_parallel, incremental::Runs, tenant};

const BOTH: [Protocol; 2] = [Protocol::Airbyte, Protocol::Singer];
const MESSAGE: &str =
    "hint: Graph told the connector to wait 120 minutes, but a run waits at most 15: run again later; it resumes from its state";

fn for_two_hours() -> Fault {
    Fault::throttled(RetryAfter::Seconds(7200))
}

fn tap(sim: &GraphSim, more: Value) -> Tap {
    let mut settings = everything();
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Tap::new(&config(sim, settings))
}

#[test]
fn a_wait_that_is_too_long_ends_the_stream_with_its_state() {
    let too_long = [
        ("120 minutes", for_two_hours()),
        ("120 minutes", Fault::throttled(RetryAfter::Date(7200))),
        ("120 minutes", Fault::status(503).retry_after(RetryAfter::Text("7199.5".to_owned()))),
        ("16 minutes", Fault::throttled(RetryAfter::Seconds(901))),
        ("166666666667 minutes", Fault::throttled(RetryAfter::Seconds(10_000_000_000_000))),
    ];
    in_parallel(BOTH.into_iter().flat_map(|protocol| too_long.clone().map(|case| (protocol, case))), |(protocol, (wait, fault))| {
        let sim = tenant(1, 1, 24);
        let mut runs = Runs::new(tap(&sim, json!({"top": 4})), protocol);
        sim.inject(Rule::new(fault).class(Class::Messages).skip(3));
        let first = runs.run();
        assert_eq!((first.status, sim.count(Class::Messages), first.records("messages").count()), (Some(1), 4, 12), "{}", first.stderr);
        let reported = MESSAGE.replace("120 minutes", wait);
        if protocol == Protocol::Airbyte {
            let errors = first.errors();
            assert_eq!(
                errors.iter().map(|(kind, stream, _)| (*kind, *stream)).collect::<Vec<_>>(),
                [("transient_error", "messages"), ("transient_error", "message_replies")]
            );
            assert!(errors.iter().all(|(_, _, text)| text.ends_with(&reported)), "{errors:?}");
            assert_eq!(first.statuses("members").last(), Some(&"COMPLETE"));
        } else {
            assert!(first.critical().contains(&reported), "{}", first.stderr);
        }
        sim.clear_faults();
        let second = runs.run();
        // Twelve more, and the first page, which closes the walk.
        assert_eq!((second.status, second.records("messages").count()), (Some(0), 16), "{}", second.stderr);
        runs.assert_complete(&sim);
    });
}

#[test]
fn a_wait_that_is_too_long_is_reported_on_every_route() {
    let routes = [
        (Class::Groups, &ALL[..]),
        (Class::Team, &["teams"]),
        (Class::Channels, &["channels", "messages", "message_replies"]),
        (Class::Members, &["members"]),
        (Class::Token, &ALL),
    ];
    in_parallel(routes, |(class, fails)| {
        let sim = tenant(1, 1, 2);
        sim.inject(Rule::new(for_two_hours()).class(class));
        let output = tap(&sim, json!({})).read(&ALL);
        let errors = output.errors();
        assert_eq!((output.status, sim.faults_applied()), (Some(1), 1), "{class:?}: {errors:?}");
        assert_eq!(errors.iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), fails, "{class:?}");
        assert!(errors.iter().all(|(kind, _, text)| *kind == "transient_error" && text.ends_with(MESSAGE)), "{class:?}: {errors:?}");
    });
}

#[test]
fn similar_requests_are_skipped_after_long_waits() {
    // Without rate limits at most eight requests are in flight, so eight may be when the second channel is refused.
    let cases = [(Protocol::Airbyte, 1, 2), (Protocol::Airbyte, 50, 9), (Protocol::Singer, 50, 9)];
    for (protocol, at_once, most) in cases {
        let sim = tenant(2, 15, 2);
        let mut runs = Runs::new(tap(&sim, json!({"max_concurrent_threads": at_once})), protocol);
        sim.inject(Rule::new(for_two_hours()).class(Class::Messages));
        let first = runs.run();
        let requested = sim.count(Class::Messages);
        assert!((2..=most).contains(&requested), "{requested}");
        assert_eq!((first.status, first.records("messages").count(), first.records("members").count()), (Some(1), 0, 24));
        if protocol == Protocol::Airbyte {
            // Thirty channels are skipped for one reason.
            let (warnings, errors) = (first.logs("WARN"), first.errors());
            assert!(warnings.len() as u64 <= most, "{warnings:?}");
            assert_eq!(errors.iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), ["messages", "message_replies"]);
            assert!(errors.iter().all(|(kind, _, text)| *kind == "transient_error" && text.contains(MESSAGE)), "{errors:?}");
            for stream in ["teams", "channels", "members"] {
                assert_eq!(first.statuses(stream).last(), Some(&"COMPLETE"), "{stream}");
            }
        } else {
            assert!(first.critical().contains(MESSAGE), "{}", first.stderr);
        }
        sim.clear_faults();
        assert_eq!(runs.run().status, Some(0));
        runs.assert_complete(&sim);
    }
}

#[test]
fn one_throttled_channel_does_not_delay_the_others() {
    let sim = tenant(2, 4, 4);
    let channel = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(3));
    let mut runs = Runs::new(tap(&sim, json!({})), Protocol::Airbyte);
    sim.inject(Rule::new(for_two_hours()).class(Class::Messages).channel(&channel));
    let first = runs.run();
    assert_eq!((first.status, sim.faults_applied(), first.records("messages").count()), (Some(1), 1, 7 * 4));
    sim.clear_faults();
    let second = runs.run();
    assert_eq!((second.status, second.records("messages").filter(|record| record["channel_id"] == channel).count()), (Some(0), 4));
    runs.assert_complete(&sim);
}

#[test]
fn a_request_that_is_throttled_forever_fails() {
    in_parallel([RetryAfter::Seconds(0), RetryAfter::Absent, RetryAfter::Date(-60)], |wait| {
        let sim = tenant(1, 2, 4);
        let channel = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(0));
        sim.inject(Rule::new(Fault::throttled(wait.clone())).class(Class::Messages).channel(&channel));
        sim.inject(Rule::new(Fault::throttled(wait.clone())).class(Class::Members));
        let output = tap(&sim, json!({})).read(&ALL);
        let errors = output.errors();
        // Far more attempts than for failures, but still a limited number, for two requests.
        assert!(output.status == Some(1) && (20..200).contains(&sim.faults_applied()), "{wait:?}: {}: {errors:?}", sim.faults_applied());
        assert_eq!(errors.iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), ["members", "messages", "message_replies"]);
        let is_told = |text: &str| text.contains("429 Too Many Requests") && text.contains("; tried ");
        assert!(errors.iter().all(|(kind, _, text)| *kind == "transient_error" && is_told(text)), "{errors:?}");
        assert_eq!(output.records("messages").count(), 4, "the other channel is read");
    });
}

#[test]
fn a_limit_that_outlasts_its_retry_after_is_waited_for() {
    let named = ["0", "0.001", "0.0124"].map(|text| RetryAfter::Text(text.to_owned()));
    in_parallel(named.into_iter().chain([RetryAfter::Absent]), |wait| {
        let sim = tenant(1, 2, 4);
        // More 429 responses than the attempts of a failing request, on every route.
        for class in [Class::Groups, Class::Team, Class::Channels, Class::Members, Class::Messages] {
            sim.inject(Rule::new(Fault::throttled(wait.clone())).class(class).times(15));
        }
        let output = tap(&sim, json!({})).read(&ALL);
        assert_eq!((output.status, sim.faults_applied()), (Some(0), 75), "{wait:?}: {:?}", output.errors());
    });
}

#[test]
fn a_requested_wait_is_respected_on_every_route() {
    let wait = Duration::from_secs(1);
    let asks = |status| Fault::status(status).retry_after(RetryAfter::Seconds(wait.as_secs()));
    let cases = [
        (Class::Token, 429),
        (Class::Token, 503),
        (Class::Groups, 503),
        (Class::Members, 503),
        (Class::Messages, 429),
        (Class::Messages, 503),
    ];
    in_parallel(cases, |(class, status)| {
        let sim = tenant(1, 1, 4);
        sim.inject(Rule::new(asks(status)).class(class).times(1));
        let mut runs = Runs::new(tap(&sim, json!({})), Protocol::Airbyte);
        let output = runs.run();
        assert_eq!((output.status, sim.faults_applied()), (Some(0), 1), "{class:?} {status}: {:?}", output.errors());
        runs.assert_complete(&sim);
        let journal = sim.journal();
        let mut requested = journal.entries_of(class);
        let (refused, again) = (requested.next().unwrap(), requested.next().unwrap());
        assert!(refused.fault && again.started >= refused.started + refused.took + wait, "{class:?} {status}");
    });
}
