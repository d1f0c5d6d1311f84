//! Page loops with changing links: each list ends with an error that names the place, and the next run does not repeat the loop.

use graph_sim::{Class, Fault, PageKind, Post, RetryAfter, Rule};
use serde_json::{Value, json};

use super::paged;
use crate::{
    incremental::{DAY, HOUR, MESSAGES, REPLIES, reader},
    support::{
        ALL, Output, Protocol, Tap, config, configured, everything, in_parallel,
        incremental::{Runs, read, state},
        tenant, truth,
    },
};

const MESSAGE: &str = "pagination does not terminate: twenty pages in a row contained nothing new";

/// Every page after the first links to the first one again.
fn round(class: Class) -> Rule {
    Rule::new(Fault::Cycle).class(class).page(PageKind::Next)
}

#[test]
fn page_loops_are_an_error_in_every_list_and_read_records_are_kept() {
    let routes = [
        (Class::Groups, &ALL[..], "cannot list the teams in the tenant: "),
        (Class::Channels, &["channels", "messages", "message_replies"], "cannot list the channels of team "),
        (Class::Members, &["members"], "cannot list the members of team "),
        (Class::Messages, &["messages", "message_replies"], "cannot read the messages in channel "),
        (Class::Replies, &["messages", "message_replies"], "cannot read the messages in channel "),
    ];
    in_parallel(routes, |(class, fails, reported)| {
        let (sim, settings) = paged(4, 1);
        // The first page of a thread loops too; otherwise the list of the thread would return what the link does not.
        let rule = if class == Class::Replies { Rule::new(Fault::Cycle).class(class) } else { round(class) };
        sim.inject(rule);
        let output = Tap::new(&settings).read(&ALL);
        assert_eq!(output.status, Some(1), "{class:?}");
        let errors = output.errors();
        assert_eq!(errors.iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), fails, "{class:?}: {errors:?}");
        for (kind, _, text) in errors {
            assert!(kind == "system_error" && text.starts_with(reported) && text.contains(MESSAGE), "{class:?}: {text}");
        }
        for stream in ALL {
            let last = if fails.contains(&stream) { "INCOMPLETE" } else { "COMPLETE" };
            assert_eq!(output.statuses(stream).last(), Some(&last), "{class:?} {stream}");
        }
        // Two pages of each list, and their children.
        let count = |stream: &'static str| output.table(stream).len();
        let whole = |stream: &'static str| truth::table(&sim.truth(), stream).len();
        match class {
            Class::Groups => assert_eq!((count("teams"), whole("teams")), (3, 3), "the second page has the third team"),
            Class::Channels => assert_eq!((count("channels"), count("messages")), (3 * 2, 3 * 2 * 12)),
            Class::Members => assert_eq!(count("members"), 3 * 4),
            Class::Messages => assert_eq!((count("messages"), count("channels")), (3 * 4 * 4, 3 * 4)),
            _ => assert_eq!(count("messages"), whole("messages")),
        }
        // Each list was read at most twice, with twenty pages without new items.
        let journal = sim.journal();
        let lists = if class == Class::Groups { 1 } else { 12 + whole("messages") as u64 };
        assert!(journal.count(class) <= lists * 2 * 25, "{class:?}: {}", journal.count(class));
    });
}

#[test]
fn a_channel_with_a_page_loop_is_not_repeated_and_loses_nothing_new() {
    for protocol in [Protocol::Airbyte, Protocol::Singer] {
        let sim = tenant(1, 2, 40);
        let channel = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(0));
        let mut settings = everything();
        settings["top"] = 4.into();
        settings["use_delta_api"] = false.into();
        let mut runs = Runs::new(Tap::new(&config(&sim, settings)), protocol);
        let of_channel = |output: &Output| output.records("messages").filter(|record| record["channel_id"] == channel).count();
        sim.inject(round(Class::Messages).channel(&channel));
        let first = runs.run();
        assert_eq!((first.status, of_channel(&first)), (Some(1), 8));
        // The next runs emit what is new, report what is missing, and send few requests.
        for _ in 0..3 {
            sim.with_tenant(|tenant| tenant.post(&channel, Post::text("new"))).unwrap();
            sim.clock().advance(HOUR);
            let before = sim.count(Class::Messages);
            let output = runs.run();
            let reported = if protocol == Protocol::Airbyte { output.errors()[0].2.to_owned() } else { output.critical().to_owned() };
            assert!(reported.contains(&channel) && reported.contains("is missing, because Graph's pages began to repeat"), "{reported}");
            assert_eq!((output.status, of_channel(&output), sim.count(Class::Messages) - before), (Some(1), 1, 2));
        }
        // A day later the rest is requested again: first without success, then with success.
        sim.clock().advance(DAY);
        let again = runs.run();
        assert_eq!((again.status, of_channel(&again)), (Some(1), 8));
        sim.clear_faults();
        sim.clock().advance(DAY);
        let last = runs.run();
        assert_eq!((last.status, of_channel(&last)), (Some(0), 43), "{}", last.stderr);
        runs.assert_complete(&sim);
        sim.clock().advance(DAY);
        assert_eq!(of_channel(&runs.run()), 0);
    }
}

