//! The figures at the end of a run match the requests to Graph and the data of the tenant.

use graph_sim::{Class, Fault, GraphSim, Post, RetryAfter, Rule};
use serde_json::{Value, json};

use super::figures;
use crate::support::{ALL, Output, Protocol, Tap, config, everything, incremental::Runs, tenant};

/// The numbers of changed and of deleted messages among the records of a stream.
fn changes(output: &Output, stream: &'static str) -> (u64, u64) {
    let is_deleted = |record: &Value| !record["deletedDateTime"].is_null() || record["is_removed"] == true;
    let is_changed = |record: &Value| !is_deleted(record) && record["lastModifiedDateTime"] != record["createdDateTime"];
    let count = |is: &dyn Fn(&Value) -> bool| output.records(stream).filter(|record| is(record)).count() as u64;
    (count(&is_changed), count(&is_deleted))
}

/// The requests to the simulator, by class.
fn requests_by_class(sim: &GraphSim) -> Value {
    let classes = [
        ("groups", &[Class::Groups][..]),
        ("team", &[Class::Team]),
        ("channels", &[Class::Channels]),
        ("members", &[Class::Members]),
        ("messages", &[Class::Messages, Class::Replies, Class::Delta]),
    ];
    let counts = classes.map(|(name, classes)| (name, classes.iter().map(|class| sim.count(*class)).sum::<u64>()));
    Value::Object(counts.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name.to_owned(), count.into())).collect())
}

/// The figures match this output and the requests to the simulator.
#[track_caller]
fn assert_figures_match(output: &Output, sim: &GraphSim) {
    let (figures, journal) = (figures(output), sim.journal());
    assert_eq!(figures["requests"], journal.graph_total());
    assert_eq!(figures["requests_by_class"], requests_by_class(sim));
    assert_eq!(figures["throttled"], journal.throttled());
    assert_eq!(figures["sign_ins"], journal.count(Class::Token));
    let (counts, mut sum) = (output.counts(), 0);
    for stream in ALL {
        let of_stream = &figures["streams"][stream];
        let count = counts.get(stream).copied().unwrap_or_default();
        sum += count;
        assert_eq!(of_stream["records"], count, "{stream}");
        assert!(of_stream["seconds"].as_f64().unwrap() <= figures["seconds"].as_f64().unwrap());
        if of_stream.get("changed").is_some() {
            assert_eq!(
                (of_stream["changed"].as_u64().unwrap(), of_stream["deleted"].as_u64().unwrap()),
                changes(output, stream),
                "{stream}"
            );
        }
    }
    assert_eq!(figures["records"], sum);
}

#[test]
fn figures_match_in_a_full_run_with_refusals() {
    for protocol in [Protocol::Airbyte, Protocol::Singer] {
        let sim = tenant(3, 2, 60);
        let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
        sim.inject(Rule::new(Fault::status(403)).class(Class::Members).team(&team));
        sim.inject(Rule::new(Fault::throttled(RetryAfter::Seconds(0))).class(Class::Messages).times(3));
        sim.inject(Rule::new(Fault::throttled(RetryAfter::Seconds(0))).class(Class::Members).times(1));
        let mut runs = Runs::new(Tap::new(&config(&sim, everything())), protocol);
        let output = runs.run();
        assert_eq!(output.status, Some(0), "{}", output.stderr);
        assert_figures_match(&output, &sim);
        let figures = figures(&output);
        assert_eq!(figures["throttled"], 4);
        let truth = sim.truth();
        assert_eq!(figures["streams"]["messages"]["records"], truth.messages.len());
        assert_eq!(figures["streams"]["message_replies"]["records"], truth.replies.len());
        // Requests that serve several streams count for none of them; those for members and single teams do.
        let alone = ALL.map(|stream| figures["streams"][stream]["requests"].as_u64().unwrap());
        assert_eq!(alone, [3, 0, 4, 0, 0], "{figures}");
        let skipped = ALL.map(|stream| figures["streams"][stream]["skipped"].as_u64().unwrap());
        assert_eq!((skipped, &figures["skipped"]), ([0, 0, 1, 0, 0], &json!(1)));
        assert_eq!(figures["streams"]["members"]["throttled"], 1);
        assert!(ALL.iter().all(|stream| figures["streams"][stream]["state"] == "complete"));
    }
}

