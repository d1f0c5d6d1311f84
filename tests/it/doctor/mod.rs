//! What `check` says of a set-up that is broken: for people who have nothing else.

mod parents;
mod permissions;
mod places;
mod reach;
mod sign_in;
mod streams;

use graph_sim::{Class, GraphSim};
use serde_json::Value;

use crate::support::{Output, Tap, config};

/// A dialog shows so many characters.
const OF_A_DIALOG: usize = 500;

/// What `check` writes for these settings, a message a line: what a log shows, and last the verdict.
fn said(sim: &GraphSim, settings: &Value) -> String {
    sim.clear_journal();
    let check = Tap::new(&config(sim, settings.clone())).check();
    assert_each_is_asked_once(sim);
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
        assert!(sentence.chars().count() <= OF_A_DIALOG, "{} characters: {sentence}", sentence.chars().count());
        lines.push(format!("{verdict}: {sentence}"));
    } else {
        let (kind, _, sentence) = check.errors()[0];
        assert_eq!((check.status, logs.len()), (Some(1), 0));
        lines.push(format!("ERROR {kind}: {sentence}"));
    }
    lines.join("\n")
}

/// Streams that need the same are one request.
fn assert_each_is_asked_once(sim: &GraphSim) {
    let journal = sim.journal();
    let requests = journal.entries().map(|entry| &entry.request).filter(|request| request.class != Class::Token && !request.retry);
    let mut asked: Vec<_> = requests.map(|request| (&request.path, &request.query)).collect();
    let all = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), all, "{asked:?}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Pins what was said, each under the name of its set-up, without the ids.
fn pin(name: &str, cases: &[(&str, String)]) {
    let text: Vec<_> = cases.iter().map(|(what, said)| format!("== {what}\n{said}\n")).collect();
    let filters = vec![
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<guid>"),
        (r"http://127\.0\.0\.1:\d+", "<url>"),
        (r"19:[0-9a-zA-Z_-]+@thread\.(tacv2|skype)", "19:<channel>@thread.tacv2"),
        // The words of the system's resolver differ from system to system.
        (r"failed to lookup address[^;]*", "failed to lookup address"),
    ];
    insta::with_settings!({filters => filters, omit_expression => true}, {
        insta::assert_snapshot!(name, text.join("\n"));
    });
}

#[test]
fn on_a_terminal_a_check_is_told_in_plain_lines() {
    let sim = crate::support::tenant(1, 1, 1);
    let tap = Tap::new(&config(&sim, crate::support::everything()));
    let good = tap.watch(&["check", "--config", "config.json"], &[], true);
    tap.file("config.json", config(&sim, serde_json::json!({"client_secret": "wrong"})).to_string());
    let bad = tap.watch(&["check", "--config", "config.json"], &[], true);
    assert_eq!((good.finished.status, bad.finished.status), (Some(0), Some(0)));
    pin("on_a_terminal", &[("everything is granted", good.screen), ("a wrong secret", bad.screen)]);
}

#[test]
fn on_a_terminal_a_link_is_not_split() {
    let sim = crate::support::tenant(1, 1, 1);
    sim.set_roles(&["GroupMember.Read.All", "Team.ReadBasic.All", "TeamSettings.Read.All", "Channel.ReadBasic.All"]);
    let tap = Tap::new(&config(&sim, crate::support::everything()));
    let bytes = tap.watch_at(80, &["check", "--config", "config.json"], &[], true).bytes;
    let link = bytes.split_whitespace().find(|word| word.starts_with("https://")).unwrap();
    let client = config(&sim, serde_json::json!({}))["client_id"].as_str().unwrap().to_owned();
    assert!(link.ends_with(&format!("/adminconsent?client_id={client}")), "{bytes}");
}
