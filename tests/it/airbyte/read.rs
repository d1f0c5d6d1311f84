//! `read`: real configured catalogs, and the messages for each stream.

use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt};

use graph_sim::{Class, Fault, Rule};
use serde_json::{Value, json};

use crate::support::{ALL, Output, Tap, config, configured, everything, tenant};

fn read(tap: &Tap, streams: &[Value]) -> Output {
    tap.file("catalog.json", json!({"streams": streams}).to_string());
    tap.run(&["read", "--config", "config.json", "--catalog", "catalog.json"])
}

#[test]
fn null_in_every_optional_field_and_new_modes_are_accepted() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    let mut full = configured("messages");
    full["stream"] = json!({"name": "messages", "json_schema": {"type": "object"}, "supported_sync_modes": ["full_refresh"], "source_defined_cursor": null,
        "default_cursor_field": null, "source_defined_primary_key": null, "namespace": null, "is_resumable": null, "is_file_based": null});
    for field in
        ["cursor_field", "primary_key", "generation_id", "minimum_generation_id", "sync_id", "include_files", "destination_object_name"]
    {
        full[field] = json!(null);
    }
    let mut bare = json!({"stream": {"name": "members"}, "sync_mode": "full_refresh"});
    let mut new = configured("teams");
    new["destination_sync_mode"] = "soft_delete".into();
    new["brand_new"] = json!({"a": [1]});
    let mut other_cursor = configured("channels");
    other_cursor["cursor_field"] = json!(["createdDateTime"]);
    assert_eq!(read(&tap, &[full.clone(), bare.clone(), new, other_cursor]).counts().len(), 4);
    full["destination_sync_mode"] = json!(null);
    bare["destination_sync_mode"] = "update".into();
    let output = read(&tap, &[full, bare]);
    assert_eq!((output.status, output.counts()), (Some(0), HashMap::from([("messages", 2), ("members", 12)])));
}

#[test]
fn incremental_mode_for_every_stream_is_no_error() {
    let sim = tenant(1, 1, 20);
    let tap = Tap::new(&config(&sim, everything()));
    let streams = ALL.map(|stream| {
        let mut stream = configured(stream);
        stream["sync_mode"] = "incremental".into();
        stream["generation_id"] = 1.into();
        stream["minimum_generation_id"] = 1.into();
        stream
    });
    let output = read(&tap, &streams);
    assert_eq!((output.status, output.counts().len(), output.logs("WARN").len()), (Some(0), 5, 0));
}

#[test]
fn an_unknown_stream_is_an_error_after_the_known_ones() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    let output = read(&tap, &[configured("chats"), configured("teams"), configured("teams"), configured("messages")]);
    assert_eq!(output.status, Some(1));
    let reported = "unknown stream chats in the catalog; known streams: teams, channels, members, messages, message_replies, channel_members, \
        team_device_usage_report";
    assert_eq!(output.errors(), [("config_error", "chats", reported)]);
    assert_eq!(output.statuses("chats"), ["INCOMPLETE"]);
    assert_eq!(output.counts(), HashMap::from([("teams", 1), ("messages", 2)]), "a stream that is named twice is read once");
    for stream in ["teams", "messages"] {
        assert_eq!(output.statuses(stream), ["STARTED", "RUNNING", "COMPLETE"]);
    }
    assert_eq!(read(&tap, &[configured("chats")]).status, Some(1));
}

#[test]
fn only_streams_of_the_catalog_are_mentioned() {
    let sim = tenant(1, 1, 4);
    let tap = Tap::new(&config(&sim, everything()));
    for stream in ALL {
        let output = tap.read(&[stream]);
        assert_eq!(output.status, Some(0));
        assert!(output.records(stream).count() > 0, "{stream}");
        for message in &output.messages {
            let names = [
                &message["record"]["stream"],
                &message["state"]["stream"]["stream_descriptor"]["name"],
                &message["trace"]["stream_status"]["stream_descriptor"]["name"],
            ];
            assert!(names.iter().all(|name| name.is_null() || *name == stream), "{message}");
        }
    }
}

#[test]
fn a_catalog_without_streams_reads_nothing() {
    let sim = tenant(1, 1, 1);
    let output = read(&Tap::new(&config(&sim, everything())), &[]);
    assert_eq!((output.status, output.counts(), output.all("STATE").count()), (Some(0), HashMap::new(), 0));
}

#[test]
fn read_only_files_with_any_name_are_read() {
    let sim = tenant(1, 1, 20);
    let tap = Tap::new(&json!({}));
    let all = ALL.map(configured);
    for (name, content) in [("config.txt", config(&sim, everything())), ("catalog.txt", json!({"streams": all})), ("state", json!([]))] {
        let path = tap.file(name, content.to_string());
        fs::set_permissions(path, fs::Permissions::from_mode(0o444)).unwrap();
    }
    let output = tap.run(&["read", "--config", "config.txt", "--catalog", "catalog.txt", "--state", "state"]);
    assert_eq!((output.status, output.counts().len()), (Some(0), 5), "{:?}", output.errors());
    assert_eq!(tap.run(&["check", "--config", "config.txt"]).verdict().0, "SUCCEEDED");
    // The folder is read-only too: nothing is written there.
    let files: Vec<_> = fs::read_dir(tap.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files.len(), 4, "{files:?}");
}