#[test]
fn figures_match_in_an_incremental_run_with_edits_and_deletions() {
    for protocol in [Protocol::Airbyte, Protocol::Singer] {
        let sim = tenant(2, 2, 40);
        let later = |hours: u64| sim.clock().advance(std::time::Duration::from_secs(hours * 3600));
        let mut runs = Runs::new(Tap::new(&config(&sim, everything())), protocol);
        for _ in 0..2 {
            runs.run();
            later(2);
        }
        let channel = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(0));
        sim.with_tenant(|tenant| {
            let roots = tenant.roots(&channel);
            tenant.edit(&roots[30], "edited").unwrap();
            tenant.edit(&roots[20], "edited, too").unwrap();
            tenant.react(&roots[25], "like").unwrap();
            tenant.delete(&roots[10]).unwrap();
            let new = tenant.post(&channel, Post::text("new")).unwrap();
            tenant.reply(&new, Post::text("new, too")).unwrap();
        });
        later(1);
        sim.clear_journal();
        let output = runs.run();
        assert_eq!(output.status, Some(0), "{}", output.stderr);
        assert_figures_match(&output, &sim);
        let figures = figures(&output);
        let messages = &figures["streams"]["messages"];
        assert_eq!((&messages["changed"], &messages["deleted"]), (&json!(3), &json!(1)), "{figures}");
        runs.assert_complete(&sim);
    }
}

/// Graph writes year 1 for "never".
#[test]
fn a_message_deleted_in_year_one_does_not_count_as_deleted() {
    let sim = tenant(1, 1, 1);
    sim.with_tenant(|tenant| {
        let channel = tenant.all_channel_ids().remove(0);
        let message =
            r#"{"id":"$ID$","createdDateTime":"$TIME$","lastModifiedDateTime":"$TIME$","deletedDateTime":"0001-01-01T00:00:00Z"}"#;
        tenant.post(&channel, Post::template(message.to_owned())).unwrap();
    });
    for output in [Tap::new(&config(&sim, everything())).read(&ALL), Tap::new(&config(&sim, everything())).sync(&[])] {
        let deleted =
            |record: &&Value| !record["deletedDateTime"].is_null() || record.get("_sdc_deleted_at").is_some_and(|at| !at.is_null());
        assert_eq!((output.records("messages").filter(deleted).count(), output.counts()["messages"]), (0, 2));
        assert_eq!(figures(&output)["streams"]["messages"]["deleted"], 0);
    }
}

#[test]
fn a_failed_stream_is_reported_as_incomplete() {
    let sim = tenant(2, 1, 5);
    sim.inject(Rule::new(Fault::status(403)).class(Class::Members));
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    assert_eq!(output.status, Some(1));
    assert_figures_match(&output, &sim);
    let figures = figures(&output);
    assert_eq!((&figures["streams"]["members"]["state"], &figures["streams"]["members"]["skipped"]), (&json!("incomplete"), &json!(2)));
    assert_eq!(figures["streams"]["messages"]["state"], "complete");
    // The reason for the failure is still the last line.
    assert!(output.critical().contains("members"));
}

#[test]
fn a_configured_channel_that_is_in_no_team_counts_as_skipped() {
    let sim = tenant(2, 1, 2);
    let existing = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(0));
    let ids = format!("{existing},19:nowhere@thread.tacv2");
    let output = Tap::new(&config(&sim, json!({"fetch_all_teams": true, "channel_id": ids}))).read(&["messages"]);
    assert_eq!(output.status, Some(0));
    assert_eq!(figures(&output)["streams"]["messages"]["skipped"], 1);
}

#[test]
fn requests_are_reported_as_metrics_by_class() {
    let sim = tenant(1, 1, 3);
    sim.inject(Rule::new(Fault::throttled(RetryAfter::Seconds(0))).class(Class::Members).times(1));
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    let metrics: Vec<_> = output.logged("INFO").into_iter().filter(|line| line.contains("http_request")).collect();
    insta::with_settings!({filters => vec![(r#""value":\d+\.[0-9e-]+"#, r#""value":<seconds>"#)]}, {
        insta::assert_snapshot!("request_metrics", metrics.join("\n"));
    });
}