#[test]
fn a_long_changed_channel_with_a_page_loop_loses_no_change() {
    let mut reader = reader(40).with(json!({"top": 4, "use_delta_api": false}));
    reader.read();
    reader.later(HOUR);
    let roots = reader.roots();
    roots.iter().for_each(|root| reader.edit(root, "changed"));
    reader.sim.inject(round(Class::Messages));
    let run = reader.run();
    assert_eq!((run.output.status, run.emitted(MESSAGES)), (Some(1), 8));
    reader.sim.clear_faults();
    reader.later(DAY);
    reader.read();
    reader.assert_complete();
}

#[test]
fn a_resumed_full_refresh_reports_what_is_missing_in_finished_channels() {
    let sim = tenant(1, 2, 40);
    let channels = sim.read_tenant(|tenant| tenant.all_channel_ids());
    let mut settings = everything();
    (settings["top"], settings["max_concurrent_threads"]) = (4.into(), 1.into());
    let tap = Tap::new(&config(&sim, settings));
    let catalog = json!({"streams": [configured("messages")]});
    tap.file("catalog.json", catalog.to_string());
    let run = |state: &Value| {
        tap.file("state.json", state.to_string());
        tap.run(&["read", "--config", "config.json", "--catalog", "catalog.json", "--state", "state.json"])
    };
    sim.inject(round(Class::Messages).channel(&channels[0]));
    // The other channel fails immediately with an error after which a full refresh is resumed.
    let outage = Fault::status(503).retry_after(RetryAfter::Seconds(7200));
    sim.inject(Rule::new(outage).class(Class::Messages).channel(&channels[1]).page(PageKind::Next));
    let first = run(&json!([]));
    assert_eq!((first.status, first.records("messages").count()), (Some(1), 8 + 4));
    sim.clear_faults();
    let second = run(&state(&first));
    assert_eq!(
        (second.status, second.records("messages").count()),
        (Some(1), 36 + 4),
        "one channel is read, and the other is not read again"
    );
    assert!(second.errors()[0].2.contains("is missing, because Graph's pages began to repeat"), "{:?}", second.errors());
}

#[test]
fn a_configured_thread_with_a_page_loop_is_incomplete_and_not_repeated() {
    let sim = tenant(1, 1, 2);
    let (team, channel, root, replies) = sim.with_tenant(|tenant| {
        let (team, channel) = (tenant.team_ids().remove(0), tenant.all_channel_ids().remove(0));
        let root = tenant.roots(&channel).remove(0);
        (0..12).for_each(|_| _ = tenant.reply(&root, Post::text("a reply")).unwrap());
        (team, channel, root.id_text(), tenant.replies(&root).len())
    });
    sim.clock().advance(HOUR);
    sim.inject(round(Class::Replies));
    let tap = Tap::new(&config(&sim, json!({"team_id": team, "channel_id": channel, "message_id": root, "top": 2})));
    let first = read(&tap, &["message_replies"], None);
    let errors = first.errors();
    assert_eq!((first.status, errors.len(), first.table("message_replies").len()), (Some(1), 1, 4), "{errors:?}");
    assert!(errors[0].2.contains(&root) && errors[0].2.contains(MESSAGE), "{errors:?}");
    let second = read(&tap, &["message_replies"], Some(&state(&first)));
    assert_eq!((second.status, second.records("message_replies").count()), (Some(1), 0));
    // A day later it is requested again. Only the second run knows the day, because no other request returned Graph's clock.
    sim.clear_faults();
    sim.clock().advance(DAY);
    let third = read(&tap, &["message_replies"], Some(&state(&second)));
    assert!(third.errors()[0].2.contains("is missing, because Graph's pages began to repeat"), "{:?}", third.errors());
    let last = read(&tap, &["message_replies"], Some(&state(&third)));
    assert_eq!((last.status, last.table("message_replies").len()), (Some(0), replies));
}

#[test]
fn a_page_loop_in_delta_loses_nothing_and_is_no_error() {
    for streams in [&[MESSAGES][..], &[MESSAGES, REPLIES]] {
        let mut reader = reader(30).streams(streams);
        reader.sim.switches(|switches| switches.delta.page = 5);
        reader.start_delta();
        for number in 0..12 {
            reader.post(&format!("new {number}"));
        }
        reader.later(HOUR);
        reader.sim.inject(Rule::new(Fault::Cycle).class(Class::Delta));
        let run = reader.read();
        assert!(!run.warnings("delta").is_empty() && run.request_count(Class::Delta) < 200, "{}", run.request_count(Class::Delta));
        reader.assert_complete();
    }
}
