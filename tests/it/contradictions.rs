//! Contradictory options: one warning that names both, in check, plan and run.

use serde_json::{Value, json};

use crate::support::{ALL, Tap, config, tenant};

/// The warnings of every command with these options, one per line.
fn reported(tap: &Tap) -> String {
    let read = tap.read(&ALL);
    let remarks: Vec<_> = read.logs("WARN").into_iter().take_while(|line| line.starts_with('`')).map(str::to_owned).collect();
    let of = |lines: Vec<&str>| {
        lines.into_iter().filter(|line| line.starts_with('`') && !line.contains("not found")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of(tap.check().logs("WARN")), remarks);
    assert_eq!(of(tap.sync(&[]).logged("WARNING")), remarks);
    let plan = tap.execute(&["plan", "--config", "config.json"], &[]);
    let plan: Vec<_> = plan.stderr.lines().filter_map(|line| line.strip_prefix("WARNING ")).collect();
    assert_eq!(of(plan), remarks);
    remarks.join("\n")
}

#[test]
fn contradictory_options_are_reported_together() {
    let sim = tenant(2, 2, 2);
    let (team, channel) = sim.truth().channels.into_keys().next().unwrap();
    let all = |more: Value| {
        let mut all = json!({"fetch_all_teams": true, "fetch_all_channels": true, "fetch_all_messages": true});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let cases = [
        json!({"channel_id": channel}),
        json!({"fetch_all_channels": true, "fetch_all_messages": true}),
        json!({"fetch_all_teams": true, "message_id": "1616963377068"}),
        json!({"fetch_all_teams": true, "fetch_all_messages": "yes"}),
        all(json!({"team_id": team, "channel_id": channel, "message_id": "1616963377068"})),
        json!({"team_id": team, "channel_id": channel, "fetch_all_messages": true, "exclude": channel}),
        json!({"team_id": team, "fetch_all_channels": true, "fetch_all_messages": true, "exclude": [team, channel]}),
        all(
            json!({"stream_options": {"teams": {"team_id": team}, "members": {"channel_id": channel}, "channels": {"start_date": "2026-01-01"},
            "messages": {"message_id": "1616963377068", "team_id": team, "fetch_all_teams": true}}}),
        ),
        // Stream options override global ones, so they do not contradict each other.
        all(json!({"stream_options": {"messages": {"team_id": team, "channel_id": channel}}})),
        json!({"team_id": team, "channel_id": channel, "fetch_all_messages": true, "stream_options": {"messages": {"fetch_all_channels": true}}}),
        all(json!({})),
    ];
    let mut text = String::new();
    for settings in cases {
        let reported = reported(&Tap::new(&config(&sim, settings.clone())));
        text += &format!("{settings}\n{reported}\n\n").replace(&team, "<team>").replace(&channel, "<channel>");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn it_is_an_error_if_no_selected_stream_can_be_read() {
    let sim = tenant(1, 1, 2);
    let (team, channel) = sim.truth().channels.into_keys().next().unwrap();
    for settings in [
        json!({"channel_id": channel, "fetch_all_messages": true}),
        json!({"team_id": team, "fetch_all_channels": true, "fetch_all_messages": true, "exclude": team}),
        json!({"team_id": team, "channel_id": channel, "fetch_all_messages": true, "exclude": channel}),
    ] {
        let tap = Tap::new(&config(&sim, settings.clone()));
        let output = tap.read(&["messages", "message_replies"]);
        assert_eq!((output.status, output.errors().len()), (Some(1), 2), "{settings}");
        assert!(output.errors().iter().all(|(kind, _, text)| *kind == "config_error"
            && text.starts_with("the configuration does not specify what to read: messages needs ")));
    }
}

#[test]
fn a_flag_of_extract_without_effect_is_reported() {
    let sim = tenant(1, 1, 2);
    let (team, channel) = sim.truth().channels.into_keys().next().unwrap();
    let tap = Tap::new(&config(&sim, json!({})));
    let extract = |stream: &str, flags: &[&str]| {
        let finished = tap.execute(&[&["extract", "--config", "config.json", "--stream", stream], flags].concat(), &[]);
        assert_eq!(finished.status, Some(0), "{}", finished.stderr);
        finished.stderr.lines().filter(|line| line.starts_with("WARNING ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let flags = ["--team", &team, "--channel", &channel, "--since", "2026-01-01"];
    let no_effect = |flag: &str| format!("WARNING `{flag}` has no effect: the stream members does not support it");
    assert_eq!(extract("members", &flags), ["--since", "--channel"].map(no_effect));
    assert!(extract("messages", &flags).is_empty());
}
