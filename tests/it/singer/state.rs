//! States: every unusual form from targets, Meltano or users.

use serde_json::{Value, json};

use crate::support::{ALL, Tap, config, everything, tenant};

#[test]
fn every_form_of_a_state_is_accepted() {
    let sim = tenant(1, 1, 20);
    let tap = Tap::new(&config(&sim, everything()));
    let bookmarks = json!({"bookmarks": {"messages": {"version": 1, "channels": {}}}});
    let forms = [
        json!({}),
        json!(null),
        json!({"bookmarks": {}}),
        json!({"bookmarks": null}),
        json!({"bookmarks": {"messages": null, "chats": {"a": [1]}}, "currently_syncing": "messages"}),
        json!({"type": "STATE", "value": bookmarks}),
        json!({"singer_state": bookmarks}),
        json!({"bookmarks": {"messages": {"version": 1, "channels": {"no team/no channel": null}}, "teams": {"partitions": []}}}),
    ];
    for form in forms {
        let output = tap.sync_state(&form);
        assert_eq!((output.status, output.counts().len()), (Some(0), ALL.len()), "{form}: {}", output.stderr);
    }
}

#[test]
fn a_state_of_another_tap_is_ignored_with_a_warning() {
    let sim = tenant(1, 1, 20);
    let tap = Tap::new(&config(&sim, everything()));
    for (bookmarks, warnings) in [(json!({"chats": {"cursor": "x"}}), 1), (json!({"chats": {}, "messages": {}}), 0), (json!({}), 0)] {
        let output = tap.sync_state(&json!({"bookmarks": bookmarks}));
        assert_eq!((output.status, output.counts().len()), (Some(0), ALL.len()), "{bookmarks}: {}", output.stderr);
        let reported = output.logged("WARNING");
        assert_eq!(
            reported.iter().filter(|line| line.contains("contains only bookmarks of unknown streams")).count(),
            warnings,
            "{bookmarks}: {reported:?}"
        );
    }
}

#[test]
fn the_first_state_is_the_input_state() {
    let sim = tenant(1, 1, 2);
    let given = json!({"bookmarks": {"messages": {"version": 1}, "message_replies": {"version": 1}}});
    let output = Tap::new(&config(&sim, everything())).sync_state(&given);
    let first = output.messages.iter().position(|message| message["type"] == "STATE").unwrap();
    assert_eq!(first, 5, "after the schemas");
    assert_eq!(output.messages[first]["value"], given);
    assert_eq!(Tap::new(&config(&sim, everything())).sync(&[]).messages[5]["value"], json!({"bookmarks": {}}));
}

#[test]
fn a_state_over_several_lines_is_written_in_one() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    let first = tap.sync(&[]);
    let mut given = first.last_state().clone();
    given["bookmarks"]["chats"] = json!({"a \n \" {": ["b  c", {}, 1.5, null]});
    // As Meltano passes it.
    tap.file("state.json", format!("{given:#}"));
    let second = tap.sync(&["--state", "state.json"]);
    assert_eq!(second.messages[5]["value"], given);
    assert!(second.lines[5].contains(r#""chats":{"a \n \" {":["b  c",{},1.5,null]}"#), "{}", second.lines[5]);
}

#[test]
fn a_state_can_be_passed_to_the_next_run() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    let first = tap.sync(&[]);
    let states: Vec<&Value> = first.last_state()["bookmarks"].as_object().unwrap().values().collect();
    assert_eq!(states.len(), ALL.len(), "one for each stream");
    let second = tap.sync_state(first.last_state());
    assert_eq!(second.status, Some(0), "{}", second.stderr);
    assert_eq!(&second.messages[5]["value"], first.last_state());
    assert_eq!(second.last_state()["bookmarks"].as_object().unwrap().len(), ALL.len());
    assert_eq!(second.records("messages").chain(second.records("message_replies")).count(), 0, "nothing has changed");
}
