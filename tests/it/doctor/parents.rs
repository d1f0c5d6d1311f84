//! Setups in which the configured teams, channels or messages do not exist, or none is configured.

use graph_sim::GraphSim;
use serde_json::{Value, json};

use super::{assert_snapshot, checked};
use crate::support::tenant;

#[test]
fn missing_parents_are_reported_with_their_option() {
    let sim = tenant(2, 2, 2);
    let truth = sim.truth();
    let (team, channel) = truth.channels.keys().next().unwrap().clone();
    let (_, other_channel) = truth.channels.keys().find(|(other, _)| *other != team).unwrap().clone();
    let message = truth.messages.keys().find(|(of, _)| *of == channel).unwrap().1.to_string();
    let nowhere = "11111111-2222-3333-4444-555555555555";
    let no_channel = "19:00000000000000000000000000000000@thread.tacv2";
    let with = |settings: Value| {
        let mut all = json!({"team_id": team, "channel_id": channel, "fetch_all_messages": true});
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        all
    };
    let cases = [
        ("everything that is configured exists", with(json!({"message_id": message, "fetch_all_messages": false}))),
        ("only credentials", json!({})),
        ("a team, and nothing about channels", json!({"team_id": team})),
        ("a team that does not exist", with(json!({"team_id": nowhere}))),
        ("a channel that does not exist", with(json!({"channel_id": no_channel}))),
        ("a channel of another team", with(json!({"channel_id": other_channel}))),
        ("a channel id as in a link", with(json!({"channel_id": channel.replace(':', "%3A").replace('@', "%40")}))),
        ("one of two channels is excluded", with(json!({"channel_id": [no_channel, channel], "exclude": no_channel}))),
        ("everything that is configured is excluded", with(json!({"exclude": [team, channel]}))),
        ("channels without a team", json!({"channel_id": channel, "fetch_all_messages": true})),
        ("every channel, and one by its id", with(json!({"fetch_all_channels": true}))),
        ("a message that does not exist", with(json!({"message_id": "1616963377068", "fetch_all_messages": false}))),
        (
            "a message of a channel that does not exist",
            with(json!({"channel_id": no_channel, "message_id": message, "fetch_all_messages": false})),
        ),
        ("a message of a team that does not exist", with(json!({"team_id": nowhere, "message_id": message, "fetch_all_messages": false}))),
        (
            "one of several teams does not exist",
            json!({"team_id": [nowhere, team], "fetch_all_channels": true, "fetch_all_messages": true}),
        ),
        ("one of several channels does not exist", with(json!({"channel_id": [no_channel, channel]}))),
        (
            "the second of several teams does not exist",
            json!({"team_id": [team, nowhere], "fetch_all_channels": true, "fetch_all_messages": true}),
        ),
        ("the second of several channels does not exist", with(json!({"channel_id": [channel, no_channel]}))),
        (
            "the second of several messages does not exist",
            with(json!({"message_id": [message, "1616963377068"], "fetch_all_messages": false})),
        ),
    ];
    let outputs: Vec<_> = cases.into_iter().map(|(setup, settings)| (setup, checked(&sim, &settings))).collect();
    assert_snapshot("missing_parents_are_reported_with_their_option", &outputs);
}

#[test]
fn a_tenant_without_teams_is_not_a_failure() {
    let sim = GraphSim::start(graph_sim::Options::new(graph_sim::TenantSpec::empty())).unwrap();
    sim.with_tenant(|tenant| (0..30).for_each(|_| drop(tenant.create_group_without_team("No team yet"))));
    let output = checked(&sim, &crate::support::everything());
    assert!(output.ends_with("SUCCEEDED: can read teams, channels, members, messages, message_replies"), "{output}");
    // No more than twenty requests for each stream, including the list of groups.
    for list in ["/channels", "/members"] {
        assert_eq!(sim.journal().entries().filter(|entry| entry.request.path.ends_with(list)).count(), 19, "{list}");
    }
}
