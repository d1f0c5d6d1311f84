//! Setups with channel ids or message ids without their parents: a run searches for them, a check does not.

use graph_sim::Class;
use serde_json::{Value, json};

use super::{assert_snapshot, checked};
use crate::support::tenant;

const NO_CHANNEL: &str = "19:00000000000000000000000000000000@thread.tacv2";
const NO_MESSAGE: &str = "1616963377068";

/// The permissions for all streams, except the one to list channels.
const WITHOUT_LISTS: [&str; 5] =
    ["GroupMember.Read.All", "Team.ReadBasic.All", "TeamSettings.Read.All", "TeamMember.Read.All", "ChannelMessage.Read.All"];

/// These channels, in any team.
fn channels(ids: &[&str]) -> Value {
    json!({"fetch_all_teams": true, "channel_id": ids, "fetch_all_messages": true})
}

/// These threads, in any channel.
fn threads(ids: &[&str]) -> Value {
    json!({"fetch_all_teams": true, "fetch_all_channels": true, "message_id": ids})
}

#[test]
fn ids_without_their_parents_are_left_to_a_run() {
    let sim = tenant(3, 2, 2);
    let truth = sim.truth();
    let (team, channel) = truth.channels.keys().last().unwrap().clone();
    let other_team = truth.channels.keys().next().unwrap().0.clone();
    let message = truth.messages.keys().last().unwrap().1.to_string();
    let channels_of_team: Vec<_> = truth.channels.keys().filter(|(of, _)| *of == team).map(|(_, channel)| channel.clone()).collect();
    let in_two_teams = |channel: &str| json!({"team_id": [team, other_team], "channel_id": channel, "fetch_all_messages": true});
    let nowhere = "11111111-2222-3333-4444-555555555555";
    let cases = [
        ("a channel of any team", channels(&[NO_CHANNEL])),
        ("several channels of any team", channels(&[&channel, NO_CHANNEL])),
        (
            "a channel of teams that do not exist",
            json!({"team_id": [nowhere, "11111111-2222-3333-4444-666666666666"], "channel_id": channel, "fetch_all_messages": true}),
        ),
        ("a channel of the first of two teams", in_two_teams(&channels_of_team[0])),
        ("another channel of the first of two teams", in_two_teams(&channels_of_team[1])),
        (
            "a channel of two teams, the second of which does not exist",
            json!({"team_id": [team, nowhere], "channel_id": NO_CHANNEL, "fetch_all_messages": true}),
        ),
        ("a message of any channel", threads(&[&message])),
        ("a message of any of two channels", json!({"team_id": team, "channel_id": channels_of_team, "message_id": message})),
    ];
    let outputs: Vec<_> =
        cases.into_iter().map(|(setup, settings)| (setup, checked(&sim, &settings).replace(&message, "<message>"))).collect();
    assert_snapshot("ids_without_their_parents_are_left_to_a_run", &outputs);
}

#[test]
fn a_check_reads_one_team_and_one_channel_whatever_is_configured() {
    let sim = tenant(24, 1, 1);
    let teams: Vec<_> = sim.truth().teams.into_keys().collect();
    let all_configured = json!({"team_id": teams, "fetch_all_channels": true, "fetch_all_messages": true});
    for settings in [channels(&[NO_CHANNEL]), threads(&[NO_MESSAGE]), all_configured] {
        let output = checked(&sim, &settings);
        let lists = |of: &str| sim.journal().entries().filter(|entry| entry.request.path.ends_with(of)).count();
        let counts = (lists("/channels"), lists("/members"), sim.count(Class::Messages), sim.count(Class::Replies));
        assert_eq!(counts, (1, 1, 1, 0), "{output}");
    }
}

#[test]
fn without_permission_to_list_channels_a_configured_one_is_tried() {
    let sim = tenant(2, 1, 1);
    sim.set_roles(&WITHOUT_LISTS);
    let works = checked(&sim, &channels(&[NO_CHANNEL]));
    assert!(works.contains("LOG INFO: messages: works; check does not search for `channel_id`"), "{works}");
    assert_eq!(sim.count(Class::Messages), 1);
    sim.set_roles(&WITHOUT_LISTS[..4]);
    let refused = checked(&sim, &channels(&[NO_CHANNEL]));
    assert!(
        refused.contains("LOG WARN: messages: the token does not have the application permission ChannelMessage.Read.All"),
        "{refused}"
    );
}

#[test]
fn the_permission_for_messages_is_tested_in_another_channel() {
    let sim = tenant(2, 1, 1);
    sim.set_roles(&["GroupMember.Read.All", "Team.ReadBasic.All", "TeamSettings.Read.All", "TeamMember.Read.All", "Channel.ReadBasic.All"]);
    let output = checked(&sim, &channels(&[NO_CHANNEL]));
    assert!(output.contains("messages: the token does not have the application permission ChannelMessage.Read.All"), "{output}");
}
