//! The output of a sync: complete, and in the order that targets need.

use std::collections::HashMap;

use graph_sim::{Class, Fault, GraphSim, Membership, Options, Rule, TenantSpec};
use serde_json::{Value, json};

use crate::support::{ALL, Tap, config, everything, tenant, truth};

#[test]
fn all_streams_equal_the_truth() {
    let sim = GraphSim::start(Options::new(TenantSpec::uniform(4, 4, 100))).unwrap();
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    assert_eq!(output.streams(), ALL, "each schema once, in order");
    let truth = sim.truth();
    for stream in ALL {
        let table = output.table(stream);
        truth::assert_equal(stream, &table, &truth::table(&truth, stream));
        assert_eq!(output.records(stream).count(), table.len(), "{stream}: each key once");
    }
}

#[test]
fn every_awkward_message_is_emitted_completely() {
    let sim = GraphSim::start(Options::new(TenantSpec::empty())).unwrap();
    sim.with_tenant(|tenant| {
        let team = tenant.create_team("Awkward");
        let channel = tenant.create_channel(&team, "Corpus", Membership::Standard).unwrap();
        tenant.post_corpus(&channel).unwrap();
    });
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    let truth = sim.truth();
    for stream in ["messages", "message_replies"] {
        truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
    }
}

#[test]
fn discovery_used_as_catalog_changes_nothing() {
    let sim = tenant(1, 2, 10);
    let tap = Tap::new(&config(&sim, everything()));
    let without = tap.sync(&[]);
    let with = tap.sync_catalog(&tap.catalog(), &[]);
    assert_eq!((without.status, with.status), (Some(0), Some(0)), "{}", with.stderr);
    assert!(without.messages.len() > 40);
    assert_eq!(without.comparable(), with.comparable());
}

#[test]
fn a_tenant_without_teams_has_schemas_and_a_state() {
    let sim = GraphSim::start(Options::new(TenantSpec::empty())).unwrap();
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    assert_eq!((output.status, output.streams(), output.counts()), (Some(0), ALL.to_vec(), HashMap::new()), "{}", output.stderr);
    assert!(output.last_state()["bookmarks"].is_object());
}

#[test]
fn the_time_of_a_deletion_is_where_targets_expect_it() {
    let sim = tenant(1, 1, 20);
    sim.with_tenant(|tenant| {
        let team = tenant.team_ids().remove(0);
        let roots = tenant.roots(&tenant.channel_ids(&team)[0]);
        tenant.delete(&roots[0]).unwrap();
    });
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    let deleted = |record: &&Value| !record["_sdc_deleted_at"].is_null();
    assert!(output.records("messages").any(|record| deleted(&record)));
    for stream in ["messages", "message_replies"] {
        for record in output.records(stream) {
            assert_eq!(record["_sdc_deleted_at"], record["deletedDateTime"], "{record}");
        }
    }
    for stream in ["teams", "channels", "members"] {
        assert!(!output.columns(stream).contains(&"_sdc_deleted_at"));
    }
}

#[test]
fn without_a_catalog_all_configured_streams_are_read() {
    let sim = tenant(1, 1, 3);
    for (settings, streams) in [
        (json!({}), &ALL[..1]),
        (json!({"fetch_all_teams": true}), &ALL[..3]),
        (json!({"fetch_all_teams": true, "fetch_all_channels": true}), &ALL[..4]),
    ] {
        let output = Tap::new(&config(&sim, settings)).sync(&[]);
        assert_eq!((output.status, output.streams()), (Some(0), streams.to_vec()), "{}", output.stderr);
    }
    // A catalog selects more than that: the rest is reported as missing, and what can be read is read.
    let tap = Tap::new(&config(&sim, json!({})));
    let output = tap.sync_catalog(&tap.catalog(), &[]);
    assert_eq!((output.status, output.counts()), (Some(1), HashMap::from([("teams", 1)])));
    assert!(output.critical().starts_with("the configuration does not specify what to read: channels needs"), "{}", output.critical());
}

#[test]
fn a_test_run_writes_one_record_per_stream() {
    let sim = tenant(2, 2, 10);
    let tap = Tap::new(&config(&sim, everything()));
    tap.file("catalog.json", r#"{"streams": []}"#);
    for arguments in [&["--test"][..], &["--test=records"], &["--test", "--catalog", "catalog.json"]] {
        let output = tap.sync(arguments);
        assert_eq!(output.status, Some(0), "{}", output.stderr);
        assert_eq!(output.counts(), ALL.map(|stream| (stream, 1)).into(), "{arguments:?}");
    }
}

#[test]
fn a_schema_test_writes_the_schemas_without_requests() {
    let sim = tenant(1, 1, 1);
    let tap = Tap::new(&config(&sim, everything()));
    let output = tap.sync(&["--test=schema"]);
    assert_eq!((output.status, output.streams(), output.messages.len()), (Some(0), ALL.to_vec(), 5));
    assert_eq!(sim.journal().total(), 0);
    let whole = tap.sync(&[]);
    assert!(ALL.iter().all(|stream| whole.schema(stream) == output.schema(stream)));
}

#[test]
fn a_failed_stream_is_reported_last_and_the_others_are_complete() {
    let sim = tenant(2, 1, 10);
    sim.inject(Rule::new(Fault::status(503)).class(Class::Members));
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    assert_eq!(output.status, Some(1));
    let failed = output.logged("ERROR");
    assert!(failed.len() == 1 && failed[0].starts_with("members: cannot list the members of team "), "{failed:?}");
    assert_eq!(output.critical(), &failed[0]["members: ".len()..]);
    let truth = sim.truth();
    for stream in ["teams", "channels", "messages", "message_replies"] {
        truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
    }
    assert_eq!(output.streams(), ALL, "a stream that fails has a schema");
}

#[test]
fn a_parent_that_is_refused_is_a_warning() {
    let sim = tenant(2, 1, 3);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    sim.inject(Rule::new(Fault::status(403)).class(Class::Members).team(&team));
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    assert!(output.logged("WARNING").iter().any(|line| line.contains(&team) && line.contains("403")), "{}", output.stderr);
    assert!(output.logged("CRITICAL").is_empty());
}

#[test]
fn bad_credentials_only_log_the_reason() {
    let sim = tenant(1, 1, 1);
    for arguments in [&[][..], &["--test"]] {
        let output = Tap::new(&config(&sim, json!({"client_secret": "not-the-5ecret"}))).sync(arguments);
        assert_eq!((output.status, output.lines.len()), (Some(1), 0));
        assert!(output.critical().contains("AADSTS7000215"), "{}", output.stderr);
        assert!(!output.stderr.contains("not-the-5ecret"));
    }
}
