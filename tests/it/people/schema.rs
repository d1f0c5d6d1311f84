//! `schema`: what it prints for each reader. `tests/consumers/readers` runs it in the readers themselves.

use clap::ValueEnum;
use serde_json::json;
use tap_microsoft_teams::cli::Reader;

use crate::support::Tap;

/// What the command prints, without a configuration and without a network.
fn schema(arguments: &[&str]) -> String {
    let finished = Tap::new(&json!({})).execute(&[&["schema"], arguments].concat(), &[]);
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
    finished.stdout
}

fn readers() -> Vec<String> {
    Reader::value_variants().iter().map(|reader| reader.to_possible_value().unwrap().get_name().to_owned()).collect()
}

#[test]
fn each_reader_gets_what_it_can_run() {
    for reader in readers() {
        insta::assert_snapshot!(format!("schema_{reader}"), schema(&["--for", &reader, "--stream", "members,messages"]));
    }
}

#[test]
fn typed_columns_change_only_the_lists_and_the_objects_whose_fields_are_declared() {
    for reader in readers().iter().filter(|reader| *reader != "sling") {
        let lines = |nested| schema(&["--for", reader, "--stream", "members,messages", "--nested", nested]);
        let (json, typed) = (lines("json"), lines("typed"));
        let changed: Vec<_> = typed.lines().filter(|line| !json.lines().any(|known| known == *line)).collect();
        let removed = json.lines().filter(|line| !typed.lines().any(|known| known == *line));
        let names = ["roles", "body", "attachments", "mentions", "reactions", "messageHistory"];
        assert!(removed.clone().count() > 0, "{reader}");
        for line in removed.chain(changed) {
            assert!(names.iter().any(|name| line.contains(name)), "{reader}: {line}");
        }
    }
}

#[test]
fn without_a_stream_all_default_streams_are_printed() {
    let all = schema(&["--for", "polars"]);
    for name in ["teams", "channels", "members", "messages", "message_replies"] {
        assert!(all.contains(&format!("\n{name} = frame(")), "{name}");
    }
    assert!(!all.contains("channel_members"), "not selected by default");
}

#[test]
fn an_unknown_stream_is_an_error() {
    let finished = Tap::new(&json!({})).execute(&["schema", "--for", "duckdb", "--stream", "message"], &[]);
    assert_eq!((finished.status, finished.stdout.as_str()), (Some(1), ""));
    assert!(finished.stderr.contains("unknown stream message; known streams: teams, "), "{}", finished.stderr);
}
