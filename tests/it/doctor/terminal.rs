//! What `check` prints on a terminal, and when `--strict` fails.

use graph_sim::{Class, Fault, GraphSim, Rule};
use serde_json::{Value, json};

use super::assert_snapshot;
use crate::support::{Tap, config, everything, tenant};

const CHECK: [&str; 3] = ["check", "--config", "config.json"];
const NO_CHANNEL: &str = "19:00000000000000000000000000000000@thread.tacv2";
const WITHOUT_MESSAGES: [&str; 5] =
    ["GroupMember.Read.All", "Team.ReadBasic.All", "TeamSettings.Read.All", "Channel.ReadBasic.All", "TeamMember.Read.All"];

/// What a terminal of 100 columns shows.
fn screen(sim: &GraphSim, settings: Value, arguments: &[&str]) -> String {
    let watched = Tap::new(&config(sim, settings)).watch_at(100, &[&CHECK[..], arguments].concat(), &[], true);
    assert_eq!(watched.finished.status, Some(0), "{}", watched.screen);
    watched.screen
}

fn with(settings: &Value) -> Value {
    let mut all = everything();
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    all
}

#[test]
fn a_terminal_shows_a_line_per_stream_and_each_problem_once() {
    let sim = tenant(1, 1, 1);
    let team = sim.truth().teams.into_keys().next().unwrap();
    let show = |settings| screen(&sim, settings, &[]);
    let mut cases = vec![
        ("everything is granted", show(everything())),
        ("a wrong secret", show(with(&json!({"client_secret": "wrong"})))),
        ("nothing but credentials", show(json!({}))),
        ("an option without effect", show(with(&json!({"channel_id": NO_CHANNEL})))),
        ("a channel that does not exist", show(json!({"team_id": team, "channel_id": NO_CHANNEL, "fetch_all_messages": true}))),
        ("a channel in any team", show(with(&json!({"fetch_all_channels": false, "channel_id": NO_CHANNEL})))),
        (
            "one of two teams does not exist",
            show(with(&json!({"fetch_all_teams": false, "team_id": [team, "11111111-2222-3333-4444-555555555555"]}))),
        ),
    ];
    sim.inject(Rule::new(Fault::status(503)).class(Class::Messages));
    cases.push(("messages have an outage", show(everything())));
    cases.push(("the same at the level DEBUG", screen(&sim, everything(), &["--debug"])));
    sim.clear_faults();
    sim.inject(Rule::new(Fault::graph(403, "Forbidden", "Teams is disabled for your tenant.")).class(Class::Messages));
    cases.push(("a policy", show(everything())));
    sim.clear_faults();
    sim.set_roles(&WITHOUT_MESSAGES);
    cases.push(("a permission is missing", show(everything())));
    cases.push(("the same at the level DEBUG", screen(&sim, everything(), &["--debug"])));
    sim.set_roles(&[]);
    cases.push(("no permission at all", show(everything())));
    assert_snapshot("terminal", &cases);
}

#[test]
fn a_link_is_not_split() {
    let sim = tenant(1, 1, 1);
    sim.set_roles(&WITHOUT_MESSAGES);
    let bytes = Tap::new(&config(&sim, everything())).watch_at(80, &CHECK, &[], true).bytes;
    let link = bytes.split_whitespace().find(|word| word.starts_with("https://")).unwrap();
    let client = config(&sim, json!({}))["client_id"].as_str().unwrap().to_owned();
    assert!(link.ends_with(&format!("/adminconsent?client_id={client}")), "{bytes}");
}

#[test]
fn marks_are_coloured_unless_no_color_is_set() {
    let sim = tenant(1, 1, 1);
    let tap = Tap::new(&config(&sim, json!({})));
    let bytes = |environment: &[(&str, &str)]| tap.watch(&CHECK, environment, true).bytes;
    let coloured = bytes(&[]);
    assert!(coloured.contains("\u{1b}[32m✓\u{1b}[0m teams") && coloured.contains("\u{1b}[2m– channels"), "{coloured:?}");
    let plain = bytes(&[("NO_COLOR", "1")]);
    assert!(plain.contains("✓ teams") && !plain.contains('\u{1b}'), "{plain:?}");
}

#[test]
fn strict_fails_unless_every_stream_works() {
    let sim = tenant(1, 1, 1);
    let team = sim.truth().teams.into_keys().next().unwrap();
    let two_teams = json!({"fetch_all_teams": false, "team_id": [team, "11111111-2222-3333-4444-555555555555"]});
    for (settings, status) in [
        (everything(), 0),
        (json!({}), 1),
        (with(&two_teams), 1),
        (with(&json!({"client_secret": "wrong"})), 1),
        (with(&json!({"tenant_id": ""})), 1),
    ] {
        let tap = Tap::new(&config(&sim, settings.clone()));
        let strict = [&CHECK[..], &["--strict"]].concat();
        let (messages, terminal) = (tap.run(&strict), tap.watch(&strict, &[], true));
        assert_eq!((messages.status, terminal.finished.status), (Some(status), Some(status)), "{settings}");
        // The messages are the same.
        assert_eq!(messages.verdict(), tap.check().verdict(), "{settings}");
        assert_eq!(tap.check().status, Some(0));
    }
}
