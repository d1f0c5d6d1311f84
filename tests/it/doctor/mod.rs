//! What `check` reports about a broken setup, which is all that a user has to go by.

mod parents;
mod permissions;
mod places;
mod reach;
mod sign_in;
mod streams;
mod terminal;

use graph_sim::{Class, GraphSim};
use serde_json::Value;

use crate::support::{Output, Tap, config};

/// The number of characters that a dialog shows.
const MAX_DIALOG: usize = 500;

/// The output of `check` with these settings, one message per line: the log, then the verdict.
fn checked(sim: &GraphSim, settings: &Value) -> String {
    sim.clear_journal();
    let check = Tap::new(&config(sim, settings.clone())).check();
    assert_no_request_twice(sim);
    lines(&check)
}

fn lines(check: &Output) -> String {
    let (last, logs) = check.messages.split_last().unwrap();
    assert!(logs.iter().all(|message| message["type"] == "LOG"), "{:?}", check.messages);
    let mut lines: Vec<_> =
        logs.iter().map(|message| format!("LOG {}: {}", text(&message["log"]["level"]), text(&message["log"]["message"]))).collect();
    if last["type"] == "CONNECTION_STATUS" {
        let (verdict, sentence) = check.verdict();
        assert_eq!(check.status, Some(0));
        assert!(sentence.chars().count() <= MAX_DIALOG, "{} characters: {sentence}", sentence.chars().count());
        lines.push(format!("{verdict}: {sentence}"));
    } else {
        let (kind, _, sentence) = check.errors()[0];
        assert_eq!((check.status, logs.len()), (Some(1), 0));
        lines.push(format!("ERROR {kind}: {sentence}"));
    }
    lines.join("\n")
}

/// Streams that need the same request share it.
fn assert_no_request_twice(sim: &GraphSim) {
    let journal = sim.journal();
    let requests = journal.entries().map(|entry| &entry.request).filter(|request| request.class != Class::Token && !request.retry);
    let mut requests: Vec<_> = requests.map(|request| (&request.path, &request.query)).collect();
    let count = requests.len();
    requests.sort();
    requests.dedup();
    assert_eq!(requests.len(), count, "{requests:?}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Compares the outputs with a snapshot, each under the name of its setup and without ids.
fn assert_snapshot(name: &str, cases: &[(&str, String)]) {
    let text: Vec<_> = cases.iter().map(|(setup, output)| format!("== {setup}\n{output}\n")).collect();
    let filters = vec![
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<guid>"),
        (r"http://127\.0\.0\.1:\d+", "<url>"),
        (r"19:[0-9a-zA-Z_-]+@thread\.(tacv2|skype)", "19:<channel>@thread.tacv2"),
        // The resolver's message differs from system to system.
        (r"failed to lookup address[^;]*", "failed to lookup address"),
    ];
    insta::with_settings!({filters => filters, omit_expression => true}, {
        insta::assert_snapshot!(name, text.join("\n"));
    });
}