#[test]
fn errors_are_reported_last_with_transient_ones_first() {
    let sim = tenant(1, 1, 2);
    sim.inject(Rule::new(Fault::status(403)).class(Class::Channels));
    sim.inject(Rule::new(Fault::status(503)).class(Class::Members));
    let mut settings = everything();
    settings["stream_options"] = json!({"message_replies": {"fetch_all_messages": false}});
    let output = read(&Tap::new(&config(&sim, settings)), &[ALL.map(configured).as_slice(), &[configured("chats")]].concat());
    assert_eq!(output.status, Some(1));
    let errors: Vec<_> = output.errors().into_iter().map(|(kind, stream, _)| (kind, stream)).collect();
    let user = |stream| ("config_error", stream);
    assert_eq!(errors, [("transient_error", "members"), user("channels"), user("messages"), user("message_replies"), user("chats")]);
    let at = |wanted: fn(&Value) -> bool| output.messages.iter().position(wanted).unwrap();
    let first_error = at(|message| message["trace"]["type"] == "ERROR");
    assert!(at(|message| message["trace"]["stream_status"]["status"] == "COMPLETE") < first_error);
    assert!(output.messages[first_error..].iter().all(|message| message["type"] == "TRACE"));
    for pair in output.messages[first_error..].chunks(2) {
        let name = &pair[0]["trace"]["error"]["stream_descriptor"]["name"];
        let status = &pair[1]["trace"]["stream_status"];
        assert_eq!((&status["stream_descriptor"]["name"], &status["status"]), (name, &json!("INCOMPLETE")));
    }
}

#[test]
fn emitted_at_is_during_the_run_and_increases() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    let times =
        |output: &Output| -> Vec<i64> { output.all("RECORD").map(|message| message["record"]["emitted_at"].as_i64().unwrap()).collect() };
    let before = chrono::Utc::now().timestamp_millis();
    let (first, second) = (tap.read(&ALL), tap.read(&ALL));
    assert!(before <= *times(&first).iter().min().unwrap());
    assert!(times(&first).iter().max() <= times(&second).iter().min());
    assert!(times(&first).is_sorted());
    assert_eq!(first.counts(), second.counts(), "the second run holds what the first held");
}

#[test]
fn debug_is_accepted_after_every_command_and_from_the_environment() {
    let sim = tenant(1, 1, 1);
    let tap = Tap::new(&config(&sim, everything()));
    tap.file("catalog.json", json!({"streams": [configured("teams")]}).to_string());
    let arguments = ["read", "--config", "config.json", "--catalog", "catalog.json"];
    for (arguments, environment) in [
        ([&arguments[..], &["--debug"]].concat(), &[][..]),
        (vec!["read", "--debug", "--config=config.json", "--catalog=catalog.json"], &[]),
        (arguments.to_vec(), &[("LOG_LEVEL", "debug")]),
        (arguments.to_vec(), &[("LOG_LEVEL", "TRACE")]),
    ] {
        sim.clear_faults();
        sim.inject(Rule::new(Fault::status(503)).class(Class::Groups).times(1));
        let output = tap.run_with(&arguments, environment);
        assert!(output.logs("DEBUG").iter().any(|line| line.contains("503")), "{arguments:?} {environment:?}: {:?}", output.stderr);
    }
    for level in ["", "nonsense", "INFO"] {
        assert!(!tap.run_with(&arguments, &[("LOG_LEVEL", level)]).logs("INFO").is_empty(), "{level}");
    }
    for command in
        [&["spec", "--debug"][..], &["check", "--debug", "--config", "config.json"], &["discover", "--config", "config.json", "--debug"]]
    {
        assert_eq!(tap.run(command).status, Some(0), "{command:?}");
    }
}

#[test]
fn the_number_of_teams_is_estimated_when_their_list_is_complete() {
    let sim = tenant(3, 1, 2);
    let output = Tap::new(&config(&sim, everything())).read(&ALL);
    let estimates: Vec<_> = output.all("TRACE").filter(|message| message["trace"]["type"] == "ESTIMATE").collect();
    let estimates: Vec<_> = estimates.into_iter().map(|message| &message["trace"]["estimate"]).collect();
    assert_eq!(estimates, [&json!({"name": "teams", "type": "STREAM", "row_estimate": 3})]);
    let without_teams = Tap::new(&config(&sim, everything())).read(&["channels", "messages"]);
    assert!(without_teams.all("TRACE").all(|message| message["trace"]["type"] != "ESTIMATE"));
}
